/*
 * forest_grow.h
 *	  Growing one tree, level by level.
 */
#ifndef AREAD_ENGINE_TREES_FOREST_GROW_H
#define AREAD_ENGINE_TREES_FOREST_GROW_H

#include "engine/trees/forest_split.h"

/* Of a node that is not split: no bin is above it. */
#define NO_BIN 255

/* A tree by bins.  Nodes and leaves are numbered as a forest's. */
typedef struct GrownTree
{
	uint32_t   *inputs;			/* [2^depth - 1] of ForestBins */
	uint8_t    *bins;			/* [2^depth - 1] rows of a bin above it go right */
	float	   *leaves;			/* [2^depth] logits, the rate included; 0: no row comes there */
} GrownTree;

typedef struct Grower Grower;

/* Room for growing trees over these rows.  Errors: lack of memory. */
extern Grower *grower_new(Arena *arena, const ForestData *data, const ForestOptions *options,
						  const ForestBins *bins, Team *team, Watch *watch, EngineError *error);
/*
 * Grow the tree of this number where rows have these logits [n_train].  Numbers
 * draw the tree's rows and inputs.  The tree is valid until the next one.
 * Errors: ENGINE_INTERRUPTED.
 */
extern bool grower_grow(Grower *grower, int number, const double *logits, GrownTree *tree,
						EngineError *error);

#endif							/* AREAD_ENGINE_TREES_FOREST_GROW_H */
