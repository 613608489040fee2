/*
 * features.h
 *	  Which columns are features, and of what kind.
 */
#ifndef AREAD_SOURCE_FEATURES_H
#define AREAD_SOURCE_FEATURES_H

#include "source/spec.h"

/*
 * The feature spec of a source before a row is read: names, kinds, types and
 * shared vocabularies; vocabularies and bins are still empty.
 */
extern FeatureSpec *features_infer(const ColumnRoles *roles, const SourceOptions *options,
								   FeaturePlan **plans);

/*
 * What is left of a spec where nothing is trained: "all" its features, for the
 * hashes of rows, or those that share a vocabulary with domain, item or (if
 * with_users) user.  Vocabularies of no role are hashed to one bucket.
 * is_shared [features left]: it has such a role's dictionary, and no such role.
 */
extern FeatureSpec *features_for_roles(const FeatureSpec *spec, const FeaturePlan *plans,
									   bool with_users, bool all, bool **is_shared);

#endif							/* AREAD_SOURCE_FEATURES_H */
