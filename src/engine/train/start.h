/*
 * start.h
 *	  Where every training starts: the wide part alone, and trees.
 */
#ifndef AREAD_ENGINE_TRAIN_START_H
#define AREAD_ENGINE_TRAIN_START_H

#include "engine/train/trainer.h"

/* Wide weights as they were fitted, for the next network. */
typedef struct WideStart
{
	real	   *weights;		/* [n], tensor after tensor */
	size_t		n;
	bool		known;
} WideStart;

/*
 * Room for them, of a race, in the trainer's lasting arena -> trainer->wide_start; without a
 * wide part it stays NULL.  pairs and config are known.
 */
extern bool wide_start_init(Trainer *trainer, EngineError *error);
/* Keep those of the network; the bias that they were fitted with is the race's to keep. */
extern void wide_start_keep(Trainer *trainer);

/*
 * The network before its first batch: the wide part is fitted, or what was kept of it is
 * taken; with "trees" trees are fitted that stand beside it; both are evaluated, and a
 * checkpoint is offered.
 */
extern bool trainer_start(Trainer *trainer, bool trees, TrainPosition *position,
						  EngineError *error);

#endif							/* AREAD_ENGINE_TRAIN_START_H */
