/*
 * feature_choice.h
 *	  Which columns are features.
 */
#ifndef AREAD_SOURCE_FEATURE_CHOICE_H
#define AREAD_SOURCE_FEATURE_CHOICE_H

#include "source/read/relation.h"
#include "source/spec.h"

extern bool feature_is_among(List *names, const char *name);
/* Of a list the type of its members. */
extern Oid	feature_value_type(Oid type, bool *is_list);
/* Are values equal that are spelt differently?  Keys would tell them apart. */
extern bool feature_has_spellings(const SourceRelation *relation, const char *column);
/* The features asked for, or all; domain, user and item are always among them. */
extern List *feature_names(const ColumnRoles *roles);
/* A NOTICE of the roles of columns and, where none were listed, of the features that were chosen. */
extern void features_tell(const ColumnRoles *roles, const FeatureSpec *spec);

#endif							/* AREAD_SOURCE_FEATURE_CHOICE_H */
