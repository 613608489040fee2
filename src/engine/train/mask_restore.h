/*
 * mask_restore.h
 *	  Theta0, from which every candidate of the mask search starts.
 */
#ifndef AREAD_ENGINE_TRAIN_MASK_RESTORE_H
#define AREAD_ENGINE_TRAIN_MASK_RESTORE_H

#include "engine/train/search.h"

/*
 * Keep Theta0, as far as candidates of the present train_batch move it in
 * place.  A first backward pass lays out the slots; every later one lays them
 * out alike.
 */
extern bool search_save(Trainer *trainer, EngineError *error);
/* A worker's parameters become Theta0, its optimizer starts anew. */
extern void search_restore(Trainer *trainer, SearchWorker *worker);

#endif							/* AREAD_ENGINE_TRAIN_MASK_RESTORE_H */
