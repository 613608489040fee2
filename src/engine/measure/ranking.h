/*
 * ranking.h
 *	  How good one ranked list is: NDCG, and recall, precision, hit rate, average
 *	  precision and reciprocal rank of its first k rows.
 *
 * Rows are ranked by score, the highest first.  Rows of equal score have no
 * order: each measure is its mean over all orders of them, as in McSherry and
 * Najork, "Computing information retrieval performance measures efficiently
 * in the presence of tied scores", 2008.  k 0 means all rows.
 */
#ifndef AREAD_ENGINE_MEASURE_RANKING_H
#define AREAD_ENGINE_MEASURE_RANKING_H

#include <math.h>

#include "engine/base/base.h"

/* What a gain counts in a place, from 0. */
static inline double
ranking_discount(size_t place)
{
	return 1 / log2((double) place + 2);
}

/* Places that count among n. */
static inline size_t
ranking_places(size_t n, uint64_t k)
{
	return k == 0 || k > n ? n : (size_t) k;
}

/* Rows of one score, in places first .. first + n - 1: which of them has which is not known. */
typedef struct Tie
{
	size_t		first;			/* from 0 */
	size_t		n;
	size_t		counted;		/* of its places: those among the first k */
	size_t		positives;		/* of its rows */
} Tie;

static inline Tie
tie_of(size_t first, size_t n, size_t k, size_t positives)
{
	return (Tie) {.first = first,.n = n,
		.counted = first >= k ? 0 : n < k - first ? n : k - first,.positives = positives};
}

/* Positives in the places that count, on average over all orders. */
static inline double
tie_positives(const Tie *tie)
{
	return (double) tie->positives * (double) tie->counted / (double) tie->n;
}

/* What a gain counts in the places that count -> *sum; over n it is the mean of a tied row. */
extern bool tie_discounts(const Tie *tie, double *sum, const EngineHost *host,
						  EngineError *error);

/*
 * Discounted cumulative gain, gain / log2(rank + 1), over that of the best
 * order.  scores (no NaN) and gains (finite, from 0 up) are [n], n below 2^32.
 * *ndcg is NaN where no gain is above 0.  Errors: lack of memory,
 * ENGINE_INTERRUPTED.
 */
extern bool ranking_ndcg(Arena *arena, const double *scores, const double *gains, size_t n,
						 uint64_t k, double *ndcg, const EngineHost *host,
						 EngineError *error);

/* Measures of labels by place. */
typedef enum RankingKind
{
	RANKING_RECALL,				/* positives among the first k over all positives */
	RANKING_PRECISION,			/* positives among the first k over k, rows or not */
	RANKING_HIT_RATE,			/* 1: there is a positive among the first k */
	/* at each positive among the first k: precision up to it; over all positives, or k if that is less */
	RANKING_AVERAGE_PRECISION,
	RANKING_RECIPROCAL_RANK		/* 1 / rank of the first positive, if it is among the first k */
} RankingKind;

/*
 * scores (no NaN) and labels are [n], n below 2^32; k 0: all rows.  *value is NaN
 * where there is no positive row, of precision where there is no row.  Errors as above.
 */
extern bool ranking_measure(RankingKind kind, Arena *arena, const double *scores,
							const uint8_t *labels, size_t n, uint64_t k, double *value,
							const EngineHost *host, EngineError *error);

#endif							/* AREAD_ENGINE_MEASURE_RANKING_H */
