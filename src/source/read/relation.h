/*
 * relation.h
 *	  A relation that rows are to be read from, opened and locked once.
 *
 * All that is known of a source, its name, its columns and their types, is
 * taken from the relation itself while it is locked, and the lock stays until
 * the transaction ends: nobody can rename, alter or drop it between the moment
 * a feature's type is decided and the moment its values are read.  reader_run()
 * holds the rows that come against this description once more.
 */
#ifndef AREAD_SOURCE_READ_RELATION_H
#define AREAD_SOURCE_READ_RELATION_H

#include "compat.h"
#include "nodes/pg_list.h"

typedef struct SourceRelation
{
	Oid			id;
	Oid			row_type;
	Oid			owner;
	char		kind;			/* as in pg_class.relkind */
	char	   *name;
	char	   *full_name;		/* with its schema, quoted as need be */
	TupleDesc	columns;		/* a copy, dropped ones included */
} SourceRelation;

/*
 * Open and lock it, in the current memory context.  Raises an error if it is
 * gone, or nothing that a SELECT can read.
 */
extern SourceRelation *source_open(Oid relation);
/* Number of a column, from 1; 0: there is no such (user) column. */
extern AttrNumber source_column_number(const SourceRelation *relation, const char *name);
/* May the current user read a column that is there? */
extern bool source_may_read(const SourceRelation *relation, const char *column);
/* Type of a column by name; InvalidOid if there is no such (user) column. */
extern Oid	source_column_type(const SourceRelation *relation, const char *name);
/* Its collation; InvalidOid if it has none. */
extern Oid	source_column_collation(const SourceRelation *relation, const char *name);
/* All user columns, of char *, in order. */
extern List *source_column_names(const SourceRelation *relation);
/* Are these its columns, by names and types, dropped ones included? */
extern bool source_has_columns(const SourceRelation *relation, TupleDesc columns);
/* Raise an error: the relation is not what it was when it was opened. */
pg_noreturn extern void source_has_changed(const SourceRelation *relation);
/* Raise "column does not exist", with the nearest name as hint. */
pg_noreturn extern void source_missing_column(const SourceRelation *relation, const char *name,
											  const char *role);
/* The same for a column that a trained model reads by its own name, so that no argument helps. */
pg_noreturn extern void source_missing_model_column(const SourceRelation *relation,
													const char *name, const char *role);

#endif							/* AREAD_SOURCE_READ_RELATION_H */
