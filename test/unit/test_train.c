/*
 * test_train.c
 *	  Training as a whole: it learns, it is reproducible, it stops when told.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/networks/architectures.h"
#include "toy.h"
#include "unit.h"

#include "engine/score/score.h"
#include "engine/train/train.h"

static bool
same_model(const Model *a, const Model *b)
{
	return a->n_params == b->n_params &&
		memcmp(a->params, b->params, a->n_params * sizeof(real)) == 0 &&
		memcmp(a->masks, b->masks, (size_t) a->n_domains * a->n_gates) == 0;
}

static void
check_every_architecture(void)
{
	for (int architecture = 0; architecture < n_architectures; architecture++)
	{
		Arena		arena;
		EngineError error = {0};
		Config		config;
		Dataset    *data;
		TrainResult *result;

		arena_init_malloc(&arena);
		data = toy_dataset(&arena, 3000);
		toy_config(&config, architecture);
		result = train_toy(&arena, data, &config, &error);
		CHECK(result != NULL);
		CHECK(model_is_finite(result->model));
		CHECK(result->valid.auc.value ==
			  result->evaluations[result->best_evaluation].valid.auc.value);
		/* no other one gained what counts as a gain */
		for (int i = 0; i < result->n_evaluations; i++)
			CHECK(!(result->evaluations[i].valid.domain_auc.value >
					result->evaluations[result->best_evaluation].valid.domain_auc.value + 5e-4));
		CHECK((result->n_mask_updates > 0) == architecture_has_masks(architecture));
		arena_free_all(&arena);
	}
}

/* The pattern is an interaction: ids alone cannot show it, the network can. */
static void
check_learns(void)
{
	Arena		arena;
	EngineError error = {0};
	Config		config;
	Dataset    *data;
	TrainResult *wide;
	TrainResult *full;

	arena_init_malloc(&arena);
	data = toy_dataset(&arena, 20000);
	toy_config(&config, architecture_find("wide"));
	wide = train_toy(&arena, data, &config, &error);
	toy_config(&config, architecture_find("aread"));
	config.epochs = 12;
	config.patience = 8;
	config.dropout = 0;
	config.l2_embedding = 1;
	config.learning_rate = 1e-2;
	/* most of the time would go to mask updates */
	config.mask_interval = 100;
	full = train_toy(&arena, data, &config, &error);
	CHECK(wide && full);
	CHECK(wide->test.auc.value < 0.6);
	CHECK(full->test.auc.value > 0.7);
	arena_free_all(&arena);
}

/* Mean score of the test rows, and the share of positives among them. */
static void
mean_score(Arena *arena, const Dataset *data, const Model *model, double *mean, double *share)
{
	EngineError error = {0};
	size_t		n = data->split_start[3] - data->split_start[2];
	double	   *scores = ARENA_ARRAY(arena, double, n);
	Scorer	   *scorer = scorer_create(arena, model, READY_BYTES, NULL, NULL, &error);
	ScoreRows	rows = {.n_rows = n,.ids = data->ids + data->split_start[2] * TOY_FIELDS,
	.list_start = data->list_start,.list_members = data->list_members};

	CHECK(scorer_score(scorer, &rows, scores, &error));
	*mean = *share = 0;
	for (size_t i = 0; i < n; i++)
	{
		*mean += scores[i] / (double) n;
		*share += (double) data->labels[data->split_start[2] + i] / (double) n;
	}
}

/*
 * Mean score of test rows among which positives are as frequent as "rate" has
 * it: each class weighted to its share.
 */
static double
mean_score_at(Arena *arena, const Dataset *data, const Model *model, double rate)
{
	EngineError error = {0};
	size_t		first = data->split_start[2];
	size_t		n = data->split_start[3] - first;
	double	   *scores = ARENA_ARRAY(arena, double, n);
	Scorer	   *scorer = scorer_create(arena, model, READY_BYTES, NULL, NULL, &error);
	ScoreRows	rows = {.n_rows = n,.ids = data->ids + first * TOY_FIELDS,
	.list_start = data->list_start,.list_members = data->list_members};
	double		sum[2] = {0, 0};
	double		count[2] = {0, 0};

	CHECK(scorer_score(scorer, &rows, scores, &error));
	for (size_t i = 0; i < n; i++)
	{
		sum[data->labels[first + i]] += scores[i];
		count[data->labels[first + i]]++;
	}
	return rate * sum[1] / count[1] + (1 - rate) * sum[0] / count[0];
}

/* Scores fit rows of that share of positives, whether calibrated, weighted, validated or not. */
static void
check_base_rate(void)
{
	Arena		arena;
	EngineError error = {0};
	Config		config;
	Dataset    *data;
	size_t		valid_end;

	arena_init_malloc(&arena);
	data = toy_dataset(&arena, 20000);
	valid_end = data->split_start[2];
	toy_config(&config, architecture_find("wide"));
	for (int i = 0; i < 16; i++)
	{
		TrainResult *result;

		config.base_rate = i & 1 ? 0.05 : 0.8;
		config.calibration = i & 2;
		config.positive_weight = i & 4 ? 5 : 1;
		data->split_start[2] = i & 8 ? data->split_start[1] : valid_end;
		result = train_toy(&arena, data, &config, &error);
		CHECK(result != NULL);
		data->split_start[2] = valid_end;
		CHECK(fabs(mean_score_at(&arena, data, result->model, config.base_rate) /
				   config.base_rate - 1) < 0.08);
	}
	arena_free_all(&arena);
}

/* Whatever positives count in the loss, scores are probabilities; unless told otherwise. */
static void
check_calibrated(void)
{
	const double weights[] = {1, 6};

	for (int i = 0; i < 2; i++)
		for (int architecture = 0; architecture < n_architectures; architecture++)
		{
			Arena		arena;
			EngineError error = {0};
			Config		config;
			Dataset    *data;
			TrainResult *result;
			double		mean;
			double		share;

			/* masks change nothing of it */
			if (architecture_has_masks(architecture))
				continue;
			arena_init_malloc(&arena);
			data = toy_dataset(&arena, 20000);
			toy_config(&config, architecture);
			config.positive_weight = weights[i];
			config.batch_size = 256;
			result = train_toy(&arena, data, &config, &error);
			CHECK(result != NULL);
			mean_score(&arena, data, result->model, &mean, &share);
			CHECK(fabs(mean - share) < 0.03);
			/* without validation rows the weight alone is taken out */
			data->split_start[2] = data->split_start[1];
			result = train_toy(&arena, data, &config, &error);
			mean_score(&arena, data, result->model, &mean, &share);
			CHECK(fabs(mean - share) < 0.03);
			config.base_rate = 0.1;
			result = train_toy(&arena, data, &config, &error);
			mean_score(&arena, data, result->model, &mean, &share);
			CHECK(mean > 0.08 && mean < 0.16);
			config.base_rate = NAN;
			config.calibration = false;
			result = train_toy(&arena, data, &config, &error);
			mean_score(&arena, data, result->model, &mean, &share);
			CHECK((mean - share > 0.2) == (weights[i] > 1));
			arena_free_all(&arena);
		}
}

static void
check_reproducible(void)
{
	Arena		arena;
	EngineError error = {0};
	Config		config;
	Dataset    *data;
	TrainResult *first;
	TrainResult *again;
	TrainResult *other;

	arena_init_malloc(&arena);
	data = toy_dataset(&arena, 2000);
	toy_config(&config, architecture_find("aread"));
	first = train_toy(&arena, data, &config, &error);
	again = train_toy(&arena, data, &config, &error);
	config.seed = 2;
	other = train_toy(&arena, data, &config, &error);
	CHECK(first && again && other);
	CHECK(same_model(first->model, again->model));
	CHECK(!same_model(first->model, other->model));
	arena_free_all(&arena);
}

static void
check_bad_data(void)
{
	Arena		arena;
	EngineError error = {0};
	Config		config;
	Dataset    *data;
	uint8_t    *labels;

	arena_init_malloc(&arena);
	toy_config(&config, architecture_find("aread"));
	data = toy_dataset(&arena, 500);
	labels = (uint8_t *) data->labels;
	memset(labels, 1, 500);
	CHECK(train_toy(&arena, data, &config, &error) == NULL);
	CHECK(error.code == ENGINE_BAD_INPUT);
	data->split_start[1] = data->split_start[2] = 0;
	CHECK(train_toy(&arena, data, &config, &error) == NULL);
	CHECK(error.code == ENGINE_BAD_INPUT);
	data = toy_dataset(&arena, 500);
	config.learning_rate = 1;
	config.batch_norm = false;
	config.cross_layers = 8;
	config.l2_embedding = 0;
	config.epochs = 20;
	/* a learning rate this high diverges, or is survived with finite numbers */
	if (!train_toy(&arena, data, &config, &error))
		CHECK(error.code == ENGINE_DIVERGED);
	arena_free_all(&arena);
}

static bool
interrupted_after(void *context)
{
	return --*(int *) context < 0;
}

static void
check_interrupted(void)
{
	for (int calls = 0; calls < 200; calls += 13)
	{
		Arena		arena;
		EngineError error = {0};
		Config		config;
		int			left = calls;
		EngineHost	host = toy_host();
		TrainObserver observer = toy_observer();

		arena_init_malloc(&arena);
		toy_config(&config, architecture_find("aread"));
		host.interrupted = interrupted_after;
		host.context = &left;
		CHECK(train(&arena, &config, toy_dataset(&arena, 1000), NULL, &host, &observer,
					NULL, &error) == NULL);
		CHECK(error.code == ENGINE_INTERRUPTED);
		arena_free_all(&arena);
	}
}

/* An allocator that gives up after so many blocks. */
static void *
scarce_allocate(void *context, size_t size)
{
	return --*(int *) context < 0 ? NULL : calloc(1, size);
}

static void
scarce_release(void *context, void *block)
{
	(void) context;
	free(block);
}

static void
check_out_of_memory(void)
{
	for (int blocks = 0; blocks < 600; blocks += 7)
	{
		Arena		data_arena;
		Arena		arena;
		EngineError error = {0};
		Config		config;
		int			left = blocks;

		arena_init_malloc(&data_arena);
		arena_init(&arena, scarce_allocate, scarce_release, &left);
		toy_config(&config, architecture_find("aread"));
		config.epochs = 1;
		if (!train_toy(&arena, toy_dataset(&data_arena, 300), &config, &error))
			CHECK(error.code == ENGINE_OUT_OF_MEMORY);
		arena_free_all(&arena);
		arena_free_all(&data_arena);
	}
}

/* The same model, whatever the number of threads; dropout and both searches included. */
static void
check_threads(MaskSearch how)
{
	Arena		arena;
	EngineError error = {0};
	EngineHost	host = toy_host();
	TrainObserver observer = toy_observer();
	Config		config;
	Dataset    *data;
	TrainResult *alone;

	arena_init_malloc(&arena);
	data = toy_dataset(&arena, 3000);
	toy_config(&config, architecture_find("aread"));
	config.mask_search = how;
	config.wide = false;
	config.dropout = 0.2;
	config.mask_interval = 30;
	alone = train_toy(&arena, data, &config, &error);
	CHECK(alone && alone->best_evaluation > 0 && alone->n_mask_updates > 0);
	for (int n = 2; n <= 5; n++)
	{
		Team	   *team = team_start(&arena, n, &error);
		TrainResult *result = train(&arena, &config, data, team, &host, &observer, NULL, &error);

		CHECK(result && same_model(alone->model, result->model));
		team_stop(team);
	}
	arena_free_all(&arena);
}

/* The same model, whether rows lie in memory or not. */
static void
check_store(void)
{
	Arena		arena;
	EngineError error = {0};
	Config		config;
	Dataset    *data;
	TrainResult *in_memory;
	TrainResult *stored;
	ToyStore	toy;

	arena_init_malloc(&arena);
	data = toy_dataset(&arena, 3000);
	toy_config(&config, architecture_find("aread"));
	in_memory = train_toy(&arena, data, &config, &error);
	toy_store_init(&toy);
	data->store = &toy.store;
	stored = train_toy(&arena, data, &config, &error);
	CHECK(in_memory && stored && same_model(in_memory->model, stored->model));
	CHECK(toy.begun >= TOY_FIELDS);
	CHECK(toy.open == 0);
	arena_free_all(&arena);
}

int
main(void)
{
	check_every_architecture();
	check_learns();
	check_calibrated();
	check_base_rate();
	check_reproducible();
	check_threads(SEARCH_EXPERTS);
	check_threads(SEARCH_FULL);
	check_store();
	check_bad_data();
	check_interrupted();
	check_out_of_memory();
	return unit_summary();
}
