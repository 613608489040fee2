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

/* p -> sigmoid(exp(log_scale) logit(p) + shift); zeros leave p as it is. */
typedef struct Calibration
{
	double		log_scale;
	double		shift;
} Calibration;

extern double calibrate(const Calibration *calibration, double probability);

/* 1 / (1 + exp(-x)), without overflow. */
extern double sigmoid(double x);
/* log(p / (1 - p)); p is kept within [1e-15, 1 - 1e-15], so it is finite. */
extern double logit_of(double probability);

/*
 * The map that gives the labels [n] the highest likelihood, each row's
 * weighted by weights [n] (NULL: 1 each), under a normal prior of deviation 1
 * around no change, so that few rows change little.  *calibration, what is
 * known before any row is looked at, is applied first and becomes part of the
 * result; with one class only it stays as it is.  Errors: ENGINE_INTERRUPTED.
 */
extern bool calibration_fit(const double *probabilities, const uint8_t *labels,
							const float *weights, size_t n, Calibration *calibration,
							const EngineHost *host, EngineError *error);

#endif							/* AREAD_ENGINE_MEASURE_CALIBRATION_H */
