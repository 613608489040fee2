/*
 * reliability.h
 *	  Are probabilities what they say?  Rows in bins by their score, and in each
 *	  bin the share of positives beside the mean score.
 */
#ifndef AREAD_ENGINE_MEASURE_RELIABILITY_H
#define AREAD_ENGINE_MEASURE_RELIABILITY_H

#include "engine/base/base.h"

typedef enum BinStrategy
{
	BINS_QUANTILE,				/* as many rows in each */
	BINS_UNIFORM				/* of the same width */
} BinStrategy;

typedef struct ReliabilityBin
{
	int			bin;			/* from 1 */
	uint64_t	rows;
	uint64_t	positives;
	double		lowest;			/* scores */
	double		highest;
	double		mean_score;
} ReliabilityBin;

/*
 * Of n_bins bins those that have rows, in ascending order: bins [n_bins],
 * *n_filled of them set.  scores (within [0, 1]) and labels are [n].
 *
 * Rows of equal score are always in one bin.  Uniform: bin b holds scores
 * above (b - 1) / n_bins, up to b / n_bins; 0 is in the first.  Quantile: the
 * first b bins end with the row of rank floor(b (n - 1) / n_bins), counted
 * from 0, and those level with it.  Errors: lack of memory,
 * ENGINE_INTERRUPTED.
 */
extern bool reliability_bins(Arena *arena, const double *scores, const uint8_t *labels,
							 size_t n, int n_bins, BinStrategy strategy,
							 ReliabilityBin *bins, int *n_filled, const EngineHost *host,
							 EngineError *error);

#endif							/* AREAD_ENGINE_MEASURE_RELIABILITY_H */
