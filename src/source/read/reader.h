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

/* Which rows a KeyReader gives. */
typedef struct KeyQuery
{
	const char *key;			/* column: rows where it is a given value */
	const char *order;			/* column: the last ones first, without its NULLs; NULL: any order */
	bool		all;			/* all of them will be wanted, not only the first ones */
} KeyQuery;

/* The same for rows of one key, and of another one after it. */
typedef struct KeyReader KeyReader;

/*
 * In the current memory context, of which its plan is a part; relation and columns must stay.
 * It may be run under any snapshot.  Errors: a key that cannot be compared, an order that is none.
 */
extern KeyReader *reader_by_key(const SourceRelation *relation, List *columns,
								const KeyQuery *wanted);
/* The rows of a key, of the column's base type, as the calling query sees them. */
extern void reader_run_key(KeyReader *reader, Datum key, RowFunction function, void *context);
/* For the function: no row more of this key is wanted. */
extern void reader_enough(KeyReader *reader);

#endif							/* AREAD_SOURCE_READ_READER_H */
