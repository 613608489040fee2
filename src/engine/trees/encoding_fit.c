/*
 * encoding_fit.c
 *	  Rows are sorted into cells, and a walk over these gives rows and table their
 *	  values.
 */
#include "engine/trees/encoding_fit.h"

#include <math.h>
#include <string.h>

bool
encoding_room(EncodingRoom *room, Arena *arena, const EncodingRows *rows, EngineError *error)
{
	return cell_room(&room->by_second, arena, rows, error) &&
		cell_room(&room->by_cell, arena, rows, error);
}

static inline float
rate_input(CellValue value)
{
	return (float) log(value.rate / (1 - value.rate));
}

static inline float
count_input(CellValue value)
{
	return (float) log1p(value.count);
}

void
encoding_unseen(const EncodingRows *rows, float *unseen)
{
	CellValue	value = {.rate = rows->prior};

	unseen[0] = rate_input(value);
	unseen[1] = count_input(value);
}

/* Pairs of training rows, counted for each value of a -> start [n_values + 1]. */
static void
count_cells(CellWalk walk, uint32_t n_values, uint32_t *start)
{
	Cell		cell;

	while (cell_next(&walk, &cell))
		if (cell.n_train > 0 && !cell.unseen)
			start[cell.a + 1]++;
	for (uint32_t v = 0; v < n_values; v++)
		start[v + 1] += start[v];
}

/* A table of the right size, all of it unseen. */
static bool
new_table(Arena *arena, const CellWalk *walk, int a, int b, Encoding *encoding, uint32_t **second,
		  float **values, EngineError *error)
{
	uint32_t	n_values = encoding_n_values(walk->rows, a);
	float		unseen[ENCODING_INPUTS];

	*encoding = (Encoding) {.a = a,.b = b,.n_values = n_values,.n_cells = n_values};
	if (b != NO_FIELD)
	{
		uint32_t   *start = ARENA_ARRAY(arena, uint32_t, (size_t) n_values + 1);

		if (!arena_ok(arena, error))
			return false;
		count_cells(*walk, n_values, start);
		if (walk->watch->stopped)
			return watch_continue(walk->watch, error);
		encoding->start = start;
		encoding->n_cells = start[n_values];
		encoding->second = *second = ARENA_ARRAY(arena, uint32_t, encoding->n_cells);
	}
	encoding->values = *values = ARENA_ARRAY(arena, float,
											 (size_t) ENCODING_INPUTS * encoding->n_cells);
	if (!arena_ok(arena, error))
		return false;
	encoding_unseen(walk->rows, unseen);
	for (size_t cell = 0; cell < encoding->n_cells; cell++)
		memcpy(*values + ENCODING_INPUTS * cell, unseen, sizeof(unseen));
	return true;
}

/* The table's entries, in the order of the walk. */
static void
fill_table(CellWalk walk, uint32_t *second, float *values)
{
	size_t		n = 0;
	Cell		cell;

	while (cell_next(&walk, &cell))
	{
		CellValue	value = cell_value(walk.rows, &cell);

		if (cell.n_train == 0 || cell.unseen)
			continue;
		if (second)
			second[n] = cell.b;
		else
			n = cell.a;
		values[ENCODING_INPUTS * n] = rate_input(value);
		values[ENCODING_INPUTS * n + 1] = count_input(value);
		n++;
	}
}

static void
fill_rows(CellWalk walk, float *rates, float *counts)
{
	Cell		cell;

	while (cell_next(&walk, &cell))
		for (size_t i = 0; i < cell.n; i++)
		{
			CellValue	value = cell_value_for(walk.rows, &cell, cell.rows[i]);

			rates[cell.rows[i]] = rate_input(value);
			counts[cell.rows[i]] = count_input(value);
		}
}

bool
encoding_fit(Arena *arena, const EncodingRows *rows, int a, int b, EncodingRoom *room,
			 const EngineHost *host, float *rates, float *counts, Encoding *encoding,
			 EngineError *error)
{
	Watch		watch = {.host = host};
	const uint32_t *by_second = NULL;
	uint32_t   *second = NULL;
	float	   *values = NULL;
	CellWalk	walk;

	if (b != NO_FIELD)
	{
		if (!cells_sort(rows, b, NULL, &room->by_second, &watch))
			return watch_continue(&watch, error);
		by_second = room->by_second.order;
	}
	if (!cells_sort(rows, a, by_second, &room->by_cell, &watch))
		return watch_continue(&watch, error);
	walk = cell_walk(rows, a, b, room->by_cell.order, &watch);
	fill_rows(walk, rates, counts);
	if (encoding && !watch.stopped)
	{
		if (!new_table(arena, &walk, a, b, encoding, &second, &values, error))
			return false;
		fill_table(walk, second, values);
	}
	return watch_continue(&watch, error);
}
