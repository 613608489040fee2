/*
 * test_boosting.c
 *	  Trainings of forests: what they learn, where they end, what they draw, and
 *	  what becomes of them if something fails.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/measure/calibration.h"
#include "engine/measure/metrics.h"
#include "forest_table.h"
#include "pick.h"
#include "failing.h"
#include "toy.h"
#include "unit.h"

/* Mean loss of validation rows at the best calibration, by other code. */
static double
calibrated_loss(const Table *table, const double *logits)
{
	const ForestData *data = &table->data;
	double	   *p = malloc(data->n_valid * sizeof(double));
	const float *weights = data->weights ? data->weights + data->n_train : NULL;
	Calibration calibration = {0};
	EngineHost	host = toy_host();
	EngineError error = {0};
	double		sum = 0;
	double		weight = 0;

	for (size_t i = 0; i < data->n_valid; i++)
		p[i] = sigmoid(logits[i]);
	CHECK(calibration_fit(p, data->labels + data->n_train, weights, data->n_valid, &calibration,
						  &host, &error));
	for (size_t i = 0; i < data->n_valid; i++)
	{
		double		row_weight = weights ? weights[i] : 1;

		sum += row_weight * metrics_loss(calibrate(&calibration, p[i], 0),
										 data->labels[data->n_train + i]);
		weight += row_weight;
	}
	free(p);
	return sum / weight;
}

static double
valid_auc(Arena *arena, const Table *table, const double *logits)
{
	EngineHost	host = toy_host();
	EngineError error = {0};
	double		auc = NAN;

	CHECK(metrics_auc(arena, logits, table->labels + table->data.n_train, table->data.n_valid,
					  &auc, &host, &error));
	return auc;
}

/* Neither of two inputs says anything alone. */
static void
test_exclusive_or(Arena *arena)
{
	Table	   *table = drawn_table(arena, 4000, 1000, 4, false);
	ForestOptions options = forest_default_options();
	ForestReport report;

	for (size_t row = 0; row < 5000; row++)
		table->labels[row] = (*value_at(table, row, 1) > 0.5) != (*value_at(table, row, 3) > 0.5);
	trained(arena, table, &options, &report);
	CHECK(valid_auc(arena, table, report.valid_logits) > 0.99);
}

/* Labels are drawn by a linear logit: the forest comes near the loss of those who know it. */
static void
test_linear(Arena *arena)
{
	Table	   *table = new_table(arena, 20000, 5000, 3);
	ForestOptions options = forest_default_options();
	double		logits[5000];
	ForestReport report;
	Forest		forest;
	Random		random;
	double		known;

	random_start(&random, 3, RANDOM_SIMULATE, 0);
	for (size_t row = 0; row < 25000; row++)
	{
		double		logit = -1;

		for (int i = 0; i < 3; i++)
		{
			*value_at(table, row, i) = random_normal(&random);
			logit += (i - 1.5) * *value_at(table, row, i);
		}
		table->labels[row] = random_uniform(&random) < sigmoid(logit);
		if (row >= 20000)
			logits[row - 20000] = logit;
	}
	forest = trained(arena, table, &options, &report);
	known = calibrated_loss(table, logits);
	CHECK(report.valid_losses[0] > known + 0.15);
	CHECK(report.valid_losses[forest.n_trees] < known + 0.01);
	CHECK(report.valid_losses[forest.n_trees] > known - 0.002);
}

/* The forest ends where validation rows' loss is lowest; the loss is the calibrated one. */
static void
test_end(Arena *arena, bool weighted)
{
	Table	   *table = drawn_table(arena, 3000, 2000, 5, true);
	ForestOptions options = forest_default_options();
	ForestReport report;
	Forest		forest;
	int			best = 0;

	table->data.weights = weighted ? table->weights : NULL;
	options.patience = 7;
	forest = trained(arena, table, &options, &report);
	for (int t = 1; t <= report.n_grown; t++)
		if (report.valid_losses[t] < report.valid_losses[best])
			best = t;
	CHECK(forest.n_trees == best && best > 5);
	CHECK(report.n_grown == best + 7 && report.n_grown < options.max_trees);
	CHECK(fabs(report.valid_losses[best] - calibrated_loss(table, report.valid_logits)) < 1e-6);
}

/* Later rows have another rate of positives: what trees say of their order counts all the same. */
static void
test_shift(Arena *arena)
{
	Table	   *table = drawn_table(arena, 6000, 3000, 5, false);
	ForestOptions options = forest_default_options();
	ForestReport report;
	Forest		forest;

	/* a training row in three has a label, a validation row in two */
	for (size_t row = 0; row < 9000; row++)
		if (row < 6000 && row % 3 != 0)
			table->labels[row] = 0;
	forest = trained(arena, table, &options, &report);
	CHECK(forest.n_trees > 10);
	CHECK(valid_auc(arena, table, report.valid_logits) > 0.65);
}

/* Validation labels are coins: no tree is any good. */
static void
test_nothing_learned(Arena *arena)
{
	Table	   *table = drawn_table(arena, 1000, 3000, 5, false);
	ForestOptions options = forest_default_options();
	ForestReport report;
	Forest		forest;

	for (size_t row = 0; row < 3000; row++)
		table->labels[1000 + row] = row % 2;
	options.patience = 3;
	forest = trained(arena, table, &options, &report);
	CHECK(forest.n_trees < 5 && report.n_grown == forest.n_trees + 3);
}

/* Without validation rows, or without any that count, the number of trees is fixed. */
static void
test_unchecked(Arena *arena)
{
	Table	   *table = drawn_table(arena, 1000, 0, 5, false);
	ForestOptions options = forest_default_options();
	ForestReport report;

	CHECK(trained(arena, table, &options, &report).n_trees == FOREST_TREES_UNCHECKED);
	CHECK(report.n_grown == FOREST_TREES_UNCHECKED && isnan(report.valid_losses[100]));
	options.max_trees = 30;
	CHECK(trained(arena, table, &options, &report).n_trees == 30);
	table = drawn_table(arena, 1000, 100, 5, false);
	table->data.weights = table->weights;
	memset(table->weights + 1000, 0, 100 * sizeof(float));
	CHECK(trained(arena, table, &options, &report).n_trees == 30);
}

/* A row of weight 3 is three rows. */
static void
test_weights(Arena *arena)
{
	Table	   *weighted = drawn_table(arena, 600, 0, 5, false);
	Table	   *repeated = new_table(arena, 1200, 0, 5);
	ForestOptions options = plain_options(10, 4);
	ForestReport report;
	Forest		forest[2];
	int			wrong = 0;
	size_t		at = 0;

	weighted->data.weights = weighted->weights;
	for (size_t row = 0; row < 600; row++)
	{
		weighted->weights[row] = 1 + row % 3;
		for (int i = 0; i < 5; i++)
			*value_at(weighted, row, i) = floorf(*value_at(weighted, row, i) * 50);
		for (size_t k = 0; k <= row % 3; k++, at++)
		{
			for (int i = 0; i < 5; i++)
				*value_at(repeated, at, i) = *value_at(weighted, row, i);
			repeated->labels[at] = weighted->labels[row];
		}
	}
	forest[0] = trained(arena, weighted, &options, &report);
	forest[1] = trained(arena, repeated, &options, &report);
	CHECK(forest[0].bias == forest[1].bias);
	for (int i = 0; i < 10 * 15; i++)
		wrong += forest[0].inputs[i] != forest[1].inputs[i] ||
			forest[0].thresholds[i] != forest[1].thresholds[i];
	for (int i = 0; i < 10 * 16; i++)
		wrong += !(fabs(forest[0].leaves[i] - forest[1].leaves[i]) < 1e-5);
	CHECK(wrong == 0);
}

static bool
same_forest(const Forest *a, const Forest *b)
{
	size_t		nodes = a->n_trees * forest_nodes(a->depth);

	return a->n_trees == b->n_trees && a->bias == b->bias &&
		memcmp(a->inputs, b->inputs, nodes * sizeof(uint16_t)) == 0 &&
		memcmp(a->thresholds, b->thresholds, nodes * sizeof(float)) == 0 &&
		memcmp(a->leaves, b->leaves, (nodes + a->n_trees) * sizeof(float)) == 0;
}

/* Any number of threads gives the same bytes, and a seed others; few of many rows are copied. */
static void
test_threads(Arena *arena, size_t max_rows)
{
	Table	   *table = drawn_table(arena, 70000, 20000, 7, true);
	ForestOptions options = forest_default_options();
	EngineHost	host = toy_host();
	EngineError error = {0};
	ForestReport report[4];
	Forest		forest[4];

	options.max_trees = 12;
	options.max_rows = max_rows;
	for (int n = 1; n <= 4; n++)
	{
		Team	   *team = team_start(arena, n, &error);

		options.seed = n == 4;
		CHECK(team && forest_train(arena, &table->data, &options, team, &host, NULL,
								   &forest[n - 1], &report[n - 1], &error));
		team_stop(team);
	}
	CHECK(forest[0].n_trees > 8);
	for (int n = 1; n < 3; n++)
	{
		CHECK(same_forest(&forest[n], &forest[0]));
		CHECK(memcmp(report[n].valid_losses, report[0].valid_losses, 13 * sizeof(double)) == 0);
		CHECK(memcmp(report[n].valid_logits, report[0].valid_logits, 20000 * sizeof(double)) == 0);
	}
	CHECK(!same_forest(&forest[3], &forest[0]));
}

/* Each row is drawn as often as others: its label shows in a leaf that all rows share. */
static void
test_drawn_rows(Arena *arena)
{
	const int	rows = 40;
	const int	trees = 300;
	Table	   *table = new_table(arena, rows, 0, 1);
	ForestOptions options = plain_options(trees, 1);
	ForestReport report;

	options.min_child_weight = 1e6;
	options.rate = 1e-6;
	options.row_share = 0.5;
	for (int row = 0; row < rows; row++)
		*value_at(table, row, 0) = row;
	for (int row = 0; row < rows; row++)
	{
		int			drawn = 0;

		memset(table->labels, 0, rows);
		table->labels[row] = 1;
		options.seed = row;
		for (int part = 0; part < 3; part++, options.seed += 1000)
		{
			Forest		forest = trained(arena, table, &options, &report);

			for (int t = 0; t < forest.n_trees; t++)
				drawn += forest.leaves[2 * t] > 0;
		}
		CHECK(abs(drawn - trees / 2) < 45);
	}
}

/* Is there a split, if rows of that many are drawn and either side needs min_child_weight? */
static bool
splits_with(Arena *arena, double row_share, size_t max_rows, double min_child_weight)
{
	Table	   *table = new_table(arena, 1000, 0, 1);
	ForestOptions options = plain_options(1, 1);
	ForestReport report;

	for (size_t row = 0; row < 1000; row++)
		*value_at(table, row, 0) = table->labels[row] = row % 2;
	options.row_share = row_share;
	options.max_rows = max_rows;
	options.min_child_weight = min_child_weight;
	return trained(arena, table, &options, &report).thresholds[0] == 0.5f;
}

/* No more rows are drawn than was asked for, and no fewer; a row has a bend of 1/4 here. */
static void
test_number_of_rows(Arena *arena)
{
	CHECK(splits_with(arena, 1, 1000, 124.9) && !splits_with(arena, 1, 1000, 125.1));
	CHECK(splits_with(arena, 0.3, 1000, 30) && !splits_with(arena, 0.3, 1000, 37.6));
	CHECK(splits_with(arena, 1, 100, 8) && !splits_with(arena, 1, 100, 12.6));
}

/* Of equal inputs the first one drawn is taken: half of ten begin with one of the first six. */
static void
test_drawn_inputs(Arena *arena)
{
	Table	   *table = new_table(arena, 1000, 0, 10);
	ForestOptions options = plain_options(100, 1);
	int			used[10] = {0};
	ForestReport report;
	Forest		forest;

	for (size_t row = 0; row < 1000; row++)
	{
		for (int i = 0; i < 10; i++)
			*value_at(table, row, i) = row % 2;
		table->labels[row] = row % 2 && row % 10 != 1;
	}
	options.rate = 0.001;
	options.input_share = 0.5;
	forest = trained(arena, table, &options, &report);
	for (int t = 0; t < forest.n_trees; t++)
		used[forest.inputs[t]]++;
	/* 1/2, 5/18, 5/36, ... of the trees */
	CHECK(abs(used[0] - 50) < 20 && abs(used[1] - 28) < 18 && abs(used[2] - 14) < 13);
	CHECK(used[3] + used[4] + used[5] > 0);
	CHECK(used[6] + used[7] + used[8] + used[9] == 0);
}

/* Inputs that say nothing: constants, NaN, what only validation rows have more values of. */
static void
test_constants(Arena *arena)
{
	Table	   *table = drawn_table(arena, 500, 100, 5, false);
	ForestOptions options = forest_default_options();
	ForestReport report;
	Forest		forest;

	options.min_child_weight = 1;
	for (size_t row = 0; row < 600; row++)
	{
		*value_at(table, row, 0) = 7;
		*value_at(table, row, 1) = NAN;
		*value_at(table, row, 3) = row < 500 ? INFINITY : row;
	}
	forest = trained(arena, table, &options, &report);
	CHECK(report.n_used == 2 && forest.n_inputs == 5 && forest.n_trees > 0);
	for (size_t i = 0; i < forest.n_trees * forest_nodes(6); i++)
		CHECK(forest.thresholds[i] == INFINITY || forest.inputs[i] == 2 || forest.inputs[i] == 4);
	for (size_t row = 0; row < 600; row++)
		*value_at(table, row, 2) = *value_at(table, row, 4) = -1;
	forest = trained(arena, table, &options, &report);
	CHECK(report.n_used == 0 && forest.n_trees == 0 && report.n_grown == 0);
	CHECK(report.valid_logits[99] == forest.bias);
}

/* NaN is a value of its own: below all others. */
static void
test_nan(Arena *arena)
{
	static const float levels[] = {NAN, 1, 2};
	Table	   *table = new_table(arena, 3000, 0, 1);
	ForestOptions options = plain_options(100, 2);
	ForestReport report;
	Forest		forest;

	for (size_t row = 0; row < 3000; row++)
	{
		*value_at(table, row, 0) = levels[row % 3];
		table->labels[row] = row % 3 == 1 ? row % 2 : row % 10 == 0;
	}
	forest = trained(arena, table, &options, &report);
	CHECK(fabs(sigmoid(forest_logit(&forest, &levels[0])) - 0.1) < 0.01);
	CHECK(fabs(sigmoid(forest_logit(&forest, &levels[1])) - 0.5) < 0.01);
	CHECK(fabs(sigmoid(forest_logit(&forest, &levels[2])) - 0.1) < 0.01);
}

/* One row, one class, the smallest options: forests that can be scored with, of finite logits. */
static void
test_extremes(Arena *arena)
{
	for (int n_train = 1; n_train <= 3; n_train++)
		for (int label = 0; label < 3; label++)
		{
			Table	   *table = drawn_table(arena, n_train, n_train - 1, 3, true);
			ForestOptions options = plain_options(20, 8);
			ForestReport report;
			Forest		forest;

			memset(table->labels, label, rows_of(table));
			if (label == 2)
				for (size_t row = 0; row < rows_of(table); row++)
					table->labels[row] = row % 2;
			options.min_child_weight = 0;
			options.row_share = 0.01;
			forest = trained(arena, table, &options, &report);
			CHECK(forest_valid(&forest));
			CHECK(fabs(forest.bias) < 14);
		}
}

static bool
stops(void *context)
{
	Failing    *failing = context;

	return ++failing->calls > failing->most;
}

/* The host's wish to stop is heard whenever it comes, and it is asked all along. */
static void
test_cancel(Arena *arena, int n_threads)
{
	Table	   *table = drawn_table(arena, 9000, 1000, 6, true);
	ForestOptions options = forest_default_options();
	EngineError error = {0};
	Team	   *team = team_start(arena, n_threads, &error);
	Failing		failing = {.most = 0};
	EngineHost	host = {.interrupted = stops,.context = &failing};
	struct ArenaBlock *mark = arena_mark(arena);
	Forest		forest;
	ForestReport report;
	int			stopped = 0;

	options.max_trees = 3;
	for (bool done = false; !done; failing.most++)
	{
		failing.calls = 0;
		error.code = ENGINE_OK;
		done = forest_train(arena, &table->data, &options, team, &host, NULL, &forest, &report,
							&error);
		CHECK(done || error.code == ENGINE_INTERRUPTED);
		/* it is asked again here and there, but work is not taken up */
		CHECK(done || failing.calls <= failing.most + 5);
		stopped += !done;
		arena_reset_to(arena, mark);
	}
	CHECK(stopped > 3 * 10);
	team_stop(team);
}

/* Whichever allocation fails is an error; of one that succeeds only the forest and report stay. */
static void
test_memory(Arena *arena, size_t max_rows)
{
	Table	   *table = drawn_table(arena, 5000, 500, 5, false);
	ForestOptions options = forest_default_options();
	EngineHost	host = toy_host();
	Failing		failing = {.most = 0};
	bool		done = false;

	options.max_trees = 2;
	options.max_rows = max_rows;
	for (; !done; failing.most++)
	{
		EngineError error = {0};
		Arena		small;
		Forest		forest;
		ForestReport report;

		failing.calls = 0;
		arena_init(&small, scarce, give_back, &failing);
		done = forest_train(&small, &table->data, &options, NULL, &host, NULL, &forest, &report,
							&error);
		CHECK(done || error.code == ENGINE_OUT_OF_MEMORY);
		CHECK(!done || small.bytes < 12288 + rows_of(table) * sizeof(double));
		arena_free_all(&small);
	}
	CHECK(failing.most > 20);
}

static void
note_tree(void *context, int n_trees, double valid_loss)
{
	double	   *losses = context;

	losses[n_trees] = valid_loss;
}

/* What the observer hears is what the report says; columns are asked for once, and may fail. */
static void
test_calls(Arena *arena)
{
	Table	   *table = drawn_table(arena, 500, 200, 5, false);
	ForestOptions options = forest_default_options();
	double		losses[501] = {0};
	ForestObserver observer = {.tree = note_tree,.context = losses};
	EngineHost	host = toy_host();
	EngineError error = {0};
	ForestReport report;
	Forest		forest;

	CHECK(forest_train(arena, &table->data, &options, NULL, &host, &observer, &forest, &report,
					   &error));
	CHECK(table->asked == 5);
	CHECK(memcmp(losses + 1, report.valid_losses + 1, report.n_grown * sizeof(double)) == 0);
	table->fails_at = 3;
	table->asked = 0;
	CHECK(!forest_train(arena, &table->data, &options, NULL, &host, NULL, &forest, &report,
						&error));
	CHECK(error.code == ENGINE_CORRUPT && strcmp(error.message, "column 3 is broken") == 0);
	CHECK(table->asked == 4);
	table->fails_at = -1;
	table->data.weights = memset(table->weights, 0, 500 * sizeof(float));
	CHECK(!forest_train(arena, &table->data, &options, NULL, &host, NULL, &forest, &report,
						&error));
	CHECK(error.code == ENGINE_BAD_INPUT);
}

int
main(void)
{
	Arena		arena;

	arena_init_malloc(&arena);
	test_exclusive_or(&arena);
	test_linear(&arena);
	test_end(&arena, false);
	test_end(&arena, true);
	test_shift(&arena);
	test_nothing_learned(&arena);
	test_unchecked(&arena);
	test_weights(&arena);
	test_threads(&arena, 200000);
	test_threads(&arena, 9000);
	test_drawn_rows(&arena);
	test_number_of_rows(&arena);
	test_drawn_inputs(&arena);
	test_constants(&arena);
	test_nan(&arena);
	test_extremes(&arena);
	test_cancel(&arena, 1);
	test_cancel(&arena, 2);
	test_memory(&arena, 200000);
	test_memory(&arena, 500);
	test_calls(&arena);
	arena_free_all(&arena);
	return unit_summary();
}
