/*
 * missing.h
 *	  Features that a model needs and a row does not have: aread.missing_features.
 *
 * Lists are of names, as char *.
 */
#ifndef AREAD_SERVE_MISSING_H
#define AREAD_SERVE_MISSING_H

#include "access/tupdesc.h"
#include "source/spec.h"
#include "utils/jsonb.h"

/* What a row is to have; with the domain unless that is an argument of its own. */
extern List *missing_needed(const FeatureSpec *spec, bool with_domain);
/* What a row type, or an object, has. */
extern List *missing_columns(TupleDesc descriptor);
extern List *missing_keys(const Jsonb *object);
/* Those needed that are not there. */
extern List *missing_names(const List *needed, const List *present);
/*
 * Say so, as the setting wants it.  A notice is given once for each statement,
 * wherever it calls from: a function in it may call for each of its rows.
 */
extern void missing_tell(const FeatureSpec *spec, const List *present, const List *missing);
/* Of the names those that are no features, nor the history that a row may bring. */
extern List *missing_unknown(const FeatureSpec *spec, const List *present);
/* Say that an argument has such keys; as the setting wants it, too. */
extern void missing_tell_unknown(const FeatureSpec *spec, const char *argument,
								 const List *unknown);

#endif							/* AREAD_SERVE_MISSING_H */
