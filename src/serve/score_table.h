/*
 * score_table.h
 *	  Rows of ids to be scored, as many as come.
 *
 * Unlike InputRows (input.h), which hold a batch, rows are any number, are added
 * and taken away at the end, and are set by their number.
 */
#ifndef AREAD_SERVE_SCORE_TABLE_H
#define AREAD_SERVE_SCORE_TABLE_H

#include "engine/score/score.h"
#include "source/spec.h"

typedef struct ScoreTable
{
	const FeatureSpec *spec;
	MemoryContext context;
	uint32	   *ids;			/* [n_rows, n_features] */
	Size		n_rows;
	Size		max_rows;
	uint64	   *list_start;		/* [n_lists + 1] */
	uint32		n_lists;		/* list 0 is the one of a missing value */
	uint32		max_lists;
	uint32	   *members;
	Size		max_members;
	uint32	   *shared;			/* [n_slots] lists by a hash of their members; 0: none; NULL: none are shared */
	uint32		n_slots;		/* a power of 2 */
} ScoreTable;

extern void score_table_init(ScoreTable *table, const FeatureSpec *spec, MemoryContext context);
/* A row more, every feature missing; returns its number. */
extern Size score_table_add(ScoreTable *table);
/* A list more; returns its number. */
extern uint32 score_table_add_list(ScoreTable *table, const uint32 *members, Size n);
extern void score_table_set_list(ScoreTable *table, Size row, int feature, const uint32 *members,
								 Size n);
/* Number of a list of these members: the same one whenever it is asked for. */
extern uint32 score_table_share_list(ScoreTable *table, const uint32 *members, Size n);
/* No more lists are shared: what finds them is given back. */
extern void score_table_end_sharing(ScoreTable *table);
/* Take away what was added since there were so many rows and lists. */
extern void score_table_cut(ScoreTable *table, Size n_rows, uint32 n_lists);

/* Ids of a row [n_features]; until one is added. */
static inline uint32 *
score_table_row(const ScoreTable *table, Size row)
{
	return table->ids + row * table->spec->n_features;
}

#endif							/* AREAD_SERVE_SCORE_TABLE_H */
