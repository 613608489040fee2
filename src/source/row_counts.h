/*
 * row_counts.h
 *	  Features that say how many training rows a user or an item has.
 *
 * How often somebody was seen tells what ids cannot: what to expect of those
 * with few rows or none.  A training row does not count itself, so that one
 * row in training looks as it will to a score.
 *
 * Counts are binned at 1, 2, 3, 4, 6, 8, 12, ...  Ids are in the order of
 * counts, so of a bin it is enough to know where among the ids it begins:
 * feature->edges.
 */
#ifndef AREAD_SOURCE_ROW_COUNTS_H
#define AREAD_SOURCE_ROW_COUNTS_H

#include "source/spec.h"

/*
 * Append a feature for the user and, unless negatives are sampled, one for the
 * item: those are drawn from items that have other rows, so that the count
 * would tell the label.  None where ids are not in the order of the counts:
 * they are hashed, or a list's members are counted along.
 */
extern void row_counts_append(FeatureSpec *spec, bool negatives);

/* A feature's bins while rows get their final ids. */
typedef struct RowCounts
{
	const Feature *feature;
	uint32	   *counts;			/* training rows by id of the feature counted */
	uint64	   *thresholds;		/* [n_edges] */
} RowCounts;

/* Find the bins of feature f; counts by id as above, from FIRST_ID on, become the result's. */
extern void row_counts_build(FeatureSpec *spec, int f, uint32 *counts, RowCounts *result);
/* The bin of a row whose counted feature has this id. */
extern uint32 row_counts_id(const RowCounts *counts, uint32 id, bool training);
/* Fill the counts, which follow the columns, into a row of ids. */
extern void row_counts_encode(const FeatureSpec *spec, uint32 *ids);

#endif							/* AREAD_SOURCE_ROW_COUNTS_H */
