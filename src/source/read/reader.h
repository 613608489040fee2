/*
 * reader.h
 *	  Rows of a relation through the executor, with the caller's rights.
 */
#ifndef AREAD_SOURCE_READ_READER_H
#define AREAD_SOURCE_READ_READER_H

#include "source/read/relation.h"

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
 * foreign tables behave as in any SELECT.  Raises an error if the columns that
 * come are not of the types that they have in the relation's description.
 */
extern void reader_run(const SourceRelation *relation, List *columns, ReadSnapshot snapshot,
					   RowFunction function, void *context);

#endif							/* AREAD_SOURCE_READ_READER_H */
