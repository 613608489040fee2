/*
 * dictionary.c
 *	  Distinct keys in the order of their first appearance.
 */
#include "postgres.h"

#include "source/dictionary.h"

#include "utils/memutils.h"

#define FIRST_CAPACITY 1024

void
dictionary_init(Dictionary *dictionary, MemoryContext context)
{
	memset(dictionary, 0, sizeof(*dictionary));
	dictionary->context = context;
	dictionary->capacity = FIRST_CAPACITY;
	dictionary->entries = MemoryContextAlloc(context, FIRST_CAPACITY * sizeof(DictionaryEntry));
	dictionary->n_slots = 2 * FIRST_CAPACITY;
	dictionary->slots = MemoryContextAllocZero(context, dictionary->n_slots * sizeof(uint32));
	dictionary->allocated = 16 * FIRST_CAPACITY;
	dictionary->bytes = MemoryContextAlloc(context, dictionary->allocated);
}

/* Twice the entries and slots. */
static void
grow(Dictionary *dictionary)
{
	if (dictionary->capacity > PG_INT32_MAX / 2)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a feature has too many distinct values"),
				 errhint("Set \"buckets\" for it in option \"features\".")));
	dictionary->capacity *= 2;
	dictionary->entries = repalloc_huge(dictionary->entries,
										dictionary->capacity * sizeof(DictionaryEntry));
	pfree(dictionary->slots);
	dictionary->n_slots *= 2;
	dictionary->slots = MemoryContextAllocExtended(dictionary->context,
												   dictionary->n_slots * sizeof(uint32),
												   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (uint32 i = 0; i < dictionary->n; i++)
	{
		uint32		slot = dictionary->entries[i].hash & (dictionary->n_slots - 1);

		while (dictionary->slots[slot] != 0)
			slot = (slot + 1) & (dictionary->n_slots - 1);
		dictionary->slots[slot] = i + 1;
	}
}

static uint64
append_bytes(Dictionary *dictionary, const char *key, uint32 length)
{
	uint64		offset = dictionary->used;

	if (offset + length > dictionary->allocated)
	{
		dictionary->allocated = 2 * (offset + length);
		dictionary->bytes = repalloc_huge(dictionary->bytes, dictionary->allocated);
	}
	memcpy(dictionary->bytes + offset, key, length);
	dictionary->used += length;
	return offset;
}

uint32
dictionary_add(Dictionary *dictionary, const char *key, uint32 length, uint64 hash)
{
	uint32		slot = hash & (dictionary->n_slots - 1);

	for (; dictionary->slots[slot] != 0; slot = (slot + 1) & (dictionary->n_slots - 1))
	{
		DictionaryEntry *entry = &dictionary->entries[dictionary->slots[slot] - 1];

		if (entry->hash == hash && entry->length == length &&
			memcmp(dictionary->bytes + entry->offset, key, length) == 0)
			return dictionary->slots[slot] - 1;
	}
	dictionary->slots[slot] = dictionary->n + 1;
	dictionary->entries[dictionary->n] = (DictionaryEntry)
	{
		.hash = hash,.offset = append_bytes(dictionary, key, length),.length = length
	};
	if (++dictionary->n == dictionary->capacity)
		grow(dictionary);
	return dictionary->n - 1;
}
