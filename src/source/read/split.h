/*
 * split.h
 *	  Which rows train, which validate, which test.
 */
#ifndef AREAD_SOURCE_READ_SPLIT_H
#define AREAD_SOURCE_READ_SPLIT_H

#include "source/keys/convert.h"
#include "source/read/relation.h"
#include "source/read/split_cuts.h"
#include "source/spec.h"

/* What a split column's values become while rows are read. */
typedef struct SplitReader
{
	SplitMethod method;			/* resolved, but for integers under SPLIT_AUTO */
	Oid			type;			/* base type of the column */
	const char *column;
	ValueOutput output;			/* of names that are not text */
	bool		is_text;
} SplitReader;

/* Can columns of that type say which split a row has, or order rows? */
extern bool split_column_possible(const ValueType *type);
pg_noreturn extern void split_column_refuse(const char *column, Oid type);
/*
 * Decide by the column's type; column NULL: by hash.  Raises an error for
 * types that can neither name a split nor be ordered.
 */
extern void split_init(SplitReader *reader, const ColumnRoles *roles,
					   const SourceOptions *options);
/* By a rule that is known, from a column of that type. */
extern void split_init_rule(SplitReader *reader, const SplitRule *rule, const ValueType *type);
/* What all rows have settled. */
extern void split_rule(const SplitReader *reader, const SourceOptions *options,
					   const SplitBounds *bounds, SplitRule *rule);
/* A split by its name, in any case, or its number; -1: it is none. */
extern int	split_by_name(const char *name, int length);
/* A row's value as an integer that sorts as the column does, or names 0, 1, 2. */
extern int64 split_key(SplitReader *reader, Datum value);
/* The split that a value names; -1: none. */
extern int	split_of_name(SplitReader *reader, Datum value);
/*
 * Is a row's split known from the row alone?  Integers name splits if all of
 * them are 0, 1 or 2, and where the splits begin in order depends on all rows.
 */
extern bool split_is_known(const SplitReader *reader);
/* Names or order, by the range of all rows' keys. */
extern void split_settle(SplitReader *reader, int64 lowest, int64 highest);
/*
 * A row's split by its key, or with SPLIT_BY_HASH the hash of its features; the
 * bounds are looked at by order alone.
 */
extern Split split_of(const SplitReader *reader, const SourceOptions *options,
					  const SplitBounds *bounds, int64 key, uint64 hash);
/*
 * Splits of all rows: keys[n] of split_key(), or with SPLIT_BY_HASH (keys may be
 * NULL) the hashes [n] of the rows' features.  *bounds are those by order.
 */
extern void split_rows(SplitReader *reader, const SourceOptions *options,
					   const int64 *keys, const uint64 *hashes, uint64 n,
					   SplitBounds *bounds, uint8 *splits);
/* A WARNING if there are no validation rows, or no test rows, though they were asked for. */
extern void split_warn(const SplitReader *reader, const SourceOptions *options,
					   const uint64 rows[3]);

#endif							/* AREAD_SOURCE_READ_SPLIT_H */
