/*
 * schedule.h
 *	  In which order units are trained on, when the strategy is due, and when
 *	  validation rows are scored.
 *
 * All of it follows from the configuration and the training rows, so a
 * resumed training can check what its checkpoint says.
 */
#ifndef AREAD_ENGINE_TRAIN_SCHEDULE_H
#define AREAD_ENGINE_TRAIN_SCHEDULE_H

#include "engine/train/trainer.h"

/* Batches of an epoch. */
extern uint64_t trainer_epoch_batches(const Trainer *trainer);
/* The strategy's updates that are due by the end of so many batches of the training. */
extern uint64_t trainer_updates_due(const Trainer *trainer, uint64_t batches);
/* Evaluations that are due by the end of so many batches of an epoch. */
extern uint64_t trainer_evaluations(const Trainer *trainer, uint64_t batch);
/* An epoch's units (units.h) in an order of its own, all domains mixed -> order. */
extern void trainer_mixed_order(Trainer *trainer, int epoch, uint32_t *order);

#endif							/* AREAD_ENGINE_TRAIN_SCHEDULE_H */
