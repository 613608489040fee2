/*
 * checkpoint.h
 *	  All that a training needs to go on from where it was, to the same model
 *	  as if it had never stopped.
 *
 * What a dataset and a configuration give again (ids, counts, augmented rows,
 * orders of rows, random numbers) is not part of it.
 */
#ifndef AREAD_ENGINE_TRAIN_CHECKPOINT_H
#define AREAD_ENGINE_TRAIN_CHECKPOINT_H

#include "engine/train/trainer.h"

/* Keep a checkpoint if one is due. */
extern bool checkpoint_offer(Trainer *trainer, TrainPosition position, EngineError *error);
/*
 * Go on from the checkpoint in the trainer's store: all of a trainer that
 * trainer_init() has set up, and where it was.  Errors: those of load();
 * ENGINE_CORRUPT.
 */
extern bool checkpoint_resume(Trainer *trainer, TrainPosition *position, EngineError *error);

#endif							/* AREAD_ENGINE_TRAIN_CHECKPOINT_H */
