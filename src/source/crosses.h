/*
 * crosses.h
 *	  Features that are combinations of columns' values (engine/data/crosses.h).
 *
 * A cross stands behind the columns and the counts of rows.  Its edges are the places
 * of its parts, ascending: columns with a single value that has an id.
 */
#ifndef AREAD_SOURCE_CROSSES_H
#define AREAD_SOURCE_CROSSES_H

#include "source/spec.h"

/* How many crosses option "crosses" asks for, at most. */
extern int	crosses_asked(const SourceOptions *options);
/*
 * Append a feature for each; there is room.  Its parts count as asked for.  Raises an
 * error for what is no list of columns that are such features, or is there twice.
 */
extern void crosses_append(FeatureSpec *spec, FeaturePlan *plans, const SourceOptions *options);
/* Are those places a cross's parts? */
extern bool cross_is_sound(const FeatureSpec *spec, const Feature *feature);
/* Fill the crosses into a row of ids. */
extern void crosses_encode(const FeatureSpec *spec, uint32 *ids);
/* All that a row has beside its columns: counts (row_counts.h) and crosses. */
extern void derived_encode(const FeatureSpec *spec, uint32 *ids);

#endif							/* AREAD_SOURCE_CROSSES_H */
