/*
 * trainer.h
 *	  A training as it runs: what its parts share.  Internal to the engine.
 *
 * setup.c fills it, start.c and epochs.c do the work, and each part has its own header:
 * units.h (rows of batches), schedule.h (what is due when), evaluate.h, base_rate.h, popularity.h, checkpoint.h,
 * race.h, and the strategy's (strategy.h).  A training may have several networks, one
 * after the other (race.h): what is theirs lies in "arena", what all have in "lasting".
 */
#ifndef AREAD_ENGINE_TRAIN_TRAINER_H
#define AREAD_ENGINE_TRAIN_TRAINER_H

#include "engine/base/team.h"
#include "engine/data/counts.h"
#include "engine/train/optimizer.h"
#include "engine/train/record.h"

typedef struct Trainer
{
	/* of the training */
	Arena	   *lasting;		/* what outlives the network */
	const Dataset *data;		/* training rows weighted by class, too */
	const float *row_weights;	/* as the source has them; NULL: 1 each */
	Team	   *team;			/* NULL: none */
	const EngineHost *host;
	const TrainObserver *observer;
	const CheckpointStore *checkpoints; /* NULL: none */
	const DomainPairs *pairs;	/* [n_fields] that have wide weights */
	uint32_t  **counts;			/* [n_tables] training occurrences of each id */
	DomainRows	domain_rows;
	struct Units *units;		/* what batches are made of (units.h) */
	/* of training rows; length 0: no network reads it */
	History		history[N_HISTORY_LISTS];
	/* what models keep of them for all other rows; NULL: none */
	const EntityTable *kept_histories[N_HISTORY_LISTS];
	const EntityTable *sides;
	struct Stacking *stacking;	/* trees that are not in the model yet; NULL: none (stacking.h) */
	struct Race *race;			/* NULL: there is one network (race_state.h) */
	struct WideStart *wide_start;	/* kept for the next network; NULL: it is not (start.h) */
	double		started;
	TrainResult *result;
	/* of its present network */
	Arena	   *arena;
	const Config *config;		/* of that architecture */
	int			epochs;			/* it may train */
	Watch		watch;			/* over its passes */
	Model	   *model;
	Network		network;
	Batch		batch;
	Optimizer	optimizer;
	struct Augmentation *augmentation;	/* NULL: none (augmentation.h) */
	const struct TrainStrategy *strategy;	/* strategy.h */
	void	   *state;			/* the strategy's own */
	uint32_t   *shuffle;		/* scratch of the order of rows */
	struct HardNegatives *hard;	/* NULL: negatives are those that were sampled (hard.h) */
	const struct PopularityOffset *popularity;	/* of items; NULL: none (popularity.h) */
	/* progress */
	uint64_t	batches;		/* trained so far */
	int			updates;		/* by the strategy, so far */
	double		loss_sum;		/* since the last evaluation */
	uint64_t	loss_units;		/* that it is of */
	uint64_t	loss_rows;		/* theirs */
	double		batch_seconds;
	/* the best evaluation so far */
	real	   *best_params;
	uint8_t    *best_masks;
	bool	   *best_has_mask;
	double		best_score;
	int			evaluations_capacity;
} Trainer;

static inline double
trainer_seconds(const Trainer *trainer)
{
	return trainer->host->seconds(trainer->host->context);
}

/* The masks that a batch's domains have by now. */
static inline void
trainer_set_masks(const Trainer *trainer, Batch *batch)
{
	for (int s = 0; s < batch->n_segments; s++)
		batch->segments[s].mask = model_mask(trainer->model, batch->segments[s].domain);
}

#endif							/* AREAD_ENGINE_TRAIN_TRAINER_H */
