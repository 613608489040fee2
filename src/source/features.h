/*
 * features.h
 *	  Which columns are features, and of what kind.
 */
#ifndef AREAD_FEATURES_H
#define AREAD_FEATURES_H

#include "source/source.h"

/*
 * The feature spec of a source before a row is read: names, kinds, types and
 * shared vocabularies; vocabularies and bins are still empty.  bins and
 * buckets of a feature that has none are 0.
 */
typedef struct FeaturePlan
{
	int			bins;
	int			buckets;
} FeaturePlan;

extern FeatureSpec *features_infer(const ColumnRoles *roles, const SourceOptions *options,
								   FeaturePlan **plans);

#endif							/* AREAD_FEATURES_H */
