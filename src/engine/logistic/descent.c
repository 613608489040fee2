/*
 * descent.c
 *	  Sweeps over fields until they settle; start, copies and statistics.
 *
 * A sweep visits field after field.  After the second sweep and each later one, the
 * weights go on along the line of the sweep (extrapolate.c).
 *
 * Memory: 16 bytes for each row (RowState), 4 more for the logits at a sweep's
 * start, 4 for each row and field (cells.c), and a copy of all weights.
 *
 * Threads: each visit is a few jobs, one after the other, over all rows or cells.
 * A job's parts write to rows, cells or values of their own (state.h).
 */
#include "engine/logistic/descent.h"

#include <string.h>

#include "engine/logistic/extrapolate.h"
#include "engine/logistic/field_step_dense.h"
#include "engine/logistic/field_step_lists.h"
#include "engine/logistic/field_step_values.h"

/* Steps below that share of the tolerance are not worth a walk over their rows. */
#define NO_STEP 0.1

/* Rows at the bias alone. */
static void
start_part(void *context, int part, int thread)
{
	Descent    *descent = context;
	PartRange	range = part_range(descent->n_rows, part);

	(void) thread;
	for (size_t row = range.from; row < range.to; row++)
	{
		double		weight = dataset_weight(descent->data, row);

		descent->rows[row].weight = (real) (descent->data->labels[row] ? weight : -weight);
		descent->rows[row].logit = (real) descent->bias;
		row_state_set(&descent->rows[row]);
	}
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

/* Make the field's weights part of rows' logits, which do not know of them yet. */
static bool
place_field(Descent *descent, int field, EngineError *error)
{
	Visit		visit = visit_of(descent, field);

	if (!descent_run(descent, weights_part, &visit, descent_parts(visit.cells->n_cells), error))
		return false;
	if (descent->data->shape.field_is_list[field])
		return visit_move_lists(&visit, error);
	return visit_move(&visit, error);
}

bool
descent_refresh(Descent *descent, EngineError *error)
{
	if (!descent_run(descent, start_part, descent, descent_parts(descent->n_rows), error))
		return false;
	for (int f = 0; f < descent->n_fields; f++)
		if (!place_field(descent, f, error))
			return false;
	return true;
}

static void
add_statistics(BlockStatistics *statistics, double h, double l2, double w)
{
	statistics->determined += h / (h + l2);
	statistics->squares += w * w;
	statistics->effect += h * w * w;
}

bool
descent_statistics(Descent *descent, int field, BlockStatistics statistics[2],
				   EngineError *error)
{
	Visit		visit = visit_of(descent, field);
	const Cells *cells = visit.cells;
	const real *pair_weights = cells->pairs ? descent->weights[descent->n_fields + field] : NULL;
	const RowSums *sums = descent->sums;

	statistics[0] = statistics[1] = (BlockStatistics) {0};
	if (!(shape_is_dense(&descent->data->shape, field) ? visit_dense_sum : visit_sum)
		(&visit, error))
		return false;
	for (uint32_t v = 0; v < cells->n_values; v++)
	{
		double		h = (sums++)->curvature;

		for (uint32_t i = cells->pairs ? cells->pairs->start[v] : 0;
			 cells->pairs && i < cells->pairs->start[v + 1]; i++)
		{
			add_statistics(&statistics[1], sums->curvature,
						   descent->l2[descent->n_fields + field], pair_weights[i]);
			h += (sums++)->curvature;
		}
		add_statistics(&statistics[0], h, descent->l2[field], descent->weights[field][v]);
	}
	return true;
}

bool
descent_init(Descent *descent, Arena *arena, const Dataset *data, const DomainPairs *pairs,
			 double *l2, real *const *weights, double bias, Team *team,
			 const EngineHost *host, EngineError *error)
{
	size_t		most_cells = 0;
	bool		any_lists = false;

	*descent = (Descent) {
		.data = data,.n_fields = data->shape.n_fields,.l2 = l2,.weights = weights,
		.bias = bias,.n_rows = data->split_start[SPLIT_VALID],.team = team,
		.watch = {.host = host},.followers = {.leader = &descent->watch}
	};
	descent->cells = ARENA_ARRAY(arena, Cells, descent->n_fields);
	descent->held = ARENA_ARRAY(arena, bool, descent->n_fields);
	descent->rows = ARENA_ARRAY(arena, RowState, descent->n_rows);
	if (!arena_ok(arena, error) ||
		!cells_build(arena, data, pairs, team, &descent->watch, descent->cells, error))
		return false;
	for (int f = 0; f < descent->n_fields; f++)
	{
		if (descent->cells[f].n_cells > most_cells)
			most_cells = descent->cells[f].n_cells;
		any_lists |= data->shape.field_is_list[f];
	}
	descent->sums = ARENA_ARRAY(arena, RowSums, most_cells);
	descent->moves = ARENA_ARRAY(arena, real, most_cells);
	descent->of_row = any_lists ? ARENA_ARRAY(arena, real, descent->n_rows) : NULL;
	return arena_ok(arena, error) &&
		visit_dense_init(descent, arena, error) &&
		descent_copy_init(&descent->before, arena, descent, error) &&
		descent_refresh(descent, error);
}

void
descent_end(Descent *descent)
{
	if (descent->cells)
		cells_free(descent->data, descent->cells);
}

bool
descent_copy_init(DescentCopy *copy, Arena *arena, const Descent *descent, EngineError *error)
{
	copy->logits = ARENA_ARRAY(arena, real, descent->n_rows);
	copy->weights = ARENA_ARRAY(arena, real *, 2 * descent->n_fields);
	if (!arena_ok(arena, error))
		return false;
	for (int k = 0; k < 2 * descent->n_fields; k++)
		copy->weights[k] = ARENA_ARRAY(arena, real, descent_block_size(descent, k));
	return arena_ok(arena, error);
}

/* Rows one way or the other. */
typedef struct CopyJob
{
	Descent    *descent;
	DescentCopy *copy;
	bool		back;
} CopyJob;

static void
copy_part(void *context, int part, int thread)
{
	const CopyJob *job = context;
	PartRange	range = part_range(job->descent->n_rows, part);

	(void) thread;
	for (size_t row = range.from; row < range.to; row++)
	{
		RowState   *state = &job->descent->rows[row];

		if (!job->back)
			job->copy->logits[row] = state->logit;
		else if (state->logit != job->copy->logits[row])
		{
			state->logit = job->copy->logits[row];
			row_state_set(state);
		}
	}
}

static bool
copy_all(Descent *descent, DescentCopy *copy, bool back, EngineError *error)
{
	CopyJob		job = {descent, copy, back};

	for (int k = 0; k < 2 * descent->n_fields; k++)
	{
		size_t		size = descent_block_size(descent, k) * sizeof(real);

		if (size > 0)
			memcpy(back ? descent->weights[k] : copy->weights[k],
				   back ? copy->weights[k] : descent->weights[k], size);
	}
	if (back)
		descent->bias = copy->bias;
	else
		copy->bias = descent->bias;
	return descent_run(descent, copy_part, &job, descent_parts(descent->n_rows), error);
}

bool
descent_keep(Descent *descent, DescentCopy *copy, EngineError *error)
{
	return copy_all(descent, copy, false, error);
}

bool
descent_return(Descent *descent, DescentCopy *copy, EngineError *error)
{
	return copy_all(descent, copy, true, error);
}

bool
descent_visit(Descent *descent, int field, double tolerance, EngineError *error)
{
	bool		is_list = descent->data->shape.field_is_list[field];

	return (is_list ? visit_lists : visit_values) (descent, field, NO_STEP * tolerance, error);
}

bool
descent_minimize(Descent *descent, int first_field, double tolerance, int max_sweeps,
				 EngineError *error)
{
	/* a move m of a row's logit lowers its loss by p (1 - p) m^2 / 2, where p (1 - p) is some 0.2 */
	double		min_decrease = 0.1 * tolerance * tolerance * descent->n_rows;

	descent->converged = false;
	for (int sweep = 0; sweep < max_sweeps && !descent->converged; sweep++)
	{
		if (!descent_keep(descent, &descent->before, error))
			return false;
		descent->largest_step = 0;
		descent->decrease = 0;
		for (int i = 0; i < descent->n_fields; i++)
		{
			int			f = (first_field + i) % descent->n_fields;

			if (!descent->held[f] && !descent_visit(descent, f, tolerance, error))
				return false;
		}
		descent->sweeps++;
		if (sweep > 0 && !descent_extend(descent, error))
			return false;
		descent->converged = descent->largest_step <= tolerance ||
			descent->decrease <= min_decrease;
	}
	return true;
}
