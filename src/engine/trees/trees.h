/*
 * trees.h
 *	  The part of a model that is a forest over encodings.
 */
#ifndef AREAD_ENGINE_TREES_TREES_H
#define AREAD_ENGINE_TREES_TREES_H

#include "engine/trees/encoding.h"
#include "engine/trees/forest_masks.h"

typedef struct Trees
{
	Encodings	encodings;		/* n = 0: there are no trees */
	Forest		forest;			/* its inputs are the encodings' */
	const void *bytes;			/* the stored form that all of it lies in (trees_bytes.h); NULL: none */
	size_t		n_bytes;
} Trees;

/* Floats of the scratch that scoring needs. */
extern size_t trees_scratch(const Trees *trees);
/* The logit of a row of these ids [n_fields], which are within their tables. */
extern double trees_logit(const Trees *trees, const uint32_t *ids, float *scratch);
/* logits [n] of rows of ids [n, n_fields]: the same bit for bit. */
extern void trees_logits(const Trees *trees, const uint32_t *ids, int n_fields, int n,
						 float *scratch, double *logits);

/*
 * The same of n <= FOREST_MASK_ROWS rows in lines of "across" each, by masks of the forest:
 * faster where rows of lines, or columns of rows, have inputs in common, and where they have not.
 */
extern void trees_masked_logits(const Trees *trees, ForestMasks *masks, const uint32_t *ids,
								int n_fields, int n, int across, double *logits);

#endif							/* AREAD_ENGINE_TREES_TREES_H */
