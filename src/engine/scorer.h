/*
 * scorer.h
 *	  What a scorer is made of: score.c, score_batch.c and score_row.c share it.
 */
#ifndef AREAD_ENGINE_SCORER_H
#define AREAD_ENGINE_SCORER_H

#include "network.h"
#include "score.h"
#include "stack.h"

/* Rows at a time: what fits the caches; more gains little. */
#define SCORE_BATCH 256

typedef struct BatchScorer
{
	Network		network;
	Batch		batch;
	Stack		stack;
	real	   *z;				/* (B, columns.n) */
	real	  **deep;			/* [M * n_deep] (B, n_out): outputs of experts' layers */
	real	  **e;				/* [M] (B, H): their last */
	real	  **products;		/* [threads] scratch of stack_forward() */
	uint32_t	rows[SCORE_BATCH];
	double		probabilities[SCORE_BATCH];
} BatchScorer;

/* A field's product that was needed last: candidates of one user share his. */
typedef struct RememberedProduct
{
	bool		valid;
	uint32_t	id;
	real	   *product;		/* [columns.n] */
} RememberedProduct;

typedef struct RowScorer
{
	Batch		batch;			/* of the one row */
	Wide		wide;
	const real *skip;			/* (N_1, H); NULL: none */
	real	   *vector;			/* [W] */
	real	   *sums;			/* [E] */
	real	   *z;				/* [columns.n] */
	RememberedProduct *remembered;	/* [n_plain] */
	real	   *layer[2];		/* [widest layer] in turn */
	real	   *e;				/* (M, H) */
	real	   *h;				/* (N_1, H) */
	real	   *out[2];			/* (N_l, widest output) of a HEI layer, in turn */
	real	   *in;				/* [widest input] */
	real		base;
	real	   *logits;			/* [J] */
	uint8_t    *open;			/* [J] */
} RowScorer;

struct Scorer
{
	const Model *model;
	Team	   *team;
	Arena	   *arena;
	Prepared	prepared;
	RowTensor  *tables;			/* [n_tables] */
	Calibration calibration;
	Heads		heads;			/* weights and how many */
	RowScorer	row;
	BatchScorer *batch;			/* made when it is first needed */
};

extern bool row_scorer_init(Scorer *scorer, EngineError *error);
/* The mean of the open heads of rows->ids' row number "at"; logits are in scorer->row. */
extern double row_score(Scorer *scorer, const ScoreRows *rows, size_t at);

extern bool batch_scorer_init(Scorer *scorer, EngineError *error);
/* probabilities[n <= SCORE_BATCH] of rows first .. first + n - 1. */
extern void batch_score(Scorer *scorer, const ScoreRows *rows, size_t first, int n,
						double *probabilities);

#endif							/* AREAD_ENGINE_SCORER_H */
