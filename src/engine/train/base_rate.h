/*
 * base_rate.h
 *	  Shares of positives: weighted in the loss, taken out of the scores again,
 *	  or set to what they will be.
 */
#ifndef AREAD_ENGINE_TRAIN_BASE_RATE_H
#define AREAD_ENGINE_TRAIN_BASE_RATE_H

#include "engine/train/trainer.h"

/*
 * Positive rows count positive_weight times what they would; the mean weight of
 * training rows stays 1, so that L2 keeps its meaning.
 */
extern bool base_rate_weigh(Trainer *trainer, EngineError *error);
/*
 * Scores that are probabilities: without the positives' weight, which only the
 * loss is to know, and true to the validation rows.
 */
extern bool base_rate_calibrate(Trainer *trainer, EngineError *error);
/* What it would make of the network's scores of the validation rows, [their number]. */
extern bool base_rate_calibration(const Trainer *trainer, const double *scores,
								  Calibration *calibration, EngineError *error);
/* Weights of a split's rows as the source has them, [its rows]; NULL: 1 each. */
extern const float *base_rate_source_weights(const Trainer *trainer, Split split);
/* Scores for rows of another share of positives, if base_rate says so. */
extern bool base_rate_set(Trainer *trainer, EngineError *error);

#endif							/* AREAD_ENGINE_TRAIN_BASE_RATE_H */
