/*
 * rejected_pairs.h
 *	  Which domains hold a pair of user and item as a negative: those that are
 *	  not to be told the opposite.
 */
#ifndef AREAD_ENGINE_SAMPLING_REJECTED_PAIRS_H
#define AREAD_ENGINE_SAMPLING_REJECTED_PAIRS_H

#include "engine/base/base.h"

typedef struct Rejection
{
	uint32_t	user;
	uint32_t	item;
	uint32_t	domain;
	uint32_t	next;			/* of the same pair: its number + 1; 0: none */
} Rejection;

/* 24 bytes for each entry there is room for. */
typedef struct Rejections
{
	Arena		arena;			/* its own, so that growing frees what it had */
	uint32_t	n;
	uint32_t	capacity;
	Rejection  *entries;		/* [capacity] */
	size_t		mask;			/* slots - 1 */
	uint32_t   *slots;			/* by pair: number + 1 of its first entry; 0: empty */
} Rejections;

/* An empty set, with memory from where "arena" has its own; rejections_free() gives it back. */
extern bool rejections_init(Rejections *rejections, const Arena *arena, EngineError *error);
extern void rejections_free(Rejections *rejections);
/* The same domain may be there twice for a pair. */
extern bool rejections_add(Rejections *rejections, uint32_t user, uint32_t item,
						   uint32_t domain, EngineError *error);
/* The pair's first entry, or NULL. */
extern const Rejection *rejections_find(const Rejections *rejections, uint32_t user,
										uint32_t item);

/* The pair's next entry, or NULL. */
static inline const Rejection *
rejections_next(const Rejections *rejections, const Rejection *entry)
{
	return entry->next > 0 ? &rejections->entries[entry->next - 1] : NULL;
}

#endif							/* AREAD_ENGINE_SAMPLING_REJECTED_PAIRS_H */
