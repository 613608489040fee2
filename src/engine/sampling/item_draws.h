/*
 * item_draws.h
 *	  Items of a domain's training rows, drawn for users who have not taken them.
 */
#ifndef AREAD_ENGINE_SAMPLING_ITEM_DRAWS_H
#define AREAD_ENGINE_SAMPLING_ITEM_DRAWS_H

#include "engine/base/random.h"
#include "engine/data/taken.h"
#include "engine/model/config.h"

/* Positive training rows of each domain, those of domains without a number first. */
typedef struct ItemPool
{
	size_t	   *start;			/* [D + 2]; NULL: nothing is drawn from it */
	uint32_t   *rows;
	bool	   *varied;			/* [D + 1] of more than one item */
} ItemPool;

typedef struct ItemDraws
{
	const Dataset *data;
	const EngineHost *host;
	ItemPool	pools[2];		/* NEGATIVES_POPULARITY, NEGATIVES_UNIFORM */
	Taken		taken;			/* what is never drawn: the caller adds it */
	Random		random;			/* the caller starts it */
	size_t		tries;			/* so far */
} ItemDraws;

/* Number of a row's pool. */
static inline size_t
item_pool_of(const Dataset *data, size_t row)
{
	return dataset_domain(data, row) + 1;
}

/*
 * Pools of the items of "data"'s positive training rows, for draws in these ways (n of
 * them).  Nothing is taken yet, and there is room for as many rows as data has.  Errors:
 * lack of memory, ENGINE_INTERRUPTED.
 */
extern bool item_draws_init(ItemDraws *draws, Arena *arena, const Dataset *data,
							const NegativeSampling *ways, int n, const EngineHost *host,
							EngineError *error);
/* The pool of the next draw; of mixed ones a coin says which. */
extern const ItemPool *item_draws_pool(ItemDraws *draws, NegativeSampling way);
/* Is there an item to draw for a row, taken or not? */
extern bool item_draws_any(const ItemDraws *draws, const ItemPool *pool, size_t row);
/*
 * A row whose item the user of "row" has not taken -> *from, *found; at most some tries.
 * False: the host wants to stop.
 */
extern bool item_draws_next(ItemDraws *draws, const ItemPool *pool, size_t row, uint32_t *from,
							bool *found, EngineError *error);

#endif							/* AREAD_ENGINE_SAMPLING_ITEM_DRAWS_H */
