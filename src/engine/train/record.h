/*
 * record.h
 *	  What a training leaves: its progress as it goes, evaluations, mask
 *	  updates, the result; and the form in which it asks for checkpoints.
 *
 * The catalog stores these records, so they know nothing of how training works.
 */
#ifndef AREAD_ENGINE_TRAIN_RECORD_H
#define AREAD_ENGINE_TRAIN_RECORD_H

#include "engine/measure/deciles.h"
#include "engine/measure/metrics.h"
#include "engine/model/model.h"
#include "engine/score/ranked_lists.h"

typedef enum TrainPhase
{
	PHASE_START,				/* the wide part alone */
	PHASE_WARMUP,				/* before the strategy's first update */
	PHASE_UPDATE,				/* the strategy at work */
	PHASE_RACE,					/* a network that may be left for another one */
	PHASE_TRAIN,
	PHASE_TREES					/* trees beside the network */
} TrainPhase;

typedef struct TrainProgress
{
	TrainPhase	phase;
	const char *name;			/* what the phase is called */
	int			epoch;			/* from 1 */
	int			epochs;			/* of the network at work, at most; 0: as before */
	uint64_t	batch;			/* in this epoch, from 1; of updates: the domain; of trees: a step */
	uint64_t	batches;		/* per epoch; of updates: domains; of trees: steps */
	double		loss;			/* mean since the last evaluation */
	double		rows_per_second;
} TrainProgress;

/* One evaluation on the validation rows. */
typedef struct Evaluation
{
	int			number;			/* 0: the start */
	int			epoch;			/* 0: the start, else from 1 */
	uint64_t	batches;		/* trained so far */
	double		train_loss;		/* mean over units (units.h) trained on since the last one; NaN for the start */
	Measures	valid;
	double		rows_per_second;
	double		seconds;		/* since training began */
	int			mask_updates;	/* so far */
	bool		epoch_end;
	bool		best;			/* better than all before, by more than noise */
	bool		trees;			/* trees count in it */
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

/* When there is a race of two networks, and what decides it; tests have rules of their own. */
typedef struct RaceRule
{
	size_t		valid_rows;		/* there are so many validation rows, or more */
	double		settle;			/* its epochs have so many times the batches that patience lets pass, or more */
	double		lead;			/* what the first one must be ahead by, in least gains */
} RaceRule;

/* Two networks, of which validation rows choose one (race.h). */
typedef struct RaceRecord
{
	bool		ran;			/* there is one */
	bool		settled;		/* the first one gained nothing beside trees: there is no second one */
	bool		compared;		/* the values are there */
	bool		first_kept;		/* else the second */
	const char *network[2];		/* architectures */
	bool		whole;			/* the first one is trained to its end before */
	int			epochs;			/* of the first one, at most */
	int			evaluation;		/* after which the second one was compared */
	int			kind;			/* of measure_kinds; -1: no measure is defined */
	double		value[2];		/* of that kind, the best of each so far */
	double		lead;			/* what the first one must be ahead by */
	int			diverged[2];	/* the epoch in which a network did before: it has lost; 0: it did not */
} RaceRecord;

/* Called from the trainer between batches; none may be NULL but "race". */
typedef struct TrainObserver
{
	void		(*progress) (void *context, const TrainProgress *progress);
	void		(*evaluation) (void *context, const Evaluation *evaluation);
	void	   *context;
	/* before each of both networks, once it is known who wins or one has diverged; NULL: nobody is told */
	void		(*race) (void *context, const RaceRecord *race);
} TrainObserver;

/* What trees beside the network are worth: mean log losses of validation rows. */
typedef struct TreesRecord
{
	bool		fitted;			/* each evaluation weighs them */
	const char *why_none;		/* what kept them from being tried; NULL: nothing */
	double		loss_before;	/* of the network alone, calibrated */
	double		loss_after;		/* with them; they were kept if it is lower by more than chance */
} TreesRecord;

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
	TreesRecord trees;
	RaceRecord	race;
	Measures	valid;			/* of what was kept */
	Measures	test;			/* looked at once, at the end */
	bool		ranked;			/* are there lists: negatives were sampled */
	ListMeasures valid_lists[N_LIST_KINDS];
	ListMeasures test_lists[N_LIST_KINDS];
	Deciles		scores;			/* of validation rows; without any, of test or training rows */
	double		seconds;
} TrainResult;

/* A piece of a checkpoint, in the form of this build of the engine on this kind of processor. */
typedef struct CheckpointPart
{
	char		name[32];		/* of no other part */
	void	   *bytes;
	size_t		size;
} CheckpointPart;

/* Where checkpoints go to and come from; checkpoint.h. */
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

/* The next batch to be trained. */
typedef struct TrainPosition
{
	int			epoch;			/* from 1 */
	uint64_t	batch;			/* of the epoch, from 0 */
} TrainPosition;

#endif							/* AREAD_ENGINE_TRAIN_RECORD_H */
