/*
 * test_logistic.c
 *	  The start: is it the optimum of its objective, and is its L2 the right one?
 */
#include <math.h>

#include "engine/logistic.h"
#include "engine/random.h"
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

/* Two fields: one whose weights are drawn with variance 1/4, one that says nothing. */
static Dataset *
drawn_dataset(Arena *arena)
{
	static const uint32_t table_rows[2] = {FIRST_ID + 500, FIRST_ID + 200};
	static const uint32_t field_table[2] = {0, 1};
	static const bool no_lists[2] = {false, false};
	const size_t n = 40000;
	Dataset    *data = ARENA_ARRAY(arena, Dataset, 1);
	uint32_t   *ids = ARENA_ARRAY(arena, uint32_t, 2 * n);
	uint8_t    *labels = ARENA_ARRAY(arena, uint8_t, n);
	double		weights[FIRST_ID + 500];
	Random		random;

	random_start(&random, 7, RANDOM_SIMULATE, 0);
	for (uint32_t i = 0; i < table_rows[0]; i++)
		weights[i] = 0.5 * random_normal(&random);
	for (size_t row = 0; row < n; row++)
	{
		double		logit;

		ids[2 * row] = FIRST_ID + random_below(&random, 500);
		ids[2 * row + 1] = FIRST_ID + random_below(&random, 200);
		logit = weights[ids[2 * row]] - 1;
		labels[row] = random_uniform(&random) < 1 / (1 + exp(-logit));
	}
	*data = (Dataset) {.ids = ids,.labels = labels,.split_start = {0, n, n, n}};
	data->shape = (Shape) {.n_tables = 2,.table_rows = table_rows,.n_fields = 2,
		.field_table = field_table,.field_is_list = no_lists,.domain_field = 0,
		.user_field = -1,.item_field = -1};
	return data;
}

/* The evidence finds the variance that weights were drawn with, and what is noise. */
static void
test_evidence(Arena *arena)
{
	Dataset    *data = drawn_dataset(arena);
	real	   *wide[2] = {ARENA_ARRAY(arena, real, FIRST_ID + 500),
	ARENA_ARRAY(arena, real, FIRST_ID + 200)};
	double		l2[2] = {1, 1};
	real		bias = 0;
	EngineHost	host = toy_host();
	LogisticReport report;
	EngineError error;

	CHECK(logistic_fit(arena, data, l2, true, 1e-3, 500, wide, &bias, &host, &report, &error));
	CHECK(report.converged && report.rounds > 1);
	CHECK(l2[0] > 3 && l2[0] < 5.3);
	CHECK(l2[1] > 50);
	CHECK(fabs(bias + 1) < 0.1);
}

int
main(void)
{
	Arena		arena;
	Dataset    *data;
	real	   *wide[TOY_FIELDS];
	real		bias = 0;
	double		l2[TOY_FIELDS] = {1, 1, 1, 1};
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
	CHECK(logistic_fit(&arena, data, l2, false, 1e-6, 500, wide, &bias, &host, &report, &error));
	CHECK(report.converged);
	best = objective(data, wide, bias, 1.0);

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
	test_evidence(&arena);
	arena_free_all(&arena);
	return unit_summary();
}
