/*
 * forest_train.h
 *	  Training of a forest: gradient boosting with the logistic loss.
 *
 * The same rows, options and seed give the same bytes with any number of threads.
 */
#ifndef AREAD_ENGINE_TREES_FOREST_TRAIN_H
#define AREAD_ENGINE_TREES_FOREST_TRAIN_H

#include "engine/base/team.h"
#include "engine/trees/forest.h"

/* Trees of a forest that has no validation rows. */
#define FOREST_TREES_UNCHECKED 100

/* Rows: those to train on first, those to validate on behind them. */
typedef struct ForestData
{
	size_t		n_train;		/* below 2^32 with n_valid */
	size_t		n_valid;		/* 0: none */
	int			n_inputs;
	const uint8_t *labels;		/* [n_train + n_valid] 0 or 1 */
	const float *weights;		/* [n_train + n_valid] finite, from 0 up; NULL: all 1 */
	/*
	 * Fill values [n_train + n_valid] with an input's.  It is called once for each
	 * input, in order, by the caller's thread.
	 */
	bool		(*column) (void *context, int input, float *values, EngineError *error);
	void	   *context;
} ForestData;

typedef struct ForestOptions
{
	int			max_trees;		/* 1 .. FOREST_MAX_TREES */
	int			depth;			/* 1 .. FOREST_MAX_DEPTH */
	double		rate;			/* what a leaf keeps of its Newton step */
	double		lambda;			/* L2 of leaves, above 0 */
	double		min_child_weight;	/* sum of second derivatives that either side of a split has */
	double		row_share;		/* of training rows, drawn for each tree */
	size_t		max_rows;		/* that are drawn, at most; below 2^32 */
	double		input_share;	/* of inputs, drawn for each tree */
	int			patience;		/* trees without a better loss of validation rows until the end */
	uint64_t	seed;
} ForestOptions;

extern ForestOptions forest_default_options(void);

/* valid_loss: of the forest so far; NaN without validation rows. */
typedef struct ForestObserver
{
	void		(*tree) (void *context, int n_trees, double valid_loss);
	void	   *context;
} ForestObserver;

typedef struct ForestReport
{
	int			n_grown;		/* trees, of which the forest kept the first ones */
	int			n_used;			/* inputs that have more than one value */
	double	   *valid_losses;	/* [n_grown + 1] mean log loss after so many trees; NULL: no rows */
	double	   *valid_logits;	/* [n_valid] of the forest that was kept; NULL: no rows */
} ForestReport;

/*
 * Train *forest, whose arrays are the arena's, as are the report's.  Trees end
 * with the lowest log loss of validation rows.
 *
 * Memory: a byte for each row and input, 8 bytes for each row and 24 for each
 * that is drawn, all of it given back at the end.  team, observer: NULL is none.
 * Errors: lack of memory, ENGINE_INTERRUPTED, ENGINE_BAD_INPUT if training rows
 * have no weight, and those of column().
 */
extern bool forest_train(Arena *arena, const ForestData *data, const ForestOptions *options,
						 Team *team, const EngineHost *host, const ForestObserver *observer,
						 Forest *forest, ForestReport *report, EngineError *error);

#endif							/* AREAD_ENGINE_TREES_FOREST_TRAIN_H */
