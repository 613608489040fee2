/*
 * descent.c
 *	  Sweeps over fields until they settle; start, copies and statistics.
 */
#include "engine/logistic/field_step.h"

#include <string.h>

/* Rows of a part, at least: some tenths of a millisecond of work. */
#define PART_ROWS 4096
/* Steps below that share of the tolerance are not worth a walk over their rows. */
#define NO_STEP 0.1

int
descent_parts(size_t n)
{
	size_t		parts = (n + PART_ROWS - 1) / PART_ROWS;

	return parts < 1 ? 1 : parts > MAX_PARTS ? MAX_PARTS : (int) parts;
}

/*
 * Newton's step, shortened where it is long: with third derivatives no larger
 * than second ones (as the logistic loss has them), a step that moves logits by up
 * to m goes down if it is at most log(1 + m) / m of Newton's; up to 1 all of it does.
 */
double
descent_step_length(double largest_move)
{
	return largest_move > 1 ? log1p(largest_move) / largest_move : 1;
}

/* Rows at the bias alone. */
static void
start_part(void *context, int part, int thread)
{
	Descent    *descent = context;
	int			n_parts = descent_parts(descent->n_rows);
	size_t		to = part_start(descent->n_rows, n_parts, part + 1);

	(void) thread;
	for (size_t row = part_start(descent->n_rows, n_parts, part); row < to; row++)
	{
		double		weight = dataset_weight(descent->data, row);

		descent->rows[row].weight = (real) (descent->data->labels[row] ? weight : -weight);
		descent->rows[row].logit = (real) descent->bias;
		visit_set_row(&descent->rows[row]);
	}
}

bool
descent_refresh(Descent *descent, EngineError *error)
{
	if (!visit_run(descent, start_part, descent, descent_parts(descent->n_rows), error))
		return false;
	for (int f = 0; f < descent->n_fields; f++)
		if (!visit_place(descent, f, error))
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
	if (!visit_sum(&visit, error))
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

size_t
descent_block_size(const Descent *descent, int block)
{
	const Cells *cells = &descent->cells[block % descent->n_fields];

	if (block < descent->n_fields)
		return cells->n_values;
	return cells->pairs ? cells->pairs->n_pairs : 0;
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
	size_t		n = job->descent->n_rows;
	size_t		to = part_start(n, descent_parts(n), part + 1);

	(void) thread;
	for (size_t row = part_start(n, descent_parts(n), part); row < to; row++)
	{
		RowState   *state = &job->descent->rows[row];

		if (!job->back)
			job->copy->logits[row] = state->logit;
		else if (state->logit != job->copy->logits[row])
		{
			state->logit = job->copy->logits[row];
			visit_set_row(state);
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
	return visit_run(descent, copy_part, &job, descent_parts(descent->n_rows), error);
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
