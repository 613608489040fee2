/*
 * search.h
 *	  The mask search's own state.  Internal to mask_*.c.
 */
#ifndef AREAD_ENGINE_TRAIN_SEARCH_H
#define AREAD_ENGINE_TRAIN_SEARCH_H

#include "engine/train/trainer.h"

/* Who tries candidates: a network to train, and scratch. */
typedef struct SearchWorker
{
	Network    *network;		/* the whole, or experts and heads with parameters of their own */
	Optimizer	optimizer;
	real	   *strength;		/* [G] what the present candidate is pruned by */
	real	   *gates;			/* [2 G + 2 E] scratch */
	Watch	   *watch;
	Watch		followers;		/* of threads that must not ask the host */
} SearchWorker;

/* A candidate mask, and what became of it. */
typedef struct Candidate
{
	uint8_t    *mask;			/* [G] */
	int16_t    *fate;			/* [G] as in MaskUpdate */
	MaskChoice	choice;
} Candidate;

/* S0, sigma and Z as they settle. */
typedef struct SearchSettings
{
	double		density;
	double		sigma;
	double		n_candidates;
} SearchSettings;

/* Of a mask update in a checkpoint: what is not in arrays of its own. */
typedef struct StoredUpdate
{
	uint64_t	batches;
	double		seconds;
} StoredUpdate;

/* trainer->state of a training with masks. */
typedef struct Search
{
	SearchSettings settings;
	double	   *gate_sum;		/* [D, G] raw gates of the present stretch */
	uint32_t   *gate_batches;	/* [D] batches summed */
	/* of the present domain */
	Batch		train_batch;
	Batch	   *score_batches;	/* [score_batches] */
	int			n_score_batches;
	BaseOutput	train_base;		/* search "experts": computed once a domain */
	BaseOutput *score_bases;
	uint32_t   *sample;			/* [largest A_d] */
	int64_t    *sample_domains;
	real	   *saliencies;		/* [score_batches, G] */
	real	   *own_saliency;	/* [G] of them all */
	Candidate  *candidates;		/* [Z] */
	uint8_t    *all_open;		/* [G] */
	SearchWorker *workers;		/* [threads]; search "full": one */
	/* search "full": Theta0 */
	real	   *saved_dense;	/* [n_dense] */
	real	  **saved_tables;	/* [row tensors] (slots, dim) */
	size_t	   *table_slots;	/* [row tensors] capacity of the above and of the moments */
	int			updates_capacity;	/* of the record */
	StoredUpdate *stored;		/* [updates] while a checkpoint is written or read */
} Search;

static inline Search *
search_of(const Trainer *trainer)
{
	return trainer->state;
}

/* Do candidates train everything, or experts and heads alone? */
static inline bool
search_is_full(const Trainer *trainer)
{
	return trainer->config->mask_search == SEARCH_FULL;
}

#endif							/* AREAD_ENGINE_TRAIN_SEARCH_H */
