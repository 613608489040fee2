/*
 * encoding_cells.c
 *	  A counting sort brings the rows of a cell together; sums by fold follow.
 *
 * A pair takes two sorts, by b and then by a, and the first one serves all pairs of b.
 */
#include "engine/trees/encoding_cells.h"

#include <string.h>

/* Rows between two looks at the watch. */
#define CHECK_ROWS 50000

/* Rows of the prior's rate that every value and pair has beside its own. */
#define SMOOTHING 10.0

bool
cell_room(CellRoom *room, Arena *arena, const EncodingRows *rows, EngineError *error)
{
	const Shape *shape = &rows->data->shape;
	uint32_t	most = 0;

	for (int f = 0; f < shape->n_fields; f++)
		if (rows->columns[f] && encoding_n_values(rows, f) > most)
			most = encoding_n_values(rows, f);
	room->order = ARENA_ARRAY(arena, uint32_t, rows->n_rows);
	room->place = ARENA_ARRAY(arena, uint32_t, (size_t) most + 1);
	return arena_ok(arena, error);
}

bool
cells_sort(const EncodingRows *rows, int field, const uint32_t *from, CellRoom *room,
		   Watch *watch)
{
	const uint32_t *column = rows->columns[field];
	uint32_t   *place = room->place;
	uint32_t	n_values = encoding_n_values(rows, field);

	memset(place, 0, ((size_t) n_values + 1) * sizeof(uint32_t));
	for (size_t row = 0; row < rows->n_rows; row++)
		place[column[row] + 1]++;
	for (uint32_t v = 0; v < n_values; v++)
		place[v + 1] += place[v];
	for (size_t i = 0; i < rows->n_rows; i++)
	{
		uint32_t	row = from ? from[i] : (uint32_t) i;

		if (i % CHECK_ROWS == 0 && watch_stopped(watch))
			return false;
		room->order[place[column[row]]++] = row;
	}
	return true;
}

CellWalk
cell_walk(const EncodingRows *rows, int a, int b, const uint32_t *order, Watch *watch)
{
	return (CellWalk) {
		.rows = rows,.a = rows->columns[a],.b = b == NO_FIELD ? NULL : rows->columns[b],
		.order = order,.watch = watch
	};
}

/* A training row more. */
static inline void
add_row(const EncodingRows *rows, Cell *cell, uint32_t row)
{
	int			fold = rows->folds[row];
	double		weight = dataset_weight(rows->data, row);

	cell->n_train++;
	cell->weights[fold] += weight;
	if (rows->data->labels[row])
		cell->positives[fold] += weight;
}

bool
cell_next(CellWalk *walk, Cell *cell)
{
	const EncodingRows *rows = walk->rows;
	size_t		i = walk->next;

	if (i - walk->checked >= CHECK_ROWS)
	{
		walk->checked = i;
		if (watch_stopped(walk->watch))
			return false;
	}
	if (i == rows->n_rows)
		return false;
	*cell = (Cell) {.rows = walk->order + i,.a = walk->a[walk->order[i]]};
	if (walk->b)
		cell->b = walk->b[walk->order[i]];
	cell->unseen = cell->a == UNSEEN_ID || (walk->b && cell->b == UNSEEN_ID);
	for (; i < rows->n_rows; i++)
	{
		uint32_t	row = walk->order[i];

		if (walk->a[row] != cell->a || (walk->b && walk->b[row] != cell->b))
			break;
		if (row < rows->n_train)
			add_row(rows, cell, row);
	}
	cell->n = i - walk->next;
	walk->next = i;
	return true;
}

/* Of sums of training rows.  Those of a share of the rows count for all of them. */
static inline CellValue
value_of(const EncodingRows *rows, const Cell *cell, double positives, double weight,
		 double share)
{
	if (cell->unseen)
		positives = weight = 0;
	return (CellValue) {
		.rate = (positives + SMOOTHING * rows->prior) / (weight + SMOOTHING),
		.count = weight / share
	};
}

CellValue
cell_value(const EncodingRows *rows, const Cell *cell)
{
	double		weight = 0;
	double		positives = 0;

	for (int f = 0; f < ENCODING_FOLDS; f++)
	{
		weight += cell->weights[f];
		positives += cell->positives[f];
	}
	return value_of(rows, cell, positives, weight, 1);
}

CellValue
cell_value_without(const EncodingRows *rows, const Cell *cell, int fold)
{
	double		weight = 0;
	double		positives = 0;

	for (int f = 0; f < ENCODING_FOLDS; f++)
		if (f != fold)
		{
			weight += cell->weights[f];
			positives += cell->positives[f];
		}
	return value_of(rows, cell, positives, weight, (ENCODING_FOLDS - 1.0) / ENCODING_FOLDS);
}
