/*
 * split.h
 *	  Which rows train, which validate, which test.
 */
#ifndef AREAD_SPLIT_H
#define AREAD_SPLIT_H

#include "source/convert.h"
#include "source/source.h"

/* What a split column's values become while rows are read. */
typedef struct SplitReader
{
	SplitMethod method;			/* resolved, but for integers under SPLIT_AUTO */
	Oid			type;			/* base type of the column */
	const char *column;
	ValueOutput output;			/* of names that are not text */
	bool		is_text;
} SplitReader;

/*
 * Decide by the column's type; column NULL: by hash.  Raises an error for
 * types that can neither name a split nor be ordered.
 */
extern void split_init(SplitReader *reader, const ColumnRoles *roles,
					   const SourceOptions *options);
/* A row's value as an integer that sorts as the column does, or names 0, 1, 2. */
extern int64 split_key(SplitReader *reader, Datum value);
/*
 * What is known before the last row is in, and what is not: integers name
 * splits if all of them are 0, 1 or 2, and where the splits begin in order
 * depends on all rows.
 */
typedef struct SplitBounds
{
	uint64		n;				/* rows in all */
	uint64		valid_rank;		/* by order: number of the first validation row, from 0 */
	uint64		test_rank;		/* and of the first test row; n: there is none */
	int64		first_valid;	/* the keys of these rows, for the caller to fill in */
	int64		first_test;
} SplitBounds;

/* Is a row's split known from the row alone? */
extern bool split_is_known(const SplitReader *reader);
/* Names or order, by the range of all rows' keys. */
extern void split_settle(SplitReader *reader, int64 lowest, int64 highest);
/* Where splits begin among n rows in order. */
extern void split_rank(const SourceOptions *options, uint64 n, SplitBounds *bounds);
/*
 * A row's split by its key, or with SPLIT_BY_HASH the hash of its features;
 * bounds NULL: not by order.
 */
extern Split split_of(const SplitReader *reader, const SourceOptions *options,
					  const SplitBounds *bounds, int64 key, uint64 hash);
/*
 * Splits of all rows: keys[n] of split_key(), or with SPLIT_BY_HASH (keys may be
 * NULL) the hashes [n] of the rows' features.
 */
extern void split_rows(SplitReader *reader, const SourceOptions *options,
					   const int64 *keys, const uint64 *hashes, uint64 n, uint8 *splits);

#endif							/* AREAD_SPLIT_H */
