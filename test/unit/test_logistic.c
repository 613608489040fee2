/*
 * test_logistic.c
 *	  The start: is it the optimum of its objective?
 */
#include <math.h>

#include "engine/logistic.h"
#include "toy.h"
#include "unit.h"

#define ROWS 2000

static double
row_logit(const Dataset *data, size_t row, real *const *wide, real bias)
{
	const uint32_t *ids = data->ids + row * TOY_FIELDS;
	double		sum = bias;
	uint64_t	from = data->list_start[ids[3]];
	uint64_t	to = data->list_start[ids[3] + 1];

	for (int f = 0; f < 3; f++)
		sum += wide[f][ids[f]];
	for (uint64_t m = from; m < to; m++)
		sum += wide[3][data->list_members[m]] / (double) (to - from);
	return sum;
}

/* sum of BCE + l2 / 2 |w|^2, by plain loops. */
static double
objective(const Dataset *data, real *const *wide, real bias, double l2)
{
	double		sum = 0;

	for (size_t row = 0; row < data->split_start[1]; row++)
	{
		double		z = row_logit(data, row, wide, bias);

		sum += log1p(exp(-fabs(z))) + fmax(z, 0) - data->labels[row] * z;
	}
	for (int f = 0; f < TOY_FIELDS; f++)
		for (uint32_t i = 0; i < data->shape.table_rows[data->shape.field_table[f]]; i++)
			sum += l2 / 2 * wide[f][i] * wide[f][i];
	return sum;
}

int
main(void)
{
	Arena		arena;
	Dataset    *data;
	real	   *wide[TOY_FIELDS];
	real		bias = 0;
	EngineHost	host = toy_host();
	LogisticReport report;
	EngineError error;
	double		best;
	int			worse = 0;
	int			tried = 0;

	arena_init_malloc(&arena);
	data = toy_dataset(&arena, ROWS);
	for (int f = 0; f < TOY_FIELDS; f++)
		wide[f] = ARENA_ARRAY(&arena, real,
							  data->shape.table_rows[data->shape.field_table[f]]);
	CHECK(logistic_fit(&arena, data, 1.0, 1e-6, 500, wide, &bias, &host, &report, &error));
	CHECK(report.converged);
	best = objective(data, wide, bias, 1.0);
	CHECK(fabs(report.loss) < 1);

	/* a step of any weight, either way, is a step up */
	for (int f = 0; f < TOY_FIELDS; f++)
		for (uint32_t i = FIRST_ID; i < data->shape.table_rows[data->shape.field_table[f]]; i++)
			for (int sign = -1; sign <= 1; sign += 2)
			{
				real		kept = wide[f][i];

				wide[f][i] += (real) (sign * 0.02);
				tried++;
				worse += objective(data, wide, bias, 1.0) > best;
				wide[f][i] = kept;
			}
	CHECK(worse == tried);
	CHECK(objective(data, wide, bias + (real) 0.02, 1.0) > best);
	CHECK(objective(data, wide, bias - (real) 0.02, 1.0) > best);
	/* values that no training row has stay out of it */
	for (int f = 0; f < TOY_FIELDS; f++)
		CHECK(wide[f][UNSEEN_ID] == 0 && wide[f][RARE_ID] == 0);
	arena_free_all(&arena);
	return unit_summary();
}
