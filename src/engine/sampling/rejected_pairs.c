/*
 * rejected_pairs.c
 *	  Pairs of user and item to domains: open addressing over chains.
 */
#include "engine/sampling/rejected_pairs.h"

#include <string.h>

#define FIRST_CAPACITY 1024
/* Entries of a pair that are looked through for the same domain: logs repeat themselves. */
#define LOOK_BACK 8

static bool
alloc_entries(Rejections *rejections, uint32_t capacity, EngineError *error)
{
	rejections->capacity = capacity;
	rejections->entries = ARENA_ARRAY(&rejections->arena, Rejection, capacity);
	rejections->slots = ARENA_ARRAY(&rejections->arena, uint32_t, 2 * (size_t) capacity);
	rejections->mask = 2 * (size_t) capacity - 1;
	return arena_ok(&rejections->arena, error);
}

bool
rejections_init(Rejections *rejections, const Arena *arena, EngineError *error)
{
	*rejections = (Rejections) {0};
	arena_init(&rejections->arena, arena->allocate, arena->release, arena->context);
	return alloc_entries(rejections, FIRST_CAPACITY, error);
}

void
rejections_free(Rejections *rejections)
{
	arena_free_all(&rejections->arena);
}

/* The pair's slot, or the empty one where it would go. */
static size_t
find_slot(const Rejections *rejections, uint32_t user, uint32_t item)
{
	uint64_t	hash = ((uint64_t) user << 32 | item) * 0x9E3779B97F4A7C15u;
	size_t		slot;

	hash ^= hash >> 32;
	hash *= 0xD6E8FEB86659FD93u;
	hash ^= hash >> 32;
	for (slot = hash & rejections->mask; rejections->slots[slot] != 0;
		 slot = (slot + 1) & rejections->mask)
	{
		const Rejection *entry = &rejections->entries[rejections->slots[slot] - 1];

		if (entry->user == user && entry->item == item)
			break;
	}
	return slot;
}

/* Entry number n becomes the first of its pair. */
static void
link_entry(Rejections *rejections, uint32_t n)
{
	Rejection  *entry = &rejections->entries[n];
	size_t		slot = find_slot(rejections, entry->user, entry->item);

	entry->next = rejections->slots[slot];
	rejections->slots[slot] = n + 1;
}

static bool
grow(Rejections *rejections, EngineError *error)
{
	Arena		old = rejections->arena;
	const Rejection *entries = rejections->entries;

	if (rejections->capacity > UINT32_MAX / 4)
		return engine_fail(error, ENGINE_OUT_OF_MEMORY,
						   "Set option \"unpopular_quantile\" or \"minor_share\" lower.",
						   "more than %u negative rows of unpopular items in minor domains",
						   rejections->capacity);
	arena_init(&rejections->arena, old.allocate, old.release, old.context);
	if (!alloc_entries(rejections, 2 * rejections->capacity, error))
	{
		arena_free_all(&old);
		return false;
	}
	memcpy(rejections->entries, entries, rejections->n * sizeof(Rejection));
	for (uint32_t n = 0; n < rejections->n; n++)
		link_entry(rejections, n);
	arena_free_all(&old);
	return true;
}

bool
rejections_add(Rejections *rejections, uint32_t user, uint32_t item, uint32_t domain,
			   EngineError *error)
{
	/* (0: none) */
	uint32_t	number = rejections->slots[find_slot(rejections, user, item)];

	for (int i = 0; number > 0 && i < LOOK_BACK; i++)
	{
		const Rejection *entry = &rejections->entries[number - 1];

		if (entry->domain == domain)
			return true;
		number = entry->next;
	}
	if (rejections->n == rejections->capacity && !grow(rejections, error))
		return false;
	rejections->entries[rejections->n] = (Rejection) {.user = user,.item = item,
		.domain = domain};
	link_entry(rejections, rejections->n++);
	return true;
}

const Rejection *
rejections_find(const Rejections *rejections, uint32_t user, uint32_t item)
{
	uint32_t	number = rejections->slots[find_slot(rejections, user, item)];

	return number > 0 ? &rejections->entries[number - 1] : NULL;
}
