/*
 * stacking.h
 *	  Trees beside the network, and what each of both counts in a score.
 */
#ifndef AREAD_ENGINE_TRAIN_STACKING_H
#define AREAD_ENGINE_TRAIN_STACKING_H

#include "engine/train/trainer.h"

/*
 * Fit trees to the training rows, and weigh their logit against that of the
 * network, whose scores are calibrated already.  Both go into the model if the
 * validation rows gain; else it stays as it is.
 */
extern bool stacking_fit(Trainer *trainer, EngineError *error);

#endif							/* AREAD_ENGINE_TRAIN_STACKING_H */
