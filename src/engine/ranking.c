/*
 * ranking.c
 *	  NDCG and recall.
 */
#include "ranking.h"

#include <math.h>

#include "sort.h"

/* Rows between two looks at the host. */
#define CHUNK ((size_t) 1 << 20)

static inline double
discount(size_t place)
{
	return 1 / log2((double) place + 2);
}

/* Places that count among n. */
static size_t
places(size_t n, uint64_t k)
{
	return k == 0 || k > n ? n : (size_t) k;
}

/* The best order: gains [n] ascending, taken from the end. */
static bool
best_gain(const double *gains, size_t n, size_t k, double *sum, const EngineHost *host,
		  EngineError *error)
{
	*sum = 0;
	for (size_t place = 0; place < k && gains[n - 1 - place] > 0; place++)
	{
		if (place % CHUNK == 0 && !host_continue(host, error))
			return false;
		*sum += gains[n - 1 - place] * discount(place);
	}
	return true;
}

/* The order by score: keys and gains [n] ascending by key, taken from the end. */
static bool
ranked_gain(const uint64_t *keys, const double *gains, const uint32_t *order, size_t n,
			size_t k, double *sum, const EngineHost *host, EngineError *error)
{
	*sum = 0;
	for (size_t place = 0; place < k;)
	{
		uint64_t	key = keys[n - 1 - place];
		size_t		tied = 0;
		double		tied_gain = 0;
		double		discounts = 0;

		for (; place < n && keys[n - 1 - place] == key; place++, tied++)
		{
			if (place % CHUNK == 0 && !host_continue(host, error))
				return false;
			tied_gain += gains[order[n - 1 - place]];
			if (place < k)
				discounts += discount(place);
		}
		*sum += tied_gain / (double) tied * discounts;
	}
	return true;
}

/* Gains, as shares of the highest, ascending, and the keys of their scores. */
static bool
sort_by_gain(const double *scores, const double *gains, size_t n, uint64_t *keys,
			 uint32_t *order, double *sorted_gains, SortRoom *room, const EngineHost *host,
			 EngineError *error)
{
	for (size_t i = 0; i < n; i++)
	{
		keys[i] = sort_key(gains[i]);
		order[i] = (uint32_t) i;
	}
	if (!sort_keys(keys, order, n, room, host, error))
		return false;
	for (size_t i = 0; i < n; i++)
	{
		sorted_gains[i] = gains[order[i]] / gains[order[n - 1]];
		keys[i] = sort_key(scores[order[i]]);
	}
	for (size_t i = 0; i < n; i++)
		order[i] = (uint32_t) i;
	return true;
}

static double
highest(const double *values, size_t n)
{
	double		max = 0;

	for (size_t i = 0; i < n; i++)
		max = fmax(max, values[i]);
	return max;
}

bool
ranking_ndcg(Arena *arena, const double *scores, const double *gains, size_t n, uint64_t k,
			 double *ndcg, const EngineHost *host, EngineError *error)
{
	struct ArenaBlock *mark = arena_mark(arena);
	uint64_t   *keys = ARENA_ARRAY(arena, uint64_t, n);
	uint32_t   *order = ARENA_ARRAY(arena, uint32_t, n);
	double	   *sorted_gains = ARENA_ARRAY(arena, double, n);
	SortRoom	room;
	double		best;
	double		ranked;

	*ndcg = NAN;
	if (!arena_ok(arena, error) || !sort_room(&room, arena, n, true, error))
		return false;

	/*
	 * Sorted by gain first: the best order, and, as sorting by score keeps the
	 * order of ties, sums that do not depend on the order of rows.
	 */
	if (highest(gains, n) > 0)
	{
		if (!sort_by_gain(scores, gains, n, keys, order, sorted_gains, &room, host, error) ||
			!best_gain(sorted_gains, n, places(n, k), &best, host, error) ||
			!sort_keys(keys, order, n, &room, host, error) ||
			!ranked_gain(keys, sorted_gains, order, n, places(n, k), &ranked, host, error))
			return false;
		*ndcg = ranked / best;
	}
	arena_reset_to(arena, mark);
	return true;
}

/* Positives in the first k places of keys and labels [n], ascending. */
static double
positives_above(const uint64_t *keys, const uint32_t *labels, size_t n, size_t k)
{
	double		found = 0;

	for (size_t place = 0; place < k;)
	{
		uint64_t	key = keys[n - 1 - place];
		size_t		first = place;
		double		positives = 0;

		for (; place < n && keys[n - 1 - place] == key; place++)
			positives += labels[n - 1 - place];
		/* of ties at the border each has the same chance of a place */
		if (place > k)
			positives *= (double) (k - first) / (double) (place - first);
		found += positives;
	}
	return found;
}

bool
ranking_recall(Arena *arena, const double *scores, const uint8_t *labels, size_t n,
			   uint64_t k, double *recall, const EngineHost *host, EngineError *error)
{
	struct ArenaBlock *mark = arena_mark(arena);
	uint64_t   *keys = ARENA_ARRAY(arena, uint64_t, n);
	uint32_t   *sorted_labels = ARENA_ARRAY(arena, uint32_t, n);
	SortRoom	room;
	double		positives = 0;

	*recall = NAN;
	if (!arena_ok(arena, error) || !sort_room(&room, arena, n, true, error))
		return false;
	for (size_t i = 0; i < n; i++)
	{
		keys[i] = sort_key(scores[i]);
		sorted_labels[i] = labels[i];
		positives += labels[i];
	}
	if (!sort_keys(keys, sorted_labels, n, &room, host, error))
		return false;
	if (positives > 0)
		*recall = positives_above(keys, sorted_labels, n, places(n, k)) / positives;
	arena_reset_to(arena, mark);
	return true;
}
