/*
 * scorer.h
 *	  What a scorer is made of: score.c, score_batch.c and score_row.c share it.
 */
#ifndef AREAD_ENGINE_SCORE_SCORER_H
#define AREAD_ENGINE_SCORE_SCORER_H

#include "engine/networks/network.h"
#include "engine/score/score.h"
#include "engine/score/first_layer_batch.h"

/* Rows at a time: what fits the caches; more gains little. */
#define SCORE_BATCH 256

/* What a thread needs for itself. */
typedef struct BatchThread
{
	Watch	   *watch;
	StackScratch stack;
	real	   *z;				/* (B, columns.expert) an expert's first layer */
	real	   *layer[2];		/* (B, widest layer) in turn */
	real	   *in;				/* (B, widest layer) what a HEI expert gets from below */
	real	   *logits;			/* [J] */
} BatchThread;

typedef struct BatchScorer
{
	Batch		batch;
	Stack		stack;
	BatchThread *threads;		/* [team_size()] */
	real	   *logit;			/* [B] wide part, pairwise term, skip */
	real	   *x0;				/* (B, W) for the pairwise term */
	real	   *sums;			/* (B, E) for it, too */
	real	   *rest;			/* (B, columns.n - columns.gates) the stack's other columns */
	real	   *gates;			/* (B, N_1, M) */
	real	  **e;				/* [M] (B, H) */
	real	   *h;				/* (B, N_1, H) */
	size_t		width;			/* of the widest HEI layer's outputs, all experts' */
	real	   *out[2];			/* (B, width): a HEI layer's, in turn; domain by domain, expert by expert */
	uint32_t	rows[SCORE_BATCH];
	double		probabilities[SCORE_BATCH];
} BatchScorer;

/* A field's value of the last row: candidates of one user share his product. */
typedef struct RememberedProduct
{
	bool		seen;			/* is there one? */
	bool		valid;			/* it came twice, so its product was made */
	uint32_t	id;
	real	   *product;		/* [columns.n] */
} RememberedProduct;

typedef struct RowScorer
{
	Batch		batch;			/* of the one row */
	Wide		wide;
	const real *skip;			/* (N_1, H); NULL: none */
	real	   *x;				/* [W] vectors of plain lists; for the pairwise term of all fields */
	real	   *sums;			/* [E] */
	RowPart    *parts;			/* [n_plain] */
	const real **start;			/* [starts] what z begins with */
	real	   *lists;			/* [columns.n] ready lists' products */
	real	   *z;				/* [columns.n] */
	RememberedProduct *remembered;	/* [n_plain] */
	real	   *layer[2];		/* [widest layer] in turn */
	real	   *out[2];			/* (N_l, widest output) of a HEI layer, in turn */
	real	   *e;				/* (M, H) */
	real	   *h;				/* (N_1, H) */
	real	   *in;				/* [widest input] */
	real		base;
	real	   *logits;			/* [J] */
	uint8_t    *open;			/* [J] */
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
	RowTensor  *tables;			/* [n_tables] */
	Calibration calibration;
	Heads		heads;			/* weights and how many */
	RowScorer	row;
	BatchScorer *batch;			/* made when it is first needed */
};

/* The widest outputs of MMoE's and HEI's layers. */
extern int	scorer_widest_layer(const Config *config);

extern bool row_scorer_init(Scorer *scorer, EngineError *error);
/* What the following give counts unless scorer->watch has stopped. */

/* The mean of the open heads of rows->ids' row number "at"; logits are in scorer->row. */
extern double row_score(Scorer *scorer, const ScoreRows *rows, size_t at);

extern bool batch_scorer_init(Scorer *scorer, EngineError *error);
/* probabilities[n <= SCORE_BATCH] of rows first .. first + n - 1. */
extern void batch_score(Scorer *scorer, const ScoreRows *rows, size_t first, int n,
						double *probabilities);

#endif							/* AREAD_ENGINE_SCORE_SCORER_H */
