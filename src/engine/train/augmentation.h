/*
 * augmentation.h
 *	  Augmented rows of a training: positive rows of major domains that stand in for
 *	  minor ones in the mask search (sampling/augment.h).
 *
 * By counts and rates they are drawn once.  By score they are drawn anew before each mask
 * update, by the same random numbers but by what the network has learnt until then, and
 * there are none before the first update.
 */
#ifndef AREAD_ENGINE_TRAIN_AUGMENTATION_H
#define AREAD_ENGINE_TRAIN_AUGMENTATION_H

#include "engine/train/part_list.h"
#include "engine/train/trainer.h"

/* Set trainer->augmentation; it stays NULL without an item or a ratio above 0. */
extern bool augmentation_init(Trainer *trainer, EngineError *error);
/*
 * By score: draw under the present parameters and masks.  Takes a pass over the training
 * rows, and 8 bytes for each until it returns.  Errors: those of trainer_score().
 */
extern bool augmentation_update(Trainer *trainer, EngineError *error);
/* Rows of a domain, numbers of training rows -> *rows, unless that is NULL; returns how many. */
extern uint64_t augmentation_rows(const Trainer *trainer, uint32_t domain, const uint32_t **rows);
/* How many they can be after any update. */
extern uint64_t augmentation_room(const Trainer *trainer, uint32_t domain);

/*
 * In checkpoints: by score, how many rows each domain had at the last update.  The rows
 * themselves are drawn anew before they are used again.  Fails with ENGINE_CORRUPT.
 */
extern void augmentation_parts(Trainer *trainer, PartList *list);
extern bool augmentation_check(const Trainer *trainer, EngineError *error);

#endif							/* AREAD_ENGINE_TRAIN_AUGMENTATION_H */
