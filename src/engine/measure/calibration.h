/*
 * calibration.h
 *	  Scores that are probabilities: an affine map of their logits, fitted to
 *	  rows that the network was not trained on (Platt, "Probabilistic outputs
 *	  for support vector machines", 1999).
 *
 * The map rises, so the order of scores, and every AUC, stays as it is, but
 * for scores so near to 0 or 1 that they become equal.
 */
#ifndef AREAD_ENGINE_MEASURE_CALIBRATION_H
#define AREAD_ENGINE_MEASURE_CALIBRATION_H

#include "engine/base/base.h"

/*
 * p -> sigmoid(exp(log_scale) logit(p) + trees_weight t + shift), t being the logit of
 * the model's trees; zeros leave p as it is.
 */
typedef struct Calibration
{
	double		log_scale;
	double		shift;
	double		trees_weight;	/* not below 0; 0: there are no trees */
} Calibration;

extern double calibrate(const Calibration *calibration, double probability, double trees_logit);

/* 1 / (1 + exp(-x)), without overflow. */
extern double sigmoid(double x);
/* log(p / (1 - p)); p is kept within [1e-15, 1 - 1e-15], so it is finite. */
extern double logit_of(double probability);

/*
 * The map that gives the labels [n] the highest likelihood, each row's
 * weighted by weights [n] (NULL: 1 each), under a normal prior of deviation 1
 * around no change, so that few rows change little.  *calibration, what is
 * known before any row is looked at, is applied first and becomes part of the
 * result; with one class only it stays as it is.  Trees are not looked at: measure/stack.h
 * weighs them.  Errors: ENGINE_INTERRUPTED.
 */
extern bool calibration_fit(const double *probabilities, const uint8_t *labels,
							const float *weights, size_t n, Calibration *calibration,
							const EngineHost *host, EngineError *error);

/*
 * Newton's method for such a map, for callers that have logits: the penalized
 * loss' gradient and Hessian at (scale, shift).
 */
typedef struct PlattSums
{
	double		gradient[2];	/* by scale, by shift */
	double		hessian[3];		/* of scale, of both, of shift */
} PlattSums;

/* What the prior adds at (scale, shift). */
static inline PlattSums
platt_prior(double scale, double shift)
{
	return (PlattSums) {.gradient = {scale - 1, shift},.hessian = {1, 0, 1}};
}

/* A row of logit x, whose mapped score is p. */
static inline void
platt_add(PlattSums *sums, double x, double p, int label, double weight)
{
	double		g = weight * (p - label);
	double		h = weight * p * (1 - p);

	sums->gradient[0] += g * x;
	sums->gradient[1] += g;
	sums->hessian[0] += h * x * x;
	sums->hessian[1] += h * x;
	sums->hessian[2] += h;
}

/* Scores as bad as chance keep their order: no scale is below. */
#define PLATT_MIN_SCALE 0.05

/*
 * Newton's step, to be subtracted from scale and shift; where the scale is at its bound and
 * would go below, along the shift alone.
 */
extern void platt_step(const PlattSums *sums, double scale, double *d_scale, double *d_shift);

#endif							/* AREAD_ENGINE_MEASURE_CALIBRATION_H */
