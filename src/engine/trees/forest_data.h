/*
 * forest_data.h
 *	  What a forest is trained on: rows, and the options of the training.
 */
#ifndef AREAD_ENGINE_TREES_FOREST_DATA_H
#define AREAD_ENGINE_TREES_FOREST_DATA_H

#include "engine/trees/forest.h"

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

static inline double
forest_weight(const ForestData *data, size_t row)
{
	return data->weights ? data->weights[row] : 1;
}

#endif							/* AREAD_ENGINE_TREES_FOREST_DATA_H */
