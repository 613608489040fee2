/*
 * checkpoint.h
 *	  All that a training needs to go on from where it was, to the same model
 *	  as if it had never stopped.
 *
 * What a dataset and a configuration give again (ids, counts, augmented rows,
 * orders of rows, random numbers) is not part of it.
 */
#ifndef AREAD_ENGINE_TRAIN_CHECKPOINT_H
#define AREAD_ENGINE_TRAIN_CHECKPOINT_H

#include "engine/base/base.h"

/* A piece of it, in the form of this build of the engine on this kind of processor. */
typedef struct CheckpointPart
{
	char		name[32];		/* of no other part */
	void	   *bytes;
	size_t		size;
} CheckpointPart;

/* Where checkpoints go to and come from. */
typedef struct CheckpointStore
{
	/* Asked after each batch: is it time for one? */
	bool		(*due) (void *context);
	/* Keep these parts, in place of those kept before. */
	bool		(*save) (void *context, const CheckpointPart *parts, int n,
						 EngineError *error);
	/* The bytes of a part that was kept; an error if they are not of its size. */
	bool		(*load) (void *context, const CheckpointPart *part, EngineError *error);
	bool		resume;			/* there is one, to go on from */
	void	   *context;
} CheckpointStore;

struct Trainer;

/* The next batch to be trained. */
typedef struct TrainPosition
{
	int			epoch;			/* from 1 */
	uint64_t	batch;			/* of the epoch, from 0 */
} TrainPosition;

/* Keep a checkpoint if one is due. */
extern bool checkpoint_offer(struct Trainer *trainer, TrainPosition position,
							 EngineError *error);
/*
 * Go on from the checkpoint in the trainer's store: all of a trainer that
 * trainer_init() has set up, and where it was.  Errors: those of load();
 * ENGINE_CORRUPT.
 */
extern bool checkpoint_resume(struct Trainer *trainer, TrainPosition *position,
							  EngineError *error);

#endif							/* AREAD_ENGINE_TRAIN_CHECKPOINT_H */
