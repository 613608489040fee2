/*
 * field_step.c
 *	  A field's visit: sums over a cell's rows, Newton steps, and the rows'
 *	  state moved along.
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

bool
visit_run(Descent *descent, TeamTask task, void *context, int n, EngineError *error)
{
	team_run(descent->team, &descent->watch, task, context, n);
	return !descent->watch.stopped || watch_continue(&descent->watch, error);
}

uint32_t
visit_value(const Visit *visit, int part)
{
	const Cells *cells = visit->cells;
	size_t		cell = part_start(cells->n_cells, descent_parts(cells->n_cells), part);
	uint32_t	low = 0;
	uint32_t	high = cells->n_values;

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

	if (shape_is_dense(&descent->data->shape, visit->field))
		return visit_dense_sum(visit, error);
	if ((descent->data->shape.field_is_list[visit->field] && !visit_find_shares(visit, error)) ||
		!visit_run(descent, sum_part, visit, visit->n_parts, error))
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

/*
 * A value's sums once the weights of its pairs follow the value's: minimizing
 * the quadratic model over a pair's step d for a shift s of its rows leaves
 * (g - h (g + l w) / (h + l)) s + h l / (h + l) s^2 / 2.
 */
static RowSums
reduce_value(const Visit *visit, uint32_t value)
{
	const Descent *descent = visit->descent;
	const DomainPairs *pairs = visit->cells->pairs;
	const RowSums *sums = descent->sums + cells_first(visit->cells, value);
	RowSums		reduced = *sums;
	double		l2;
	const real *weights;

	if (!pairs)
		return reduced;
	l2 = descent->l2[descent->n_fields + visit->field];
	weights = descent->weights[descent->n_fields + visit->field];
	for (uint32_t i = pairs->start[value]; i < pairs->start[value + 1]; i++)
	{
		double		h = (++sums)->curvature;
		double		share = h / (h + l2);

		reduced.gradient += sums->gradient - share * (sums->gradient + l2 * weights[i]);
		reduced.curvature += share * l2;
	}
	return reduced;
}

/* Just so, for the bias: what remains of values once they follow it. */
static void
reduce_part(void *context, int part, int thread)
{
	const Visit *visit = context;
	const Descent *descent = visit->descent;
	uint32_t	to = visit_value(visit, part + 1);
	double		l2 = descent->l2[visit->field];
	RowSums		bias = {0, 0};

	(void) thread;
	for (uint32_t v = visit_value(visit, part); v < to; v++)
	{
		RowSums		sums = reduce_value(visit, v);
		double		share = sums.curvature / (sums.curvature + l2);

		bias.gradient += sums.gradient -
			share * (sums.gradient + l2 * descent->weights[visit->field][v]);
		bias.curvature += share * l2;
	}
	visit->descent->parts[part].bias = bias;
}

/*
 * Steps of a value and of its pairs -> moves of their cells, the pairs' own.
 * Returns the share of them to take.
 */
static double
find_steps(const Visit *visit, uint32_t value, DescentPart *part)
{
	const Descent *descent = visit->descent;
	const DomainPairs *pairs = visit->cells->pairs;
	uint32_t	cell = cells_first(visit->cells, value);
	const RowSums *sums = descent->sums + cell;
	real	   *moves = descent->moves + cell;
	RowSums		reduced = reduce_value(visit, value);
	double		l2 = descent->l2[visit->field];
	double		penalty = l2 * descent->weights[visit->field][value];
	double		gradient = sums->gradient + penalty;
	double		step = -(reduced.gradient + penalty + reduced.curvature * visit->bias_step) /
		(reduced.curvature + l2);
	double		largest_step = fabs(step);
	double		largest_move = largest_step;

	*moves = (real) step;
	for (uint32_t i = pairs ? pairs->start[value] : 0; pairs && i < pairs->start[value + 1]; i++)
	{
		double		pair_l2 = descent->l2[descent->n_fields + visit->field];
		double		h = (++sums)->curvature;
		double		g = sums->gradient +
			pair_l2 * descent->weights[descent->n_fields + visit->field][i];
		double		pair_step = -(g + h * (visit->bias_step + step)) / (h + pair_l2);

		*++moves = (real) pair_step;
		largest_step = fmax(largest_step, fabs(pair_step));
		largest_move = fmax(largest_move, fabs(step + pair_step));
		gradient += sums->gradient;
		part->decrease -= g * pair_step / 2;
	}
	part->decrease -= gradient * step / 2;
	part->largest_step = fmax(part->largest_step, largest_step);
	return largest_step < visit->no_step ? 0 : descent_step_length(largest_move);
}

/* Take them; moves become those of cells' rows, by as much as weights do move. */
static void
take_steps(const Visit *visit, uint32_t value, double length)
{
	const Descent *descent = visit->descent;
	const DomainPairs *pairs = visit->cells->pairs;
	real	   *move = descent->moves + cells_first(visit->cells, value);
	real	   *weight = &descent->weights[visit->field][value];
	real		before = *weight;
	real		shared;

	*weight += (real) (length * *move);
	*move = shared = *weight - before;
	for (uint32_t i = pairs ? pairs->start[value] : 0; pairs && i < pairs->start[value + 1]; i++)
	{
		weight = &descent->weights[descent->n_fields + visit->field][i];
		before = *weight;
		*weight += (real) (length * *++move);
		*move = shared + (*weight - before);
	}
}

static void
step_part(void *context, int part, int thread)
{
	const Visit *visit = context;
	uint32_t	to = visit_value(visit, part + 1);
	DescentPart *sums = &visit->descent->parts[part];

	(void) thread;
	sums->largest_step = 0;
	sums->decrease = 0;
	for (uint32_t v = visit_value(visit, part); v < to; v++)
		take_steps(visit, v, find_steps(visit, v, sums));
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
		visit_set_row(row);
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
visit_values(Descent *descent, int field, double no_step, EngineError *error)
{
	Visit		visit = visit_of(descent, field);
	int			n_parts = descent_parts(visit.cells->n_cells);
	RowSums		bias = {0, 0};

	visit.no_step = no_step;
	if (!visit_sum(&visit, error) || !visit_run(descent, reduce_part, &visit, n_parts, error))
		return false;
	for (int part = 0; part < n_parts; part++)
	{
		bias.gradient += descent->parts[part].bias.gradient;
		bias.curvature += descent->parts[part].bias.curvature;
	}
	/* 1e-6: all rows may be certain */
	visit.bias_step = -bias.gradient / (bias.curvature + 1e-6);
	visit.bias_step *= descent_step_length(fabs(visit.bias_step));
	descent->decrease -= bias.gradient * visit.bias_step / 2;
	descent->largest_step = fmax(descent->largest_step, fabs(visit.bias_step));
	if (fabs(visit.bias_step) < no_step)
		visit.bias_step = 0;
	visit.bias_step = (real) visit.bias_step;
	descent->bias += visit.bias_step;
	if (!visit_run(descent, step_part, &visit, n_parts, error))
		return false;
	for (int part = 0; part < n_parts; part++)
	{
		descent->decrease += descent->parts[part].decrease;
		descent->largest_step = fmax(descent->largest_step, descent->parts[part].largest_step);
	}
	return visit_run(descent, move_part, &visit, visit.n_parts, error);
}

/* Moves that make a field's weights part of logits. */
static void
weights_part(void *context, int part, int thread)
{
	const Visit *visit = context;
	const Descent *descent = visit->descent;
	const DomainPairs *pairs = visit->cells->pairs;
	uint32_t	to = visit_value(visit, part + 1);

	(void) thread;
	for (uint32_t v = visit_value(visit, part); v < to; v++)
	{
		real	   *move = descent->moves + cells_first(visit->cells, v);

		*move++ = descent->weights[visit->field][v];
		for (uint32_t i = pairs ? pairs->start[v] : 0; pairs && i < pairs->start[v + 1]; i++)
			*move++ = descent->weights[visit->field][v] +
				descent->weights[descent->n_fields + visit->field][i];
	}
}

bool
visit_place(Descent *descent, int field, EngineError *error)
{
	Visit		visit = visit_of(descent, field);

	if (!visit_run(descent, weights_part, &visit, descent_parts(visit.cells->n_cells), error))
		return false;
	if (descent->data->shape.field_is_list[field])
		return visit_place_lists(&visit, error);
	return visit_run(descent, move_part, &visit, visit.n_parts, error);
}
