/*
 * epochs.h
 *	  A network's training, batch by batch.
 */
#ifndef AREAD_ENGINE_TRAIN_EPOCHS_H
#define AREAD_ENGINE_TRAIN_EPOCHS_H

#include "engine/train/trainer.h"

/* From a position to the trainer's last epoch, or to where it stops before. */
extern bool trainer_run(Trainer *trainer, TrainPosition position, EngineError *error);

#endif							/* AREAD_ENGINE_TRAIN_EPOCHS_H */
