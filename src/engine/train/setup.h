/*
 * setup.h
 *	  A trainer, ready for its first batch or for a checkpoint.
 */
#ifndef AREAD_ENGINE_TRAIN_SETUP_H
#define AREAD_ENGINE_TRAIN_SETUP_H

#include "engine/train/trainer.h"

/*
 * What all networks of a training have: from lasting, config (of one of them, for the options
 * that they share), data, host, which are set.  Errors: lack of memory, ENGINE_INTERRUPTED.
 */
extern bool trainer_prepare(Trainer *trainer, EngineError *error);
/*
 * A network in an arena, in place of the one before, whose memory is the caller's to give
 * back.  Errors: lack of memory, ENGINE_INTERRUPTED, sizes that overflow.
 */
extern bool trainer_begin(Trainer *trainer, Arena *arena, const Config *config,
						  EngineError *error);

#endif							/* AREAD_ENGINE_TRAIN_SETUP_H */
