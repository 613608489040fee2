/*
 * split_cuts.h
 *	  Where validation and test rows begin in the order of a split column.
 *
 * Rows of one value stay together, so a cut lies between two values.  It is the
 * last one that leaves at least the share that was asked for, unless a split
 * would have no rows: then it is the nearest that leaves some.  Of two values
 * the earlier trains and the later validates; nothing is left to test.
 */
#ifndef AREAD_SOURCE_READ_SPLIT_CUTS_H
#define AREAD_SOURCE_READ_SPLIT_CUTS_H

#include "source/spec.h"

/* A value that could be the first of its split. */
typedef struct Cut
{
	uint64		number;			/* among the values, from 1 */
	int64		key;
} Cut;

/* What is known of the keys so far. */
typedef struct CutFinder
{
	bool		wants_valid;
	bool		wants_test;
	uint64		valid_rank;		/* number of the first row that should validate, from 0 */
	uint64		test_rank;
	uint64		n_rows;
	Cut			latest;
	Cut			second;			/* of the column's values */
	Cut			third;
	Cut			valid;			/* by the shares alone */
	Cut			test;
	Cut			before_test;
} CutFinder;

/* For n rows. */
extern void cuts_start(CutFinder *finder, const SourceOptions *options, uint64 n);
/* The next row's key; keys ascend. */
extern void cuts_add(CutFinder *finder, int64 key);
/* All keys are in.  Raises an error if the column, which is named, has one value only. */
extern void cuts_end(const CutFinder *finder, const char *column, SplitBounds *bounds);

#endif							/* AREAD_SOURCE_READ_SPLIT_CUTS_H */
