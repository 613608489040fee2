/*
 * scorer.h
 *	  What a scorer is made of: score.c, score_batch.c and score_row.c share it.
 */
#ifndef AREAD_ENGINE_SCORE_SCORER_H
#define AREAD_ENGINE_SCORE_SCORER_H

#include "engine/networks/network.h"
#include "engine/score/score_rows.h"
#include "engine/score/first_layer_batch.h"

/* Rows at a time: what fits the caches; more gains little. */
#define SCORE_BATCH 256

typedef struct BatchThread
{
	StackScratch stack;
	real	   *z;				/* (B, widest group of columns) */
	ScoreScratch scratch;
} BatchThread;

/* Scores of batches: made when first needed. */
typedef struct BatchScorer
{
	ScoreBuffers buffers;
	Batch		batch;
	Stack		stack;
	BatchThread *threads;		/* [team_size()] */
	real	   *columns;		/* (B, column_stride) */
	uint32_t	rows[SCORE_BATCH];
	double		probabilities[SCORE_BATCH];
} BatchScorer;

/* A field's value of the last row: candidates of one user share his product. */
typedef struct RememberedProduct
{
	bool		seen;			/* is there one? */
	bool		valid;			/* it came twice, so its product was made */
	uint32_t	id;
	real	   *product;		/* [n_columns] */
} RememberedProduct;

/* The score of one row. */
typedef struct RowScorer
{
	ScoreBuffers buffers;
	ScoreScratch scratch;
	Batch		batch;			/* of the one row */
	real	   *x;				/* [W] vectors of gathered lists */
	RowPart    *parts;			/* [n_gathered] */
	const real **start;			/* [starts] what z begins with */
	real	   *lists;			/* [n_columns] premultiplied lists' products */
	real	   *z;				/* [n_columns] */
	RememberedProduct *remembered;	/* [n_gathered] */
	real		logit;
	double		probability;
} RowScorer;

struct Scorer
{
	const Model *model;
	Team	   *team;
	EngineHost	host;
	Watch		watch;			/* over one call; without a host it never stops */
	Watch		followers;		/* the same to other threads than the caller's */
	Arena	   *arena;
	Prepared	prepared;
	Calibration calibration;
	float	   *trees_scratch;	/* [trees_scratch()] */
	size_t		n_tree_rows;	/* scored by trees, until masks were made */
	ForestMasks *masks;			/* NULL: not yet, or the forest has none */
	const Heads *heads;
	History		history[N_HISTORY_LISTS];	/* of users; length 0: none */
	RowScorer	row;
	BatchScorer *batch;			/* made when it is first needed */
};

extern bool row_scorer_init(Scorer *scorer, EngineError *error);
/* What the following give counts unless scorer->watch has stopped. */

/* The mean of the open heads of rows->ids' row number "at"; logits are in its scratch. */
extern double row_score(Scorer *scorer, const ScoreRows *rows, size_t at);

extern bool batch_scorer_init(Scorer *scorer, EngineError *error);
/* probabilities[n <= SCORE_BATCH] of rows first .. first + n - 1. */
extern void batch_score(Scorer *scorer, const ScoreRows *rows, size_t first, int n,
						double *probabilities);

#endif							/* AREAD_ENGINE_SCORE_SCORER_H */
