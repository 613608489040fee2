/*
 * model_source.h
 *	  The source that a model is of.
 *
 * A model's name that the caller did not choose is the source's own, without its
 * schema.  Relations of that name in other schemas are others: their training is
 * not to take a model's place because of where two tables happen to lie.  A name
 * that was chosen is the caller's will; that the source is another one is told.
 *
 * What a model is of is what its deployed version was trained on, or else its
 * latest one.  Names are compared, not OIDs: who puts another table in one's place,
 * or restores both in another database, goes on with the model.
 */
#ifndef AREAD_CATALOG_MODEL_SOURCE_H
#define AREAD_CATALOG_MODEL_SOURCE_H

#include "catalog/new_model.h"

/*
 * Of a model that is to be trained: an error or, with "tell", a NOTICE, if there is
 * one of that name which is of another source.
 */
extern void model_source_check(const NewModel *new, bool tell);
/* The error alone, as it is at this moment; of a locked name, within catalog_enter(). */
extern void model_source_require(Oid user, const NewModel *new);
/* The same of an imported version, whose name is the one that it was exported by. */
extern void model_source_require_import(Oid user, const char *name, const char *source);

#endif							/* AREAD_CATALOG_MODEL_SOURCE_H */
