/*
 * forest_masks.h
 *	  Scores of a forest for many rows, out of sets of leaves.
 *
 * A table has, for each input and each interval between its thresholds, the leaves that
 * are left of every tree.  The leaf of a row is the first one that all its inputs leave.
 * So what rows have in common is looked up once for all of them: a user's values for all
 * candidates, a candidate's for all users.
 */
#ifndef AREAD_ENGINE_TREES_FOREST_MASKS_H
#define AREAD_ENGINE_TREES_FOREST_MASKS_H

#include "engine/trees/forest.h"

/* Rows of one call. */
#define FOREST_MASK_ROWS 256

typedef struct ForestMasks ForestMasks;

/*
 * The table of a forest, in the arena; *masks is NULL if it has none, for its trees are too
 * deep or the table would have more than 16 MB.  The forest must outlive it.
 */
extern bool forest_masks_create(ForestMasks **masks, Arena *arena, const Forest *forest,
								const EngineHost *host, EngineError *error);
/* Room for rows to be scored: [the forest's n_inputs, FOREST_MASK_ROWS]. */
extern float *forest_masks_rows(ForestMasks *masks);
/*
 * logits [n <= FOREST_MASK_ROWS] of the rows in this room: those of forest_logits(), bit for
 * bit.  They are lines of "across" rows each (n is a multiple): inputs that all rows of a line,
 * or all that stand below each other, have in common are looked up once.
 */
extern void forest_masks_logits(ForestMasks *masks, int n, int across, double *logits);

#endif							/* AREAD_ENGINE_TREES_FOREST_MASKS_H */
