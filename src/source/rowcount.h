/*
 * rowcount.h
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
#ifndef AREAD_ROWCOUNT_H
#define AREAD_ROWCOUNT_H

#include "source/source.h"

/*
 * Append a feature for the user and, unless negatives are sampled, one for the
 * item: those are drawn from items that have other rows, so that the count
 * would tell the label.  None where ids are not in the order of the counts:
 * they are hashed, or a list's members are counted along.
 */
extern void rowcount_append(FeatureSpec *spec, bool negatives);
/* Find the bins of feature f from the training rows, and encode all rows. */
extern void rowcount_build(FeatureSpec *spec, int f, uint32 *ids, const uint8 *splits,
						   uint64 n_rows);
/* Fill the counts into a row of ids. */
extern void rowcount_encode(const FeatureSpec *spec, uint32 *ids);

#endif							/* AREAD_ROWCOUNT_H */
