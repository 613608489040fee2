/*
 * field_step_values.c
 *	  A field of single values: the exact Newton step of each value, its pairs
 *	  and the bias.
 *
 * A step is found from the inside out, for each unknown as a function of those
 * outside it: a pair's weight follows its value's, a value's follows the bias.
 * So first sums of pairs are reduced to their value, those of values to the
 * bias; then the bias' step is known, from it each value's, from that its pairs'.
 */
#include "engine/logistic/field_step_values.h"

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

/*
 * The same reduction for the bias: gradient and curvature of this part's values,
 * once each value's weight follows a shift of the bias.
 */
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

bool
visit_values(Descent *descent, int field, double no_step, EngineError *error)
{
	Visit		visit = visit_of(descent, field);
	int			n_parts = descent_parts(visit.cells->n_cells);
	RowSums		bias = {0, 0};

	visit.no_step = no_step;
	if (!visit_sum(&visit, error) || !descent_run(descent, reduce_part, &visit, n_parts, error))
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
	if (!descent_run(descent, step_part, &visit, n_parts, error))
		return false;
	for (int part = 0; part < n_parts; part++)
	{
		descent->decrease += descent->parts[part].decrease;
		descent->largest_step = fmax(descent->largest_step, descent->parts[part].largest_step);
	}
	return visit_move(&visit, error);
}
