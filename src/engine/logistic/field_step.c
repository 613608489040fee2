/*
 * field_step.c
 *	  A field's visit: sums over each cell's rows, and the rows' state moved
 *	  along.
 *
 * Both walk over the field's rows, sorted by cell, in parts of as many rows
 * each.  A cell may begin in one part and end in another: sums of its later rows
 * are added to it once all parts are done.
 */
#include "engine/logistic/field_step.h"

/* A cell's rows lie all over: so many ahead memory is fetched for one. */
#define AHEAD 16

Visit
visit_of(Descent *descent, int field)
{
	const Cells *cells = &descent->cells[field];
	Visit		visit = {.descent = descent,.field = field,.cells = cells};

	visit.n = cells->start[cells->n_cells];
	visit.n_parts = descent_parts(visit.n);
	return visit;
}

uint32_t
visit_value(const Visit *visit, int part)
{
	const Cells *cells = visit->cells;
	size_t		cell = part_start(cells->n_cells, descent_parts(cells->n_cells), part);
	uint32_t	low = 0;
	uint32_t	high = cells->n_values;

	/* by halves; what is looked through is computed, no array */
	if (!cells->pairs)
		return (uint32_t) cell;
	while (low < high)
	{
		uint32_t	middle = low + (high - low) / 2;

		if (cells_first(cells, middle) < cell)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static inline void
prefetch_row(const Visit *visit, size_t place)
{
	if (place + AHEAD < visit->n)
		__builtin_prefetch(&visit->descent->rows[visit->cells->rows[place + AHEAD]]);
}

/* Of the rows at places from .. to - 1.  A list's member has 1 / length of a row. */
static RowSums
sum_rows(const Visit *visit, size_t from, size_t to)
{
	const RowState *states = visit->descent->rows;
	const uint32_t *rows = visit->cells->rows;
	RowSums		sums = {0, 0};

	if (!visit->descent->data->shape.field_is_list[visit->field])
		for (size_t i = from; i < to; i++)
		{
			prefetch_row(visit, i);
			sums.gradient += states[rows[i]].gradient;
			sums.curvature += states[rows[i]].curvature;
		}
	else
		for (size_t i = from; i < to; i++)
		{
			double		share = visit->descent->of_row[rows[i]];

			prefetch_row(visit, i);
			sums.gradient += share * states[rows[i]].gradient;
			sums.curvature += share * share * states[rows[i]].curvature;
		}
	return sums;
}

/* The cells that start in a part; the last part has all that remain. */
static void
cells_of_part(const Visit *visit, int part, uint32_t *from, uint32_t *to)
{
	*from = cells_from(visit->cells, part_start(visit->n, visit->n_parts, part));
	*to = part == visit->n_parts - 1 ? visit->cells->n_cells :
		cells_from(visit->cells, part_start(visit->n, visit->n_parts, part + 1));
}

static inline size_t
smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/*
 * Each member's share of its row: 1 / length of the list.  It is found in the
 * order of rows: by member, lists would be read at random addresses.
 */
static void
share_part(void *context, int part, int thread)
{
	const Visit *visit = context;
	const Descent *descent = visit->descent;
	PartRange	range = part_range(descent->n_rows, part);

	(void) thread;
	for (size_t row = range.from; row < range.to; row++)
	{
		const uint32_t *members;

		descent->of_row[row] = (real) 1 / dataset_members(descent->data, row, visit->field, &members);
	}
}

static bool
find_shares(Visit *visit, EngineError *error)
{
	return descent_run(visit->descent, share_part, visit, descent_parts(visit->descent->n_rows),
					 error);
}

static void
sum_part(void *context, int part, int thread)
{
	const Visit *visit = context;
	const uint32_t *start = visit->cells->start;
	size_t		end = part_start(visit->n, visit->n_parts, part + 1);
	uint32_t	from;
	uint32_t	to;

	(void) thread;
	cells_of_part(visit, part, &from, &to);
	visit->descent->parts[part].head =
		sum_rows(visit, part_start(visit->n, visit->n_parts, part), smaller(start[from], end));
	for (uint32_t c = from; c < to; c++)
		visit->descent->sums[c] = sum_rows(visit, start[c], smaller(start[c + 1], end));
}

bool
visit_sum(Visit *visit, EngineError *error)
{
	Descent    *descent = visit->descent;

	if ((descent->data->shape.field_is_list[visit->field] && !find_shares(visit, error)) ||
		!descent_run(descent, sum_part, visit, visit->n_parts, error))
		return false;
	for (int part = 1; part < visit->n_parts; part++)
	{
		uint32_t	from;
		uint32_t	to;

		cells_of_part(visit, part, &from, &to);
		if (from == 0)
			continue;
		descent->sums[from - 1].gradient += descent->parts[part].head.gradient;
		descent->sums[from - 1].curvature += descent->parts[part].head.curvature;
	}
	return true;
}

static void
move_rows(const Visit *visit, size_t from, size_t to, real move)
{
	RowState   *states = visit->descent->rows;
	const uint32_t *rows = visit->cells->rows;

	if (move == 0)
		return;
	for (size_t i = from; i < to; i++)
	{
		RowState   *row = &states[rows[i]];

		prefetch_row(visit, i);
		row->logit += move;
		row_state_set(row);
	}
}

static void
move_part(void *context, int part, int thread)
{
	const Visit *visit = context;
	const uint32_t *start = visit->cells->start;
	const real *moves = visit->descent->moves;
	real		bias = (real) visit->bias_step;
	size_t		end = part_start(visit->n, visit->n_parts, part + 1);
	uint32_t	from;
	uint32_t	to;

	(void) thread;
	cells_of_part(visit, part, &from, &to);
	if (from > 0)
		move_rows(visit, part_start(visit->n, visit->n_parts, part), smaller(start[from], end),
				  moves[from - 1] + bias);
	for (uint32_t c = from; c < to; c++)
		move_rows(visit, start[c], smaller(start[c + 1], end), moves[c] + bias);
}

bool
visit_move(Visit *visit, EngineError *error)
{
	return descent_run(visit->descent, move_part, visit, visit->n_parts, error);
}
