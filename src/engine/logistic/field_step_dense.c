/*
 * field_step_dense.c
 *	  A dense field's visit: the step of its components' weights.
 *
 * Numbers of a vector go together, and each row has all of them.  So the step
 * solves (X^T C X + l2) step = -gradient, with the rows' vectors X and curvatures
 * C, by a few rounds of conjugate gradients, each a walk over the rows; the next
 * sweep mends what they leave.  Row UNSEEN_ID, a one in every vector, is the bias'
 * matter and stays at 0.
 */
#include "engine/logistic/field_step_dense.h"

#include <string.h>

/* Rounds at most, and which share of the gradient's squared norm is left to the next sweep. */
#define MAX_ROUNDS 4
#define REST 0.01

bool
visit_dense_init(Descent *descent, Arena *arena, EngineError *error)
{
	const Shape *shape = &descent->data->shape;
	DenseScratch *scratch = &descent->dense;
	size_t		values = 0;

	for (int f = 0; f < descent->n_fields; f++)
		if (shape_is_dense(shape, f) && descent->cells[f].n_values > values)
			values = descent->cells[f].n_values;
	if (values == 0)
		return true;
	scratch->sums = ARENA_ARRAY(arena, double, 2 * values * descent_parts(descent->n_rows));
	scratch->step = ARENA_ARRAY(arena, double, values);
	scratch->residual = ARENA_ARRAY(arena, double, values);
	scratch->product = ARENA_ARRAY(arena, double, values);
	scratch->direction = ARENA_ARRAY(arena, real, values);
	return arena_ok(arena, error);
}

/* A part's sums: [0] and [1], of the field's values each. */
static double *
sums_of(const Visit *visit, int part, int number)
{
	return visit->descent->dense.sums + (2 * (size_t) part + number) * visit->cells->n_values;
}

/* Those of all parts, in their order. */
static double
total_of(const Visit *visit, uint32_t value, int number)
{
	int			n_parts = descent_parts(visit->descent->n_rows);
	double		sum = 0;

	for (int part = 0; part < n_parts; part++)
		sum += sums_of(visit, part, number)[value];
	return sum;
}

/* Gradients and curvatures by the components' weights. */
static void
sum_part(void *context, int part, int thread)
{
	const Visit *visit = context;
	const Descent *descent = visit->descent;
	PartRange	range = part_range(descent->n_rows, part);
	double	   *gradients = sums_of(visit, part, 0);
	double	   *curvatures = sums_of(visit, part, 1);

	(void) thread;
	memset(gradients, 0, 2 * visit->cells->n_values * sizeof(double));
	for (size_t row = range.from; row < range.to; row++)
	{
		const uint32_t *members;
		size_t		n = dataset_members(descent->data, row, visit->field, &members);

		vector_add(members, n, descent->rows[row].gradient, gradients);
		vector_add_squares(members, n, descent->rows[row].curvature, curvatures);
	}
}

bool
visit_dense_sum(Visit *visit, EngineError *error)
{
	Descent    *descent = visit->descent;

	if (!descent_run(descent, sum_part, visit, descent_parts(descent->n_rows), error))
		return false;
	for (uint32_t v = 0; v < visit->cells->n_values; v++)
		descent->sums[v] = (RowSums) {total_of(visit, v, 0), total_of(visit, v, 1)};
	descent->sums[UNSEEN_ID] = (RowSums) {0, 0};
	return true;
}

/* X^T C X direction */
static void
product_part(void *context, int part, int thread)
{
	const Visit *visit = context;
	const Descent *descent = visit->descent;
	PartRange	range = part_range(descent->n_rows, part);
	double	   *sums = sums_of(visit, part, 0);

	(void) thread;
	memset(sums, 0, visit->cells->n_values * sizeof(double));
	for (size_t row = range.from; row < range.to; row++)
	{
		const uint32_t *members;
		size_t		n = dataset_members(descent->data, row, visit->field, &members);
		double		along = vector_dot(members, n, descent->dense.direction);

		vector_add(members, n, descent->rows[row].curvature * along, sums);
	}
}

/* One by the diagonal; 0 where nothing is known and nothing asked for. */
static double
weight_scale(const Visit *visit, uint32_t value)
{
	double		diagonal = visit->descent->sums[value].curvature +
		visit->descent->l2[visit->field];

	return diagonal > 0 ? 1 / diagonal : 0;
}

/*
 * A round: as far as it goes along the direction, then the next direction.
 * *norm is that of the residual, squared and scaled.
 */
static bool
search_round(Visit *visit, double *norm, EngineError *error)
{
	Descent    *descent = visit->descent;
	DenseScratch *scratch = &descent->dense;
	uint32_t	n = visit->cells->n_values;
	double		bend = 0;
	double		before = *norm;

	if (!descent_run(descent, product_part, visit, descent_parts(descent->n_rows), error))
		return false;
	for (uint32_t v = 0; v < n; v++)
	{
		scratch->product[v] = descent->l2[visit->field] * scratch->direction[v] +
			(v == UNSEEN_ID ? 0 : total_of(visit, v, 0));
		bend += scratch->direction[v] * scratch->product[v];
	}
	*norm = 0;
	for (uint32_t v = 0; v < n && bend > 0; v++)
	{
		scratch->step[v] += before / bend * scratch->direction[v];
		scratch->residual[v] -= before / bend * scratch->product[v];
		*norm += scratch->residual[v] * scratch->residual[v] * weight_scale(visit, v);
	}
	for (uint32_t v = 0; v < n; v++)
		scratch->direction[v] = (real) (scratch->residual[v] * weight_scale(visit, v) +
										*norm / before * scratch->direction[v]);
	return true;
}

bool
visit_dense_steps(Visit *visit, DescentPart *sum, EngineError *error)
{
	Descent    *descent = visit->descent;
	DenseScratch *scratch = &descent->dense;
	const real *weights = descent->weights[visit->field];
	uint32_t	n = visit->cells->n_values;
	double		l2 = descent->l2[visit->field];
	double		norm = 0;
	double		first;

	for (uint32_t v = 0; v < n; v++)
	{
		scratch->step[v] = 0;
		scratch->residual[v] = -(descent->sums[v].gradient + l2 * weights[v]);
		scratch->direction[v] = (real) (scratch->residual[v] * weight_scale(visit, v));
		norm += scratch->residual[v] * scratch->residual[v] * weight_scale(visit, v);
	}
	first = norm;
	for (int round = 0; round < MAX_ROUNDS && norm > REST * first; round++)
		if (!search_round(visit, &norm, error))
			return false;
	for (uint32_t v = 0; v < n; v++)
	{
		double		step = scratch->step[v];

		descent->moves[v] = (real) step;
		sum->slope += (descent->sums[v].gradient + l2 * weights[v]) * step;
		sum->bend += l2 * step * step;
		sum->largest_step = fmax(sum->largest_step, fabs(step));
	}
	return true;
}
