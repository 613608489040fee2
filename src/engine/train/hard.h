/*
 * hard.h
 *	  Negatives that each step draws anew: those that the present network takes for positive
 *	  (Zhang et al., "Optimizing top-N collaborative filtering via dynamic negative item
 *	  sampling", 2013).
 *
 * A draw is one of the seed and the number of the batch, and scores are those of the
 * parameters before the step: there is nothing to keep in checkpoints.
 */
#ifndef AREAD_ENGINE_TRAIN_HARD_H
#define AREAD_ENGINE_TRAIN_HARD_H

#include "engine/train/trainer.h"

/*
 * -> trainer->hard, which stays NULL if the configuration asks for none.  After the network
 * and its batch.  Errors: lack of memory, ENGINE_INTERRUPTED.
 */
extern bool hard_negatives_init(Trainer *trainer, EngineError *error);
/*
 * Other items for sampled negatives of a training batch that is filled and has its masks.
 * One for which none is found stays as it is.  Errors: ENGINE_INTERRUPTED.
 */
extern bool hard_negatives_draw(Trainer *trainer, Batch *batch, EngineError *error);

#endif							/* AREAD_ENGINE_TRAIN_HARD_H */
