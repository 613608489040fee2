/*
 * schedule.h
 *	  When masks are updated, when validation rows are scored, and when training
 *	  ends.
 *
 * All of it follows from the configuration and the number of training rows, but
 * for patience, so a resumed training can check what its checkpoint says.
 */
#ifndef AREAD_ENGINE_TRAIN_SCHEDULE_H
#define AREAD_ENGINE_TRAIN_SCHEDULE_H

#include "engine/train/trainer.h"

/* Batches of an epoch. */
extern uint64_t trainer_epoch_batches(const Trainer *trainer);
/* Mask updates that are due by the end of so many batches of the training. */
extern uint64_t trainer_mask_updates(const Trainer *trainer, uint64_t batches);
/* Is one due after the batch just trained? */
extern bool trainer_masks_due(const Trainer *trainer);
/* Evaluations that are due by the end of so many batches of an epoch. */
extern uint64_t trainer_evaluations(const Trainer *trainer, uint64_t batch);
extern bool trainer_out_of_patience(const Trainer *trainer);

#endif							/* AREAD_ENGINE_TRAIN_SCHEDULE_H */
