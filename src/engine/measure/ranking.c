/*
 * ranking.c
 *	  NDCG.
 */
#include "engine/measure/ranking.h"

#include "engine/base/sort.h"

/* Rows between two looks at the host. */
#define CHUNK ((size_t) 1 << 20)

/* Rows in order: the last of keys [n], which ascend, has the first place. */
typedef struct RankedList
{
	size_t		n;
	size_t		k;
	uint64_t   *keys;
	uint32_t   *rows;			/* [n] whose keys they are */
	const double *gains;		/* of rows */
	double		highest;		/* gain */
} RankedList;

bool
tie_discounts(const Tie *tie, double *sum, const EngineHost *host, EngineError *error)
{
	*sum = 0;
	for (size_t i = 0; i < tie->counted; i++)
	{
		if (i % CHUNK == CHUNK - 1 && !host_continue(host, error))
			return false;
		*sum += ranking_discount(tie->first + i);
	}
	return true;
}

/* Gain of the first k places, as a multiple of the highest of a row. */
static bool
list_gain(const RankedList *list, double *sum, const EngineHost *host, EngineError *error)
{
	size_t		last = list->n - 1;

	*sum = 0;
	for (size_t first = 0, place = 0; first < list->k; first = place)
	{
		uint64_t	key = list->keys[last - first];
		double		gain = 0;
		double		discounts;
		Tie			tie;

		for (; place < list->n && list->keys[last - place] == key; place++)
		{
			if (place % CHUNK == 0 && !host_continue(host, error))
				return false;
			gain += list->gains[list->rows[last - place]] / list->highest;
		}
		tie = tie_of(first, place - first, list->k, 0);
		if (!tie_discounts(&tie, &discounts, host, error))
			return false;
		*sum += gain / (double) tie.n * discounts;
	}
	return true;
}

/*
 * Gain of the best order, then of that by score.  Sorting keeps the order of
 * ties, which is that of gains, so that no sum depends on the order of rows.
 */
static bool
both_gains(RankedList *list, const double *scores, SortRoom *room, double *best,
		   double *ranked, const EngineHost *host, EngineError *error)
{
	for (size_t i = 0; i < list->n; i++)
	{
		list->keys[i] = sort_key(list->gains[i]);
		list->rows[i] = (uint32_t) i;
	}
	if (!sort_keys(list->keys, list->rows, list->n, room, host, error) ||
		!list_gain(list, best, host, error))
		return false;
	for (size_t i = 0; i < list->n; i++)
	{
		if (i % CHUNK == 0 && !host_continue(host, error))
			return false;
		list->keys[i] = sort_key(scores[list->rows[i]]);
	}
	return sort_keys(list->keys, list->rows, list->n, room, host, error) &&
		list_gain(list, ranked, host, error);
}

bool
ranking_ndcg(Arena *arena, const double *scores, const double *gains, size_t n, uint64_t k,
			 double *ndcg, const EngineHost *host, EngineError *error)
{
	struct ArenaBlock *mark = arena_mark(arena);
	RankedList	list = {.n = n,.k = ranking_places(n, k),.gains = gains};
	SortRoom	room;
	double		best;
	double		ranked;

	*ndcg = NAN;
	list.keys = ARENA_ARRAY(arena, uint64_t, n);
	list.rows = ARENA_ARRAY(arena, uint32_t, n);
	if (!arena_ok(arena, error) || !sort_room(&room, arena, n, true, error))
		return false;
	for (size_t i = 0; i < n; i++)
		list.highest = fmax(list.highest, gains[i]);
	if (list.highest > 0)
	{
		if (!both_gains(&list, scores, &room, &best, &ranked, host, error))
			return false;
		*ndcg = ranked / best;
	}
	arena_reset_to(arena, mark);
	return true;
}
