/*
 * ranking.h
 *	  How good one ranked list is: NDCG and recall of its first k rows.
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

/*
 * Discounted cumulative gain, gain / log2(rank + 1), over that of the best
 * order.  scores (no NaN) and gains (finite, from 0 up) are [n], n below 2^32.
 * *ndcg is NaN where no gain is above 0.  Errors: lack of memory,
 * ENGINE_INTERRUPTED.
 */
extern bool ranking_ndcg(Arena *arena, const double *scores, const double *gains, size_t n,
						 uint64_t k, double *ndcg, const EngineHost *host,
						 EngineError *error);

/*
 * Positives among the first k rows over all positives; labels are [n].
 * *recall is NaN where there is none.  Errors as above.
 */
extern bool ranking_recall(Arena *arena, const double *scores, const uint8_t *labels,
						   size_t n, uint64_t k, double *recall, const EngineHost *host,
						   EngineError *error);

#endif							/* AREAD_ENGINE_MEASURE_RANKING_H */
