/*
 * forest.c
 *	  Scoring by a forest, and what stored bytes must be for it.
 *
 * Each level of a tree waits for memory several times.  So a block of rows goes
 * down a tree together: their loads overlap, and none waits for a branch.
 */
#include "engine/trees/forest.h"

#include <math.h>

/* Rows that go down a tree together. */
#define BLOCK 16

/* Trees of one depth, and one of them. */
typedef struct TreeView
{
	const uint16_t *inputs;
	const float *thresholds;
	const float *leaves;
} TreeView;

static inline TreeView
tree_view(const Forest *forest, int tree)
{
	size_t		nodes = forest_nodes(forest->depth);

	return (TreeView) {
		.inputs = forest->inputs + tree * nodes,
		.thresholds = forest->thresholds + tree * nodes,
		.leaves = forest->leaves + tree * (nodes + 1)
	};
}

bool
forest_valid(const Forest *forest)
{
	size_t		nodes;
	size_t		trees = (size_t) forest->n_trees;

	if (forest->n_inputs < 1 || forest->n_inputs > FOREST_MAX_INPUTS || forest->depth < 1 ||
		forest->depth > FOREST_MAX_DEPTH || forest->n_trees < 0 ||
		forest->n_trees > FOREST_MAX_TREES || !isfinite(forest->bias))
		return false;
	nodes = forest_nodes(forest->depth);
	for (size_t i = 0; i < trees * nodes; i++)
		if (forest->inputs[i] >= forest->n_inputs || isnan(forest->thresholds[i]))
			return false;
	for (size_t i = 0; i < trees * (nodes + 1); i++)
		if (!isfinite(forest->leaves[i]))
			return false;
	return true;
}

double
forest_logit(const Forest *forest, const float *x)
{
	uint32_t	nodes = (uint32_t) forest_nodes(forest->depth);
	double		logit = forest->bias;

	for (int t = 0; t < forest->n_trees; t++)
	{
		TreeView	tree = tree_view(forest, t);
		uint32_t	at = 0;

		for (int level = 0; level < forest->depth; level++)
			at = 2 * at + 1 + (x[tree.inputs[at]] > tree.thresholds[at]);
		logit += tree.leaves[at - nodes];
	}
	return logit;
}

/* Add a tree's leaves to BLOCK rows' logits. */
static inline void
add_tree(TreeView tree, int depth, const float *x, size_t stride, double *logits)
{
	uint32_t	nodes = (uint32_t) forest_nodes(depth);
	uint32_t	at[BLOCK] = {0};

	for (int level = 0; level < depth; level++)
		for (int r = 0; r < BLOCK; r++)
			at[r] = 2 * at[r] + 1 + (x[r * stride + tree.inputs[at[r]]] > tree.thresholds[at[r]]);
	for (int r = 0; r < BLOCK; r++)
		logits[r] += tree.leaves[at[r] - nodes];
}

void
forest_logits(const Forest *forest, const float *x, size_t stride, int n, double *logits)
{
	int			whole = n - n % BLOCK;

	for (int row = 0; row < whole; row += BLOCK)
	{
		for (int r = row; r < row + BLOCK; r++)
			logits[r] = forest->bias;
		for (int t = 0; t < forest->n_trees; t++)
			add_tree(tree_view(forest, t), forest->depth, x + row * stride, stride, logits + row);
	}
	for (int row = whole; row < n; row++)
		logits[row] = forest_logit(forest, x + row * stride);
}
