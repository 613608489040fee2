/*
 * forest.h
 *	  Boosted decision trees: how they are stored, and how rows are scored.
 *
 * All trees are complete binary trees of one depth.  A node that was not split
 * has the threshold +infinity, so that every row goes left.  Values and
 * thresholds are float in builds with double parameters, too.
 */
#ifndef AREAD_ENGINE_TREES_FOREST_H
#define AREAD_ENGINE_TREES_FOREST_H

#include "engine/base/base.h"

#define FOREST_MAX_DEPTH 8
#define FOREST_MAX_TREES 10000
#define FOREST_MAX_INPUTS 65536

/*
 * Nodes of a tree are numbered level by level: those below node i are 2 i + 1
 * on the left and 2 i + 2 on the right.  The leaves lie in the same order.
 */
typedef struct Forest
{
	int			n_inputs;		/* values of a row */
	int			depth;
	int			n_trees;		/* 0: the bias alone */
	const uint16_t *inputs;		/* [n_trees, 2^depth - 1] which value a node looks at */
	const float *thresholds;	/* the same; a value above it goes right, NaN left */
	const float *leaves;		/* [n_trees, 2^depth] logits, the learning rate included */
	double		bias;			/* logit */
} Forest;

/* Nodes of a tree of this depth, without its leaves. */
static inline size_t
forest_nodes(int depth)
{
	return ((size_t) 1 << depth) - 1;
}

/* Can stored bytes be scored with?  Sizes come first; arrays are looked at if these are sound. */
extern bool forest_valid(const Forest *forest);
/* The logit of a row x [n_inputs]: the bias, and a leaf of each tree, added in order. */
extern double forest_logit(const Forest *forest, const float *x);
/*
 * logits [n] of rows x [n, stride], stride >= n_inputs: the same bit for bit.
 * A row and tree take some nanoseconds, and nobody asks the host meanwhile.
 */
extern void forest_logits(const Forest *forest, const float *x, size_t stride, int n,
						  double *logits);

#endif							/* AREAD_ENGINE_TREES_FOREST_H */
