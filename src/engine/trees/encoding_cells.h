/*
 * encoding_cells.h
 *	  Rows by the value of a field, or of two: cells, and what their rows tell.
 */
#ifndef AREAD_ENGINE_TREES_ENCODING_CELLS_H
#define AREAD_ENGINE_TREES_ENCODING_CELLS_H

#include "engine/trees/encoding_folds.h"
#include "engine/trees/encoding_rows.h"

/* A thread's room for the order of rows. */
typedef struct CellRoom
{
	uint32_t   *order;			/* [n_rows] */
	uint32_t   *place;			/* [most rows of a table + 1] */
} CellRoom;

/* Errors: lack of memory. */
extern bool cell_room(CellRoom *room, Arena *arena, const EncodingRows *rows, EngineError *error);
/*
 * Rows by a field's values -> room->order.  Rows of one value stay as they are in
 * "from" [n_rows] (NULL: by number).  false: stopped.
 */
extern bool cells_sort(const EncodingRows *rows, int field, const uint32_t *from, CellRoom *room,
					   Watch *watch);

/* All rows of one value, or of one pair of values. */
typedef struct Cell
{
	const uint32_t *rows;		/* [n], training rows and validation rows */
	size_t		n;
	size_t		n_train;		/* training rows among them */
	uint32_t	a;				/* the values */
	uint32_t	b;
	bool		unseen;			/* one of them is UNSEEN_ID */
	/* by fold, of training rows */
	double		weights[ENCODING_FOLDS];
	double		positives[ENCODING_FOLDS];
} Cell;

/* What a cell tells of one of its rows. */
typedef struct CellValue
{
	double		rate;			/* smoothed by the prior */
	double		count;			/* of rows, by weight */
} CellValue;

/* A walk over cells in the order of a's values, then b's. */
typedef struct CellWalk
{
	const EncodingRows *rows;
	const uint32_t *a;			/* columns */
	const uint32_t *b;			/* NULL: values of a alone */
	const uint32_t *order;		/* rows by a, those of one value by b */
	size_t		next;			/* of order */
	Watch	   *watch;
	size_t		checked;		/* when the watch was looked at */
} CellWalk;

extern CellWalk cell_walk(const EncodingRows *rows, int a, int b, const uint32_t *order,
						  Watch *watch);
/* The next cell; false: that was the last one, or the watch has stopped. */
extern bool cell_next(CellWalk *walk, Cell *cell);
/* Of all training rows: what scoring and validation rows see. */
extern CellValue cell_value(const EncodingRows *rows, const Cell *cell);
/*
 * For a training row of this fold: of those in other folds, counted as if they were
 * all.  Its own group's labels have no part in it, not even by rounding.
 */
extern CellValue cell_value_without(const EncodingRows *rows, const Cell *cell, int fold);
/* The one of these two that is a row's. */
static inline CellValue
cell_value_for(const EncodingRows *rows, const Cell *cell, uint32_t row)
{
	return row < rows->n_train ? cell_value_without(rows, cell, rows->folds[row]) :
		cell_value(rows, cell);
}

#endif							/* AREAD_ENGINE_TREES_ENCODING_CELLS_H */
