/*
 * setup.h
 *	  A trainer, ready for its first batch or for a checkpoint.
 */
#ifndef AREAD_ENGINE_TRAIN_SETUP_H
#define AREAD_ENGINE_TRAIN_SETUP_H

#include "engine/train/trainer.h"

/*
 * Allocate and initialize what follows from arena, config, data, team, host and
 * observer, which are set.  Errors: lack of memory, ENGINE_INTERRUPTED, sizes
 * that overflow.
 */
extern bool trainer_init(Trainer *trainer, EngineError *error);

#endif							/* AREAD_ENGINE_TRAIN_SETUP_H */
