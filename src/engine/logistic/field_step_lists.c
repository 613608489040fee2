/*
 * field_step_lists.c
 *	  A list field's visit: its members' weights move together, and so do those
 *	  of a dense field's components.
 *
 * Each value has a Newton step of its own.  A job adds up what these steps,
 * taken together, move each row by, and the derivatives along that line; then all
 * of them are taken, as far as Newton's method says for the line.
 */
#include "engine/logistic/field_step_lists.h"

#include "engine/logistic/field_step_dense.h"

/* Own Newton steps of a list field's values. */
static void
list_step_part(void *context, int part, int thread)
{
	const Visit *visit = context;
	const Descent *descent = visit->descent;
	DescentPart *sums = &visit->descent->parts[part];
	double		l2 = descent->l2[visit->field];
	uint32_t	to = visit_value(visit, part + 1);

	(void) thread;
	*sums = (DescentPart) {0};
	for (uint32_t v = visit_value(visit, part); v < to; v++)
	{
		double		g = descent->sums[v].gradient + l2 * descent->weights[visit->field][v];
		double		step = -g / (descent->sums[v].curvature + l2);

		descent->moves[v] = (real) step;
		sums->slope += g * step;
		sums->bend += l2 * step * step;
		sums->largest_step = fmax(sums->largest_step, fabs(step));
	}
}

static bool
list_steps(Visit *visit, DescentPart *sum, EngineError *error)
{
	const Descent *descent = visit->descent;
	int			n_parts = descent_parts(visit->cells->n_cells);

	if (!descent_run(visit->descent, list_step_part, visit, n_parts, error))
		return false;
	for (int part = 0; part < n_parts; part++)
	{
		sum->slope += descent->parts[part].slope;
		sum->bend += descent->parts[part].bend;
		sum->largest_step = fmax(sum->largest_step, descent->parts[part].largest_step);
	}
	return true;
}

/* What the moves of values, all together, move rows by -> descent->of_row. */
static void
list_move_part(void *context, int part, int thread)
{
	const Visit *visit = context;
	const Descent *descent = visit->descent;
	DescentPart *sums = &visit->descent->parts[part];
	PartRange	range = part_range(descent->n_rows, part);
	Watch	   *watch = thread == 0 ? &visit->descent->watch : &visit->descent->followers;

	*sums = (DescentPart) {0};
	for (size_t row = range.from; row < range.to && !watch->stopped; row++)
	{
		double		move = row_value(descent, row, visit->field, descent->moves, watch);

		descent->of_row[row] = (real) move;
		sums->bend += descent->rows[row].curvature * move * move;
		sums->largest_move = fmax(sums->largest_move, fabs(move));
	}
}

static void
list_take_part(void *context, int part, int thread)
{
	const Visit *visit = context;
	const Descent *descent = visit->descent;
	PartRange	range = part_range(descent->n_rows, part);

	(void) thread;
	for (size_t row = range.from; row < range.to; row++)
	{
		if (descent->of_row[row] == 0)
			continue;
		descent->rows[row].logit += (real) (visit->length * descent->of_row[row]);
		row_state_set(&descent->rows[row]);
	}
}

bool
visit_lists(Descent *descent, int field, double no_step, EngineError *error)
{
	Visit		visit = visit_of(descent, field);
	bool		dense = shape_is_dense(&descent->data->shape, field);
	int			row_parts = descent_parts(descent->n_rows);
	DescentPart sum = {.slope = 0};

	if (!(dense ? visit_dense_sum : visit_sum) (&visit, error) ||
		!(dense ? visit_dense_steps : list_steps) (&visit, &sum, error))
		return false;
	descent->largest_step = fmax(descent->largest_step, sum.largest_step);
	if (sum.largest_step < no_step || sum.slope >= 0)
		return true;
	if (!descent_run(descent, list_move_part, &visit, row_parts, error))
		return false;
	for (int part = 0; part < row_parts; part++)
	{
		sum.bend += descent->parts[part].bend;
		sum.largest_move = fmax(sum.largest_move, descent->parts[part].largest_move);
	}
	visit.length = -sum.slope / sum.bend;
	descent->decrease -= visit.length * sum.slope / 2;
	visit.length *= descent_step_length(visit.length * sum.largest_move);
	for (uint32_t v = 0; v < visit.cells->n_values; v++)
		descent->weights[field][v] += (real) (visit.length * descent->moves[v]);
	return descent_run(descent, list_take_part, &visit, row_parts, error);
}

bool
visit_move_lists(Visit *visit, EngineError *error)
{
	int			row_parts = descent_parts(visit->descent->n_rows);

	visit->length = 1;
	return descent_run(visit->descent, list_move_part, visit, row_parts, error) &&
		descent_run(visit->descent, list_take_part, visit, row_parts, error);
}
