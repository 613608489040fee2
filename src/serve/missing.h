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
extern void missing_tell(const char *model, const List *needed, const List *present,
						 const List *missing);

#endif							/* AREAD_SERVE_MISSING_H */
