/*
 * stacking.h
 *	  Trees beside the network, and what each of both counts in a score.
 */
#ifndef AREAD_ENGINE_TRAIN_STACKING_H
#define AREAD_ENGINE_TRAIN_STACKING_H

#include "engine/train/trainer.h"

/*
 * Fit trees to the training rows; trainer->stacking has them then, unless there are
 * none to be tried.  The same rows and options give the same trees, so that a training
 * that resumes fits them again.
 */
extern bool stacking_fit(Trainer *trainer, EngineError *error);
/*
 * Until stacking_finish(), the network's scores of the validation rows become those of
 * network and trees together, weighed as they would be if training ended now; those of
 * other rows stay.
 */
extern bool stacking_add(const Trainer *trainer, Split split, double *scores,
						 EngineError *error);
/* Did trees count when that was done last? */
extern bool stacking_counts(const Trainer *trainer);
/*
 * The trees go into the model, whose scores are calibrated already, if the validation
 * rows gain; else it stays as it is.
 */
extern bool stacking_finish(Trainer *trainer, EngineError *error);

#endif							/* AREAD_ENGINE_TRAIN_STACKING_H */
