/*
 * prior.h
 *	  The rate of positives: what is known of a row before anything is looked at.
 */
#ifndef AREAD_ENGINE_TREES_PRIOR_H
#define AREAD_ENGINE_TREES_PRIOR_H

#include <math.h>

#include "engine/base/base.h"

/* It is so far from 0 and 1 at least: its logit is finite. */
#define MIN_PRIOR 1e-6

/* Weighted share of label 1 among n rows; NaN where none has a weight.  weights NULL: 1 each. */
static inline double
prior_rate(const uint8_t *labels, const float *weights, size_t n)
{
	double		weight[2] = {0, 0};

	for (size_t row = 0; row < n; row++)
		weight[labels[row] != 0] += weights ? weights[row] : 1;
	if (!(weight[0] + weight[1] > 0))
		return NAN;
	return fmin(fmax(weight[1] / (weight[0] + weight[1]), MIN_PRIOR), 1 - MIN_PRIOR);
}

#endif							/* AREAD_ENGINE_TREES_PRIOR_H */
