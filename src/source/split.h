/*
 * split.h
 *	  Which rows train, which validate, which test.
 */
#ifndef AREAD_SPLIT_H
#define AREAD_SPLIT_H

#include "source/source.h"

/* What a split column's values become while rows are read. */
typedef struct SplitReader
{
	SplitMethod method;			/* resolved, but for integers under SPLIT_AUTO */
	Oid			type;			/* base type of the column */
	const char *column;
} SplitReader;

/*
 * Decide by the column's type; column NULL: by hash.  Raises an error for
 * types that can neither name a split nor be ordered.
 */
extern void split_init(SplitReader *reader, const ColumnRoles *roles,
					   const SourceOptions *options);
/* A row's value as an integer that sorts as the column does, or names 0, 1, 2. */
extern int64 split_key(const SplitReader *reader, Datum value);
/*
 * Splits of all rows: keys[n] of split_key(), or with SPLIT_BY_HASH the hashes
 * [n] of the rows' features.
 */
extern void split_rows(SplitReader *reader, const SourceOptions *options,
					   const int64 *keys, const uint64 *hashes, uint64 n, uint8 *splits);

#endif							/* AREAD_SPLIT_H */
