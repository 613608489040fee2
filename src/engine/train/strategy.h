/*
 * strategy.h
 *	  What a training does beside steps on batches of its rows.
 *
 * The loop (train.c), the schedule and checkpoints know strategies by this
 * interface alone; strategies.c has the list of them.  The loop calls, in this order:
 *
 *	  init			once, before the start
 *	  order			at the begin of each epoch
 *	  after_batch	after each step
 *	  update		where updates_due() has grown by the step
 *
 * then it evaluates and offers a checkpoint, if these are due.  So what an
 * evaluation measures, and a checkpoint keeps, are parameters after an update.
 * At the end, when the best evaluation's parameters are back, it calls finish.
 *
 * A strategy may change all of the trainer: rows, parameters, masks, optimizer.
 * Domain negotiation (Luo et al., "MAMDR", 2023), for one, would order an epoch's rows domain by
 * domain, keep a copy of the parameters in its state and its checkpoint, and, at
 * each epoch's end, in update(), move the copy towards the parameters, put it in
 * their place and start the optimizer anew.
 */
#ifndef AREAD_ENGINE_TRAIN_STRATEGY_H
#define AREAD_ENGINE_TRAIN_STRATEGY_H

#include "engine/train/part_list.h"
#include "engine/train/trainer.h"

typedef struct TrainStrategy
{
	bool		batches;		/* are there any, or is the start all? */
	const char *update_name;	/* what progress calls an update */

	/* Functions that may be NULL: there is nothing to do. */

	/* Set up trainer->state; all else of the trainer is ready. */
	bool		(*init) (Trainer *trainer, EngineError *error);
	/* Units of an epoch (from 1; units.h) -> order, as batches take them. */
	void		(*order) (Trainer *trainer, int epoch, uint32_t *order);
	/* The network still has the batch's activations. */
	void		(*after_batch) (Trainer *trainer, const Batch *batch);
	/* Updates that are due by the end of so many batches: of the configuration and rows alone. */
	uint64_t	(*updates_due) (const Trainer *trainer, uint64_t batches);
	bool		(*update) (Trainer *trainer, EngineError *error);
	/* Once, of the parameters that are kept, before their scores are calibrated. */
	bool		(*finish) (Trainer *trainer, EngineError *error);

	/*
	 * Its state in checkpoints.  "numbers" is one part of a fixed size.  When
	 * a training resumes, take_numbers() checks it and makes room for the parts;
	 * trainer->updates is known by then.  check() is called once all parts are there.
	 * Both fail with ENGINE_CORRUPT.
	 */
	CheckpointPart (*numbers) (Trainer *trainer);
	bool		(*take_numbers) (Trainer *trainer, EngineError *error);
	void		(*parts) (Trainer *trainer, PartList *list);
	bool		(*check) (Trainer *trainer, EngineError *error);
} TrainStrategy;

#endif							/* AREAD_ENGINE_TRAIN_STRATEGY_H */
