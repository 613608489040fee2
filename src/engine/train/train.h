/*
 * train.h
 *	  Training: from a dataset to a model, with the record of how it went.
 */
#ifndef AREAD_ENGINE_TRAIN_TRAIN_H
#define AREAD_ENGINE_TRAIN_TRAIN_H

#include "engine/sampling/augment.h"
#include "engine/train/checkpoint.h"
#include "engine/measure/deciles.h"
#include "engine/measure/metrics.h"
#include "engine/model/model.h"
#include "engine/base/team.h"

typedef enum TrainPhase
{
	PHASE_START,				/* the wide part alone */
	PHASE_WARMUP,				/* no masks yet */
	PHASE_MASK_UPDATE,
	PHASE_TRAIN
} TrainPhase;

typedef struct TrainProgress
{
	TrainPhase	phase;
	int			epoch;			/* from 1 */
	uint64_t	batch;			/* in this epoch, from 1; of mask updates: the domain */
	uint64_t	batches;		/* per epoch; of mask updates: domains */
	double		loss;			/* mean BCE since the last evaluation */
	double		rows_per_second;
} TrainProgress;

/* One evaluation on the validation rows. */
typedef struct Evaluation
{
	int			number;			/* 0: the start */
	int			epoch;			/* 0: the start, else from 1 */
	uint64_t	batches;		/* trained so far */
	double		train_loss;		/* mean BCE of the rows trained on since the last one; NaN for the start */
	Measures	valid;
	double		rows_per_second;
	double		seconds;		/* since training began */
	int			mask_updates;	/* so far */
	bool		epoch_end;
	bool		best;			/* better than all before, by more than noise */
} Evaluation;

/* What one mask update decided for one domain. */
typedef struct MaskChoice
{
	float		start_density;	/* of the chosen candidate, before pruning */
	float		end_density;
	float		loss;			/* on the domain's own rows */
	int			steps;
} MaskChoice;

/* What became of a gate of the chosen candidate: the step that closed it, or one of these. */
#define GATE_OPEN 0
#define GATE_NOT_TRIED (-1)		/* closed from the start */

typedef struct MaskUpdate
{
	int			number;			/* from 1 */
	uint64_t	batches;		/* trained before it */
	double		seconds;		/* it took */
	MaskChoice *choices;		/* [D] */
	uint8_t    *masks;			/* [D, G] */
	int16_t    *fates;			/* [D, G] */
} MaskUpdate;

typedef struct DomainRecord
{
	uint64_t	rows;			/* training rows */
	uint64_t	positives;
	bool		is_minor;
	bool		is_major;
	uint64_t	augmented_rows;
	DomainMeasure valid;		/* of the kept parameters */
	DomainMeasure test;
} DomainRecord;

/* Called from the trainer between batches; none may be NULL. */
typedef struct TrainObserver
{
	void		(*progress) (void *context, const TrainProgress *progress);
	void		(*evaluation) (void *context, const Evaluation *evaluation);
	void	   *context;
} TrainObserver;

typedef struct TrainResult
{
	Model	   *model;			/* parameters and masks of the best evaluation */
	uint64_t	rows[3];		/* by split */
	int			n_evaluations;
	Evaluation *evaluations;
	int			best_evaluation;
	int			n_mask_updates;
	MaskUpdate *mask_updates;
	uint32_t	n_domains;
	DomainRecord *domains;		/* [D] */
	double	   *wide_l2;		/* [2 * n_fields], as logistic_fit() left it; NULL: no wide part */
	Measures	valid;			/* of what was kept */
	Measures	test;			/* looked at once, at the end */
	Deciles		scores;			/* of validation rows; without any, of test or training rows */
	double		seconds;
} TrainResult;

/*
 * Train config's architecture on data's training rows; choose on its
 * validation rows; measure on its test rows at the end.  Without validation
 * rows (or with one class only in them) validation log loss, or else the last
 * parameters, decide.  The team (NULL: none) makes it faster, and nothing else
 * of it.  Checkpoints (NULL: none) are offered after each batch; one that is
 * resumed from ends in the same model as without a stop.  Errors: ENGINE_BAD_INPUT (no training rows, one class
 * only), ENGINE_DIVERGED, ENGINE_INTERRUPTED, ENGINE_OUT_OF_MEMORY.  The
 * result lives in the arena.
 */
extern TrainResult *train(Arena *arena, const Config *config, const Dataset *data, Team *team,
						  const EngineHost *host, const TrainObserver *observer,
						  const CheckpointStore *checkpoints, EngineError *error);

#endif							/* AREAD_ENGINE_TRAIN_TRAIN_H */
