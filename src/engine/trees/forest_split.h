/*
 * forest_split.h
 *	  Histograms of a node's rows by an input's bins, and the best split by them.
 *
 * Derivatives are in fixed point, so that sums are exact: they do not depend on
 * the order of rows, and what is left of a node without one of its halves is
 * the other half.
 */
#ifndef AREAD_ENGINE_TREES_FOREST_SPLIT_H
#define AREAD_ENGINE_TREES_FOREST_SPLIT_H

#include "engine/trees/forest_bins.h"

/* Inputs whose histograms are made together. */
#define SPLIT_GROUP 4

/* Of a row's loss by its logit: weight (p - y) and weight p (1 - p). */
typedef struct Derivatives
{
	int32_t		slope;
	int32_t		bend;
} Derivatives;

typedef struct DerivativeSums
{
	int64_t		slope;
	int64_t		bend;
} DerivativeSums;

typedef DerivativeSums Histogram[FOREST_BINS];

/* What splits have to meet, in units of the derivatives. */
typedef struct SplitRule
{
	double		lambda;
	double		min_bend;		/* of either side */
	double		min_gain;
} SplitRule;

/* Rows of bins up to "bin" go left. */
typedef struct Split
{
	double		gain;			/* of both sides' Newton steps, twice; 0: there is no split */
	int			bin;
	DerivativeSums left;
} Split;

static inline DerivativeSums
sums_less(DerivativeSums all, DerivativeSums part)
{
	return (DerivativeSums) {all.slope - part.slope, all.bend - part.bend};
}

/* Newton's step of the logits of a node's rows. */
static inline double
newton_step(DerivativeSums sums, double lambda)
{
	return -(double) sums.slope / ((double) sums.bend + lambda);
}

/*
 * Add n rows to SPLIT_GROUP histograms.  columns: the inputs' bins, which rows
 * [n] point into; derivatives [n] are in the order of rows.
 */
extern void histograms_add(Histogram *histograms, const uint8_t *const *columns,
						   const uint32_t *rows, const Derivatives *derivatives, size_t n);
/* Take SPLIT_GROUP histograms out of others. */
extern void histograms_subtract(Histogram *histograms, const Histogram *parts);
/*
 * The split of largest gain, the lowest bin's among equals.  What a Newton step
 * gains is slope^2 / (bend + lambda) / 2, and both sides together have to gain more
 * than all rows (Chen and Guestrin, "XGBoost: a scalable tree boosting system", KDD
 * 2016).  all: the sums of all bins.
 */
extern Split histogram_split(const DerivativeSums *histogram, int n_bins, DerivativeSums all,
							 const SplitRule *rule);

#endif							/* AREAD_ENGINE_TREES_FOREST_SPLIT_H */
