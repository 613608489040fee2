/*
 * mask_search.h
 *	  Masks for all domains, found anew now and then while training runs.
 */
#ifndef AREAD_ENGINE_TRAIN_MASK_SEARCH_H
#define AREAD_ENGINE_TRAIN_MASK_SEARCH_H

#include "engine/train/trainer.h"

extern bool search_init(Trainer *trainer, EngineError *error);
/* Room for one more mask update, which is not counted yet. */
extern MaskUpdate *search_add_update(Trainer *trainer, EngineError *error);
/* Add the gates of the batch just trained to the stretch's means. */
extern void search_observe(Trainer *trainer, const Batch *batch);
/* Algorithm 1, lines 3 to 14: new masks for all domains; parameters unchanged. */
extern bool search_update(Trainer *trainer, EngineError *error);

#endif							/* AREAD_ENGINE_TRAIN_MASK_SEARCH_H */
