/*
 * sort.c
 *	  Least significant digit first: 8 bits a pass, passes over digits that are
 *	  the same in all keys left out.
 */
#include "engine/base/sort.h"

#define DIGITS 8
#define BUCKETS 256
/* Up to here insertion is faster than counting digits. */
#define FEW 64
/* Keys between two looks at the host. */
#define CHUNK ((size_t) 1 << 20)

static inline unsigned
digit_of(uint64_t key, int digit)
{
	return key >> (8 * digit) & (BUCKETS - 1);
}

bool
sort_room(SortRoom *room, Arena *arena, size_t n, bool payloads, EngineError *error)
{
	room->keys = ARENA_ARRAY(arena, uint64_t, n);
	room->payloads = payloads ? ARENA_ARRAY(arena, uint32_t, n) : NULL;
	return arena_ok(arena, error);
}

static void
sort_few(uint64_t *keys, uint32_t *payloads, size_t n)
{
	for (size_t i = 1; i < n; i++)
	{
		uint64_t	key = keys[i];
		uint32_t	payload = payloads ? payloads[i] : 0;
		size_t		at = i;

		for (; at > 0 && keys[at - 1] > key; at--)
		{
			keys[at] = keys[at - 1];
			if (payloads)
				payloads[at] = payloads[at - 1];
		}
		keys[at] = key;
		if (payloads)
			payloads[at] = payload;
	}
}

/* How many keys have which digit. */
static bool
count_digits(const uint64_t *keys, size_t n, size_t counts[DIGITS][BUCKETS],
			 const EngineHost *host, EngineError *error)
{
	memset(counts, 0, sizeof(size_t) * DIGITS * BUCKETS);
	for (size_t from = 0; from < n; from += CHUNK)
	{
		size_t		to = n - from < CHUNK ? n : from + CHUNK;

		if (!host_continue(host, error))
			return false;
		for (size_t i = from; i < to; i++)
			for (int digit = 0; digit < DIGITS; digit++)
				counts[digit][digit_of(keys[i], digit)]++;
	}
	return true;
}

/* Keys and payloads from one place to the other, by one digit; next [BUCKETS]. */
static void
scatter(const SortRoom *from, const SortRoom *to, size_t first, size_t last, int digit,
		size_t *next)
{
	if (from->payloads)
		for (size_t i = first; i < last; i++)
		{
			size_t		at = next[digit_of(from->keys[i], digit)]++;

			to->keys[at] = from->keys[i];
			to->payloads[at] = from->payloads[i];
		}
	else
		for (size_t i = first; i < last; i++)
			to->keys[next[digit_of(from->keys[i], digit)]++] = from->keys[i];
}

static bool
sort_by_digit(const SortRoom *from, const SortRoom *to, size_t n, int digit,
			  const size_t *counts, const EngineHost *host, EngineError *error)
{
	size_t		next[BUCKETS];
	size_t		sum = 0;

	for (int bucket = 0; bucket < BUCKETS; bucket++)
	{
		next[bucket] = sum;
		sum += counts[bucket];
	}
	for (size_t first = 0; first < n; first += CHUNK)
	{
		if (!host_continue(host, error))
			return false;
		scatter(from, to, first, n - first < CHUNK ? n : first + CHUNK, digit, next);
	}
	return true;
}

bool
sort_keys(uint64_t *keys, uint32_t *payloads, size_t n, SortRoom *room,
		  const EngineHost *host, EngineError *error)
{
	SortRoom	from = {.keys = keys,.payloads = payloads};
	SortRoom	to = {.keys = room->keys,.payloads = payloads ? room->payloads : NULL};
	size_t		counts[DIGITS][BUCKETS];

	if (n <= FEW)
	{
		sort_few(keys, payloads, n);
		return true;
	}
	if (!count_digits(keys, n, counts, host, error))
		return false;
	for (int digit = 0; digit < DIGITS; digit++)
	{
		SortRoom	sorted = to;

		if (counts[digit][digit_of(keys[0], digit)] == n)
			continue;
		if (!sort_by_digit(&from, &to, n, digit, counts[digit], host, error))
			return false;
		to = from;
		from = sorted;
	}
	if (from.keys != keys)
	{
		memcpy(keys, from.keys, n * sizeof(uint64_t));
		if (payloads)
			memcpy(payloads, from.payloads, n * sizeof(uint32_t));
	}
	return true;
}
