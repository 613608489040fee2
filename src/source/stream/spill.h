/*
 * spill.h
 *	  A source's rows, as slim as can be, in memory up to work_mem and then in
 *	  a temporary file.
 */
#ifndef AREAD_SOURCE_STREAM_SPILL_H
#define AREAD_SOURCE_STREAM_SPILL_H

#include "postgres.h"
#include "access/htup_details.h"
#include "executor/tuptable.h"
#include "utils/tuplestore.h"

/* A value out of the vocabulary of domain, user or item in another column. */
typedef struct SharedId
{
	uint32		vocabulary;
	uint32		id;
} SharedId;

typedef struct SpillRow
{
	int64		split_key;
	uint64		hash;			/* of its features; not kept without the whole row */
	uint32		domain;
	uint32		user;
	uint32		item;
	bool		label;
	uint32		n_shared;
	const SharedId *shared;		/* [n_shared] */
	HeapTupleHeader whole;		/* the source's row; NULL: not kept */
} SpillRow;

typedef struct Spill
{
	TupleDesc	descriptor;
	Tuplestorestate *rows;
	TupleTableSlot *slot;
} Spill;

/* In the current memory context; row_type is that of the whole rows. */
extern void spill_init(Spill *spill, Oid row_type);
/* Append a row. */
extern void spill_put(Spill *spill, const SpillRow *row);
/* The next row, valid until the next call; false: that was all. */
extern bool spill_next(Spill *spill, SpillRow *row);
/* Back to the first row. */
extern void spill_rewind(Spill *spill);
/* Give memory and file back. */
extern void spill_end(Spill *spill);

/* A column of tuples to keep; values of variable length stay as they are, to be used in place. */
extern void spill_column(TupleDesc descriptor, AttrNumber number, Oid type);

#endif							/* AREAD_SOURCE_STREAM_SPILL_H */
