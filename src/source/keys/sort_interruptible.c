/*
 * sort_interruptible.c
 *	  The engine's radix sort in the current memory context.
 */
#include "postgres.h"

#include "source/keys/sort_interruptible.h"

#include "engine/base/sort.h"
#include "host.h"
#include "utils/memutils.h"

void
sort_words(uint64 *keys, uint32 *payloads, uint64 n)
{
	EngineHost	host = host_callbacks();
	EngineError error;
	SortRoom	room;

	if (n < 2)
		return;
	room.keys = MemoryContextAllocHuge(CurrentMemoryContext, n * sizeof(uint64));
	room.payloads = MemoryContextAllocHuge(CurrentMemoryContext, n * sizeof(uint32));
	if (!sort_keys(keys, payloads, n, &room, &host, &error))
		host_raise(&error);
	pfree(room.keys);
	pfree(room.payloads);
}

void
sort_numbers(double *numbers, uint64 n)
{
	uint64	   *keys = (uint64 *) numbers;

	for (uint64 i = 0; i < n; i++)
		keys[i] = sort_key(numbers[i]);
	sort_words(keys, NULL, n);
	for (uint64 i = 0; i < n; i++)
		numbers[i] = sort_value(keys[i]);
}
