/*
 * test_logistic.c
 *	  The start: is it the optimum of its objective, and is its L2 the right one?
 */
#include <math.h>
#include <string.h>

#include "engine/logistic/logistic.h"
#include "engine/measure/metrics.h"
#include "engine/base/random.h"
#include "toy.h"
#include "unit.h"

#define ROWS 2000

static double
row_logit(const Dataset *data, const DomainPairs *pairs, size_t row, real *const *wide,
		  real bias)
{
	const uint32_t *ids = data->ids + row * TOY_FIELDS;
	double		sum = bias;
	uint64_t	from = data->list_start[ids[3]];
	uint64_t	to = data->list_start[ids[3] + 1];

	for (int f = 0; f < 3; f++)
		sum += wide[f][ids[f]];
	for (int f = 1; f < 3; f++)
		sum += wide[TOY_FIELDS + f][pairs_find(&pairs[f], ids[f], dataset_domain(data, row))];
	for (uint64_t m = from; m < to; m++)
		sum += wide[3][data->list_members[m]] / (double) (to - from);
	return sum;
}

/* Weights of a block: by value, then by pair. */
static uint32_t
block_size(const Dataset *data, const DomainPairs *pairs, int block)
{
	if (block >= TOY_FIELDS)
		return pairs[block - TOY_FIELDS].n_pairs;
	return shape_rows(&data->shape, block);
}

/* sum of BCE + l2 / 2 |w|^2, by plain loops. */
static double
objective(const Dataset *data, const DomainPairs *pairs, real *const *wide, real bias,
		  double l2)
{
	double		sum = 0;

	for (size_t row = 0; row < data->split_start[1]; row++)
	{
		double		z = row_logit(data, pairs, row, wide, bias);

		sum += dataset_weight(data, row) *
			(log1p(exp(-fabs(z))) + fmax(z, 0) - data->labels[row] * z);
	}
	for (int k = 0; k < 2 * TOY_FIELDS; k++)
		for (uint32_t i = 0; i < block_size(data, pairs, k); i++)
			sum += l2 / 2 * wide[k][i] * wide[k][i];
	return sum;
}

/* Rows of two fields, each with a table of its own; the first is the domain. */
static Dataset *
two_fields(Arena *arena, const uint32_t *table_rows, const uint32_t *ids,
		   const uint8_t *labels, size_t n_train, size_t n)
{
	static const uint32_t field_table[2] = {0, 1};
	static const bool no_lists[2] = {false, false};
	Dataset    *data = ARENA_ARRAY(arena, Dataset, 1);

	*data = (Dataset) {.ids = ids,.labels = labels,.split_start = {0, n_train, n, n}};
	data->shape = (Shape) {.n_tables = 2,.table_rows = table_rows,.n_fields = 2,
		.field_table = field_table,.field_is_list = no_lists,.domain_field = 0,
		.user_field = -1,.item_field = -1};
	return data;
}

/* Two fields: one whose weights are drawn with variance 1/4, one that says nothing. */
static Dataset *
drawn_dataset(Arena *arena)
{
	static const uint32_t table_rows[2] = {FIRST_ID + 500, FIRST_ID + 200};
	const size_t n = 40000;
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
	return two_fields(arena, table_rows, ids, labels, n, n);
}

/* The evidence finds the variance that weights were drawn with, and what is noise. */
static void
test_evidence(Arena *arena)
{
	Dataset    *data = drawn_dataset(arena);
	real	   *wide[2] = {ARENA_ARRAY(arena, real, FIRST_ID + 500),
	ARENA_ARRAY(arena, real, FIRST_ID + 200)};
	double		l2[4] = {1, 1, 1, 1};
	real		bias = 0;
	EngineHost	host = toy_host();
	LogisticReport report;
	EngineError error;

	CHECK(logistic_fit(arena, data, NULL, l2, true, 1e-3, 500, wide, &bias, NULL, &host, &report,
					   &error));
	CHECK(report.converged && report.rounds > 1);
	CHECK(l2[0] > 3 && l2[0] < 5.3);
	CHECK(l2[1] > 50);
	CHECK(fabs(bias + 1) < 0.1);
}

/*
 * A field of values with a few rows each, weights of variance 1, and one that
 * means something in training rows only.
 */
static Dataset *
shifted_dataset(Arena *arena)
{
	static const uint32_t table_rows[2] = {FIRST_ID + 10000, FIRST_ID + 10};
	const size_t n_train = 20000;
	const size_t n = 30000;
	uint32_t   *ids = ARENA_ARRAY(arena, uint32_t, 2 * n);
	uint8_t    *labels = ARENA_ARRAY(arena, uint8_t, n);
	double	   *weights = ARENA_ARRAY(arena, double, FIRST_ID + 10000);
	Random		random;

	random_start(&random, 8, RANDOM_SIMULATE, 0);
	for (uint32_t i = 0; i < table_rows[0]; i++)
		weights[i] = random_normal(&random);
	for (size_t row = 0; row < n; row++)
	{
		double		logit;

		ids[2 * row] = FIRST_ID + random_below(&random, 10000);
		ids[2 * row + 1] = FIRST_ID + random_below(&random, 10);
		logit = 1.4 + weights[ids[2 * row]];
		if (row < n_train)
			logit += ids[2 * row + 1] % 2 ? 0.5 : -0.5;
		labels[row] = random_uniform(&random) < 1 / (1 + exp(-logit));
	}
	return two_fields(arena, table_rows, ids, labels, n_train, n);
}

/* AUC of the rows from "first" to 30,000. */
static double
auc_after(Arena *arena, const Dataset *data, size_t first, real *const *wide)
{
	size_t		n = 30000 - first;
	double	   *logits = ARENA_ARRAY(arena, double, n);
	double		auc = NAN;
	EngineHost	host = toy_host();
	EngineError error;

	for (size_t i = 0; i < n; i++)
		logits[i] = wide[0][data->ids[2 * (first + i)]] + wide[1][data->ids[2 * (first + i) + 1]];
	CHECK(metrics_auc(arena, logits, data->labels + first, n, &auc, &host, &error));
	return auc;
}

/* Validation rows mend what the evidence gets wrong, and undo what does not hold for them. */
static void
test_tuning(Arena *arena)
{
	Dataset    *data = shifted_dataset(arena);
	EngineHost	host = toy_host();
	double		found[2][4];
	double		auc[2];

	for (int tuned = 0; tuned < 2; tuned++)
	{
		real	   *wide[2] = {ARENA_ARRAY(arena, real, FIRST_ID + 10000),
		ARENA_ARRAY(arena, real, FIRST_ID + 10)};
		double	   *l2 = found[tuned];
		real		bias = 0;
		LogisticReport report;
		EngineError error;

		for (int k = 0; k < 4; k++)
			l2[k] = 1;
		data->split_start[SPLIT_TEST] = tuned ? 30000 : 20000;
		CHECK(logistic_fit(arena, data, NULL, l2, true, 1e-3, 500, wide, &bias, NULL, &host, &report,
						   &error));
		CHECK(report.converged);
		auc[tuned] = auc_after(arena, data, 20000, wide);
	}
	CHECK(found[0][1] > 1 && found[0][1] < 50);
	CHECK(found[1][1] >= 1e12);
	CHECK(auc[1] > auc[0] + 0.01);
}

/* At the optimum the objective has no slope: by plain loops, along every weight. */
static void
check_gradient(const Dataset *data, const DomainPairs *pairs, real *const *wide, real bias)
{
	const double h = 1e-3;
	double		largest = 0;

	if (sizeof(real) != sizeof(double))
		return;
	for (int k = 0; k < 2 * TOY_FIELDS; k++)
		for (uint32_t i = 0; i < block_size(data, pairs, k); i++)
		{
			real		kept = wide[k][i];
			double		up;
			double		down;

			wide[k][i] = (real) (kept + h);
			up = objective(data, pairs, wide, bias, 1.0);
			wide[k][i] = (real) (kept - h);
			down = objective(data, pairs, wide, bias, 1.0);
			wide[k][i] = kept;
			largest = fmax(largest, fabs(up - down) / (2 * h));
		}
	CHECK(largest < 1e-3);
	CHECK(fabs(objective(data, pairs, wide, bias + (real) h, 1.0) -
			   objective(data, pairs, wide, bias - (real) h, 1.0)) / (2 * h) < 1e-3);
}

/* Everything at once, by value and by pair, with l2 as it is. */
static void
test_optimum(Arena *arena, bool weighted)
{
	static float weights[ROWS];
	Dataset    *data = toy_dataset(arena, ROWS);
	DomainPairs pairs[TOY_FIELDS];
	real	   *wide[2 * TOY_FIELDS];
	real		bias = 0;
	double		l2[2 * TOY_FIELDS];
	EngineHost	host = toy_host();
	LogisticReport report;
	EngineError error;
	double		best;
	/* weights in single precision are no nearer than that */
	double		tolerance = sizeof(real) == sizeof(double) ? 1e-7 : 1e-5;
	int			worse = 0;
	int			tried = 0;

	for (size_t row = 0; row < ROWS; row++)
		weights[row] = row % 3;
	if (weighted)
		data->weights = weights;
	CHECK(pairs_build(arena, data, &host, pairs, &error));
	CHECK(pairs[1].n_pairs > 0 && pairs[2].n_pairs > 0);
	CHECK(pairs[0].n_pairs == 0 && pairs[3].n_pairs == 0);
	for (int k = 0; k < 2 * TOY_FIELDS; k++)
	{
		wide[k] = ARENA_ARRAY(arena, real, block_size(data, pairs, k));
		l2[k] = 1;
	}
	CHECK(logistic_fit(arena, data, pairs, l2, false, tolerance, 500, wide, &bias, NULL, &host, &report,
					   &error));
	CHECK(report.converged);
	best = objective(data, pairs, wide, bias, 1.0);

	check_gradient(data, pairs, wide, bias);

	/* a step of any weight, either way, is a step up */
	for (int k = 0; k < 2 * TOY_FIELDS; k++)
		for (uint32_t i = 0; i < block_size(data, pairs, k); i++)
			for (int sign = -1; sign <= 1; sign += 2)
			{
				real		kept = wide[k][i];

				wide[k][i] += (real) (sign * 0.02);
				tried++;
				worse += objective(data, pairs, wide, bias, 1.0) > best;
				wide[k][i] = kept;
			}
	CHECK(worse == tried);
	CHECK(objective(data, pairs, wide, bias + (real) 0.02, 1.0) > best);
	CHECK(objective(data, pairs, wide, bias - (real) 0.02, 1.0) > best);
	/* values that no training row has stay out of it */
	for (int f = 0; f < TOY_FIELDS; f++)
		CHECK(wide[f][UNSEEN_ID] == 0 && wide[f][RARE_ID] == 0);
}

/* Weights of all blocks and the bias of a fit, l2 found, by that many threads. */
static double *
fit_by_threads(Arena *arena, const Dataset *data, bool domain_weights, int threads,
			   size_t *n_weights)
{
	DomainPairs pairs[TOY_FIELDS];
	real	   *wide[2 * TOY_FIELDS] = {NULL};
	double		l2[2 * TOY_FIELDS];
	double	   *all;
	real		bias = 0;
	EngineHost	host = toy_host();
	LogisticReport report;
	EngineError error;
	Team	   *team = team_start(arena, threads, &error);

	*n_weights = 0;
	memset(pairs, 0, sizeof(pairs));
	if (domain_weights)
		CHECK(pairs_build(arena, data, &host, pairs, &error));
	for (int k = 0; k < 2 * TOY_FIELDS; k++)
	{
		wide[k] = ARENA_ARRAY(arena, real, block_size(data, pairs, k));
		*n_weights += block_size(data, pairs, k);
		l2[k] = 1;
	}
	CHECK(logistic_fit(arena, data, domain_weights ? pairs : NULL, l2, true, 1e-3, 500, wide,
					   &bias, team, &host, &report, &error));
	team_stop(team);
	all = ARENA_ARRAY(arena, double, *n_weights + 1);
	*n_weights = 0;
	for (int k = 0; k < 2 * TOY_FIELDS; k++)
		for (uint32_t i = 0; i < block_size(data, pairs, k); i++)
			all[(*n_weights)++] = wide[k][i];
	all[(*n_weights)++] = bias;
	return all;
}

/*
 * The same to the last bit, however many threads share the work: with lists, row weights,
 * validation rows, with and without domain weights.
 */
static void
test_threads(Arena *arena)
{
	const size_t n = 30000;
	Dataset    *data = toy_dataset(arena, n);
	float	   *weights = ARENA_ARRAY(arena, float, n);

	for (size_t row = 0; row < n; row++)
		weights[row] = row % 3;
	data->weights = weights;
	data->split_start[SPLIT_VALID] = 20000;
	data->split_start[SPLIT_TEST] = 28000;
	for (int domain_weights = 0; domain_weights < 2; domain_weights++)
	{
		size_t		n_weights;
		double	   *one = fit_by_threads(arena, data, domain_weights, 1, &n_weights);
		int			moved = 0;

		for (size_t i = 0; i < n_weights; i++)
			moved += one[i] != 0;
		CHECK(moved > 20);
		for (int threads = 2; threads <= 5; threads += threads == 3 ? 2 : 1)
		{
			double	   *more = fit_by_threads(arena, data, domain_weights, threads, &n_weights);

			CHECK(memcmp(one, more, n_weights * sizeof(double)) == 0);
		}
	}
}

/* A host that stops after so many questions: the fit ends, and says so. */
static int	questions_left;

static bool
stops(void *context)
{
	(void) context;
	return --questions_left < 0;
}

static void
test_cancel(Arena *arena)
{
	const size_t n = 30000;
	Dataset    *data = toy_dataset(arena, n);
	EngineHost	host = toy_host();

	host.interrupted = stops;
	data->split_start[SPLIT_VALID] = 20000;
	for (int questions = 0; questions < 2000; questions += 100)
	{
		real	   *wide[2 * TOY_FIELDS] = {NULL};
		double		l2[2 * TOY_FIELDS];
		real		bias = 0;
		LogisticReport report;
		EngineError error = {0};
		Team	   *team = team_start(arena, 2, &error);

		for (int k = 0; k < 2 * TOY_FIELDS; k++)
		{
			wide[k] = k < TOY_FIELDS ?
				ARENA_ARRAY(arena, real, shape_rows(&data->shape, k)) : NULL;
			l2[k] = 1;
		}
		questions_left = questions;
		if (!logistic_fit(arena, data, NULL, l2, true, 1e-3, 500, wide, &bias, team, &host,
						  &report, &error))
			CHECK(error.code == ENGINE_INTERRUPTED);
		else
			CHECK(questions > 0);
		team_stop(team);
	}
}

int
main(void)
{
	Arena		arena;

	arena_init_malloc(&arena);
	test_optimum(&arena, false);
	test_optimum(&arena, true);
	test_evidence(&arena);
	test_tuning(&arena);
	test_threads(&arena);
	test_cancel(&arena);
	arena_free_all(&arena);
	return unit_summary();
}
