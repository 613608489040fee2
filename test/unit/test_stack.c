/*
 * test_stack.c
 *	  Weights of several logits: at their optimum by a numeric gradient, within their
 *	  bounds, and near what the labels were drawn by.
 */
#include <math.h>

#include "engine/base/random.h"
#include "engine/measure/stack.h"
#include "toy.h"
#include "unit.h"

#define ROWS 5000

static double x[STACK_PARTS][ROWS];
static uint8_t y[ROWS];
static float weights[ROWS];

/* The penalized loss by plain sums. */
static double
loss_at(const float *w, size_t n, const StackMap *map)
{
	double		sum = (map->weight[0] - 1) * (map->weight[0] - 1) / 2 +
		map->weight[1] * map->weight[1] / 2 + map->shift * map->shift / 2;

	for (size_t i = 0; i < n; i++)
	{
		double		z = map->weight[0] * x[0][i] + map->weight[1] * x[1][i] + map->shift;

		sum += (w ? w[i] : 1) * log1p(exp(y[i] ? -z : z));
	}
	return sum;
}

static double
slope(const float *w, size_t n, StackMap map, double *of)
{
	const double step = 1e-4;
	double		at = *of;
	double		up;

	*of = at + step;
	up = loss_at(w, n, &map);
	*of = at - step;
	return (up - loss_at(w, n, &map)) / (2 * step);
}

static void
draw(double first, double second, double shift)
{
	Random		random;

	random_start(&random, 7, RANDOM_SHUFFLE, 0);
	for (int i = 0; i < ROWS; i++)
	{
		x[0][i] = random_normal(&random);
		x[1][i] = 0.5 * x[0][i] + random_normal(&random);
		weights[i] = (float) (1 + i % 3);
		y[i] = random_uniform(&random) < 1 / (1 + exp(-(first * x[0][i] + second * x[1][i] + shift)));
	}
}

static StackMap
fit(const float *w, size_t n, double least_first, double *loss)
{
	EngineHost	host = toy_host();
	EngineError error = {0};
	StackRows	rows = {.logits = {x[0], x[1]},.labels = y,.weights = w,.n = n};
	const double least[STACK_PARTS] = {least_first, 0};
	StackMap	map = {{0}, 0};

	CHECK(stack_fit(&rows, least, &map, loss, &host, &error));
	return map;
}

/* Nothing falls any more: within the bounds not at all, at a bound not inwards. */
static void
check_optimum(const float *w, size_t n, double least_first)
{
	double		loss;
	StackMap	map = fit(w, n, least_first, &loss);
	StackMap	moved = map;
	double		penalty = (map.weight[0] - 1) * (map.weight[0] - 1) / 2 +
		map.weight[1] * map.weight[1] / 2 + map.shift * map.shift / 2;

	CHECK(fabs(loss + penalty - loss_at(w, n, &map)) < 1e-6 * n);
	for (int k = 0; k < STACK_PARTS; k++)
	{
		double		least = k == 0 ? least_first : 0;
		double		by_weight = slope(w, n, moved, &moved.weight[k]);

		moved = map;
		CHECK(map.weight[k] >= least);
		CHECK(map.weight[k] == least ? by_weight > -0.05 : fabs(by_weight) < 0.05);
	}
	CHECK(fabs(slope(w, n, moved, &moved.shift)) < 0.05);
}

static void
check_known_weights(void)
{
	double		loss;
	StackMap	map;

	draw(0.6, 0.8, -0.5);
	map = fit(NULL, ROWS, 0.02, &loss);
	CHECK(fabs(map.weight[0] - 0.6) < 0.12);
	CHECK(fabs(map.weight[1] - 0.8) < 0.12);
	CHECK(fabs(map.shift + 0.5) < 0.12);
}

/* Weights of rows are rows as often. */
static void
check_row_weights(void)
{
	double		loss[2];
	StackMap	by_weight;
	StackMap	by_rows;
	float		twice[ROWS];

	draw(0.6, 0.8, -0.5);
	for (int i = 0; i < ROWS; i++)
		twice[i] = i < ROWS / 2 ? 2 : 0;
	by_weight = fit(twice, ROWS, 0.02, &loss[0]);
	for (int i = 0; i < ROWS / 2; i++)
	{
		x[0][ROWS / 2 + i] = x[0][i];
		x[1][ROWS / 2 + i] = x[1][i];
		y[ROWS / 2 + i] = y[i];
	}
	by_rows = fit(NULL, ROWS, 0.02, &loss[1]);
	for (int k = 0; k < STACK_PARTS; k++)
		CHECK(fabs(by_weight.weight[k] - by_rows.weight[k]) < 1e-6);
	CHECK(fabs(loss[0] - loss[1]) < 1e-3);
}

static bool
stop(void *context)
{
	(void) context;
	return true;
}

static void
check_cancel(void)
{
	EngineHost	host = toy_host();
	EngineError error = {0};
	StackRows	rows = {.logits = {x[0], x[1]},.labels = y,.n = ROWS};
	const double least[STACK_PARTS] = {0};
	StackMap	map;
	double		loss;

	host.interrupted = stop;
	CHECK(!stack_fit(&rows, least, &map, &loss, &host, &error));
	CHECK(error.code == ENGINE_INTERRUPTED);
}

int
main(void)
{
	double		loss;
	StackMap	map;

	check_known_weights();
	for (int i = 0; i < 3; i++)
	{
		draw(1 - 0.4 * i, 0.7 * i - 0.3, 0.2 * i);
		check_optimum(NULL, ROWS, 0.02);
		check_optimum(weights, ROWS, 0.02);
	}
	/* a part that is wrong throughout ends at its bound */
	draw(-1, 1.5, 0);
	check_optimum(NULL, ROWS, 0.02);
	map = fit(NULL, ROWS, 0.02, &loss);
	CHECK(map.weight[0] == 0.02);
	/* few rows leave the first part as it is */
	map = fit(NULL, 1, 0.02, &loss);
	CHECK(fabs(map.weight[0] - 1) < 0.5 && map.weight[1] < 0.5 && fabs(map.shift) < 0.5);
	map = fit(NULL, 0, 0.02, &loss);
	CHECK(map.weight[0] == 1 && map.weight[1] == 0 && map.shift == 0 && loss == 0);
	check_row_weights();
	check_cancel();
	return unit_summary();
}
