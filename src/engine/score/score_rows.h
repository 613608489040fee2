/*
 * score_rows.h
 *	  What is scored, and by what.
 */
#ifndef AREAD_ENGINE_SCORE_SCORE_ROWS_H
#define AREAD_ENGINE_SCORE_SCORE_ROWS_H

#include "engine/base/base.h"

typedef struct Scorer Scorer;

/* Rows to score; the fields as in Dataset. */
typedef struct ScoreRows
{
	size_t		n_rows;
	const uint32_t *ids;		/* [n_rows, n_fields] */
	const uint64_t *list_start;
	const uint32_t *list_members;
	/* [n_rows] a list that is the row's history, or 0: the one that the model has; NULL: 0 each */
	const uint32_t *histories;
	/*
	 * They are lines of so many rows each (0: one line), and what goes faster if lines, or rows
	 * that stand below each other, have values in common, goes by it.  No score does.
	 */
	size_t		across;
} ScoreRows;

#endif							/* AREAD_ENGINE_SCORE_SCORE_ROWS_H */
