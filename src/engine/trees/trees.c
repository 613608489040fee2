/*
 * trees.c
 *	  Scoring: a row's inputs, then the forest.
 */
#include "engine/trees/trees.h"

/* Rows that go through the forest together: their inputs stay in the nearest cache. */
#define BLOCK_ROWS 64

size_t
trees_scratch(const Trees *trees)
{
	return (size_t) BLOCK_ROWS * (size_t) encodings_n_inputs(&trees->encodings);
}

double
trees_logit(const Trees *trees, const uint32_t *ids, float *scratch)
{
	encodings_inputs(&trees->encodings, ids, scratch);
	return forest_logit(&trees->forest, scratch);
}

void
trees_logits(const Trees *trees, const uint32_t *ids, int n_fields, int n, float *scratch,
			 double *logits)
{
	size_t		n_inputs = (size_t) encodings_n_inputs(&trees->encodings);

	for (int from = 0; from < n; from += BLOCK_ROWS)
	{
		int			block = n - from < BLOCK_ROWS ? n - from : BLOCK_ROWS;

		for (int i = 0; i < block; i++)
			encodings_inputs(&trees->encodings, ids + (size_t) (from + i) * (size_t) n_fields,
							 scratch + (size_t) i * n_inputs);
		forest_logits(&trees->forest, scratch, n_inputs, block, logits + from);
	}
}

void
trees_masked_logits(const Trees *trees, ForestMasks *masks, const uint32_t *ids, int n_fields,
					int n, int across, double *logits)
{
	float	   *x = forest_masks_rows(masks);

	for (int i = 0; i < trees->encodings.n; i++, x += ENCODING_INPUTS * FOREST_MASK_ROWS)
		encodings_column(&trees->encodings, i, ids, n_fields, n, x, FOREST_MASK_ROWS);
	forest_masks_logits(masks, n, across, logits);
}
