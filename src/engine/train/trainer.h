/*
 * trainer.h
 *	  What the parts of training share: train.c (the loop), mask_search.c (mask
 *	  updates), optimizer.c, base_rate.c (class weights, calibration).  Internal to
 *	  the engine.
 */
#ifndef AREAD_ENGINE_TRAIN_TRAINER_H
#define AREAD_ENGINE_TRAIN_TRAINER_H

#include "engine/train/adam.h"
#include "engine/train/checkpoint.h"
#include "engine/networks/network.h"
#include "engine/train/train.h"

/* Adam's moments of every parameter. */
typedef struct Optimizer
{
	real	   *first;			/* [n_dense] */
	real	   *second;
	real	  **table_first;	/* [n_tables] (rows or slots, E) */
	real	  **table_second;
	bool		by_slot;		/* row moments by slot of the present batch */
	uint64_t	step;			/* taken so far */
} Optimizer;

/* Training rows of each domain. */
typedef struct DomainRows
{
	uint64_t   *start;			/* [D + 1] */
	uint32_t   *rows;
	uint64_t   *positives;		/* [D] */
} DomainRows;

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

/* The mask search's own state; mask_search.c. */
typedef struct Search
{
	double		density;		/* S0, sigma and Z as they settle */
	double		sigma;
	double		n_candidates;
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
	real	  **saved_tables;	/* [n_tables] (slots, E) */
	size_t	   *table_slots;	/* [n_tables] capacity of the above and of the moments */
} Search;

typedef struct Trainer
{
	Arena	   *arena;
	const Config *config;
	const Dataset *data;		/* training rows weighted by class, too */
	const float *row_weights;	/* as the source has them; NULL: 1 each */
	Team	   *team;			/* NULL: none */
	const EngineHost *host;
	Watch		watch;			/* over the network's passes */
	const TrainObserver *observer;
	const CheckpointStore *checkpoints; /* NULL: none */
	Model	   *model;
	Network		network;
	Batch		batch;
	Optimizer	optimizer;
	uint32_t  **counts;			/* [n_tables] training occurrences of each id */
	DomainRows	domain_rows;
	AugmentedRows augmented;	/* start NULL: none */
	Search		search;
	/* progress */
	double		started;
	uint64_t	batches;		/* trained so far */
	double		loss_sum;		/* since the last evaluation */
	uint64_t	loss_rows;
	double		batch_seconds;
	/* the best evaluation so far */
	real	   *best_params;
	uint8_t    *best_masks;
	bool	   *best_has_mask;
	double		best_score;
	int			evaluations_without_gain;	/* once settled */
	TrainResult *result;
	int			evaluations_capacity;
	int			updates_capacity;
} Trainer;

/* Allocate and initialize all of the above from arena, config, data, host and observer. */
extern bool trainer_init(Trainer *trainer, EngineError *error);
/* Batches of an epoch. */
extern uint64_t trainer_epoch_batches(const Trainer *trainer);
/* Mask updates that are due by the end of so many batches of the training. */
extern uint64_t trainer_mask_updates(const Trainer *trainer, uint64_t batches);
/* Evaluations that are due by the end of so many batches of an epoch. */
extern uint64_t trainer_evaluations(const Trainer *trainer, uint64_t batch);
/* Room for one more evaluation, which is not counted yet. */
extern Evaluation *trainer_add_evaluation(Trainer *trainer, EngineError *error);

extern bool counts_init(uint32_t ***counts, Arena *arena, const Dataset *data,
						const EngineHost *host, EngineError *error);
extern bool domain_rows_init(DomainRows *rows, Arena *arena, const Dataset *data,
							 EngineError *error);

/* Moments at zero; row moments by id, or (by_slot) allocated later by the search. */
extern bool optimizer_init(Optimizer *optimizer, Arena *arena, const Model *model,
						   size_t n_dense, bool by_slot, EngineError *error);
/* One step over all parameters with the network's gradients. */
extern void optimizer_step(Optimizer *optimizer, Network *network, uint32_t *const *counts,
						   int batch_rows, double learning_rate);
/* One step over the dense parameters of experts and heads. */
extern void optimizer_step_experts(Optimizer *optimizer, Network *network,
								   double learning_rate);

/* Score the rows of a split under the present parameters -> scores [its rows]. */
extern bool trainer_score(Trainer *trainer, Split split, double *scores, EngineError *error);

/*
 * Positive rows count positive_weight times what they would; the mean weight of
 * training rows stays 1, so that L2 keeps its meaning.
 */
extern bool prior_weigh(Trainer *trainer, EngineError *error);
/*
 * Scores that are probabilities: without the positives' weight, which only the
 * loss is to know, and true to the validation rows.
 */
extern bool prior_calibrate(Trainer *trainer, EngineError *error);
/* Scores for rows of another share of positives, if base_rate says so. */
extern bool prior_set_base_rate(Trainer *trainer, EngineError *error);

/* Do candidates train everything, or experts and heads alone? */
static inline bool
search_is_full(const Trainer *trainer)
{
	return trainer->config->mask_search == SEARCH_FULL;
}

/*
 * Keep Theta0, as far as candidates of the present train_batch move it in
 * place.  A first backward pass lays out the slots; every later one lays them
 * out alike.
 */
extern bool search_save(Trainer *trainer, EngineError *error);
/* A worker's parameters become Theta0, its optimizer starts anew. */
extern void search_restore(Trainer *trainer, SearchWorker *worker);

extern bool search_init(Trainer *trainer, EngineError *error);
/* Room for one more mask update, which is not counted yet. */
extern MaskUpdate *search_add_update(Trainer *trainer, EngineError *error);
/* Add the gates of the batch just trained to the stretch's means. */
extern void search_observe(Trainer *trainer, const Batch *batch);
/* Algorithm 1, lines 3 to 14: new masks for all domains; parameters unchanged. */
extern bool search_update(Trainer *trainer, EngineError *error);

#endif							/* AREAD_ENGINE_TRAIN_TRAINER_H */
