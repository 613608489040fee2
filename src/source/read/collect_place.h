/*
 * collect_place.h
 *	  Collected rows into a dataset: final ids, in an order that does not
 *	  depend on the order of reading.
 */
#ifndef AREAD_SOURCE_READ_COLLECT_PLACE_H
#define AREAD_SOURCE_READ_COLLECT_PLACE_H

#include "source/read/collect.h"
#include "source/row_counts.h"

/* A column of keys, and something of each id of its vocabulary. */
typedef struct KeyColumn
{
	int			feature;
	int			vocabulary;
	bool		is_list;
	uint32	   *of_id;			/* by provisional id: how many, or the final one */
} KeyColumn;

/* A column of numbers. */
typedef struct NumberColumn
{
	int			feature;
	const double *numbers;		/* [n_rows] */
} NumberColumn;

/* From a collected row's ids to final ones. */
typedef struct FinalIds
{
	int			n_keys;
	KeyColumn  *keys;
	int			n_numbers;
	NumberColumn *numbers;
	int			n_counts;
	RowCounts  *counts;			/* of the n_counts features behind the columns */
} FinalIds;

/* So many rows ahead memory is fetched for a row. */
#define ROWS_AHEAD 8

/* What a row will read of the columns' arrays is fetched from memory. */
static inline void
prefetch_ids(const uint32 *ids, const KeyColumn *columns, int n)
{
	for (int i = 0; i < n; i++)
		if (!columns[i].is_list)
			__builtin_prefetch(&columns[i].of_id[ids[columns[i].feature]]);
}

/* Rows ordered by split and content; gives the collected rows' memory back. */
extern Dataset *collector_place(Collector *collector, const FinalIds *final);

#endif							/* AREAD_SOURCE_READ_COLLECT_PLACE_H */
