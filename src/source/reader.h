/*
 * reader.h
 *	  Rows of a relation through the executor, with the caller's rights.
 */
#ifndef AREAD_READER_H
#define AREAD_READER_H

#include "compat.h"
#include "nodes/pg_list.h"

/* One row: values and nulls in the order of the columns asked for. */
typedef void (*RowFunction) (void *context, const Datum *values, const bool *nulls);

/* What a read sees. */
typedef enum ReadSnapshot
{
	READ_LATEST,				/* all that is committed, and this transaction's own */
	READ_AS_CALLER				/* what the calling query sees: it may be writing to the relation */
} ReadSnapshot;

/*
 * SELECT the columns (of char *) of a relation and call for each row, in a
 * memory context that is reset after it.  Rights, row security, views and
 * foreign tables behave as in any SELECT.
 */
extern void reader_run(Oid relation, List *columns, ReadSnapshot snapshot,
					   RowFunction function, void *context);

/* Type of a column by name; InvalidOid if there is no such (user) column. */
extern Oid	column_type(Oid relation, const char *name);
/* All user columns, of char *, in order. */
extern List *column_names(Oid relation);
/* Raise an error unless the relation is something that a SELECT can read. */
extern void check_relation(Oid relation);
/* Raise "column does not exist", with the nearest name as hint. */
pg_noreturn extern void missing_column(Oid relation, const char *name, const char *role);

#endif							/* AREAD_READER_H */
