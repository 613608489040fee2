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

#include "engine/train/race_state.h"

/* Keep a checkpoint if one is due. */
extern bool checkpoint_offer(Trainer *trainer, TrainPosition position, EngineError *error);
/* Where the race of its training stood, before there is a network. */
extern bool checkpoint_race(const Trainer *trainer, RaceState *state, EngineError *error);
/*
 * Go on from the checkpoint in the trainer's store: all of a trainer that
 * trainer_begin() has set up, and where it was.  Errors: those of load();
 * ENGINE_CORRUPT.
 */
extern bool checkpoint_resume(Trainer *trainer, TrainPosition *position, EngineError *error);

#endif							/* AREAD_ENGINE_TRAIN_CHECKPOINT_H */
