/*
 * test_analysis.c
 *	  Masks found after a training with all gates open: they are what the loss
 *	  of the domains' rows says, scores do not go by them, threads do not change
 *	  them, and whoever wants to stop is heard.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/networks/architectures.h"
#include "toy.h"
#include "unit.h"

#include "engine/model/gates.h"
#include "engine/model/mask.h"
#include "engine/score/score.h"

/* Fewer rows of each domain than the analysis looks at. */
#define ROWS 8000

static void
learning_config(Config *config)
{
	toy_config(config, architecture_find("hei"));
	config->epochs = 8;
	config->patience = 100;
	config->dropout = 0;
	config->l2_embedding = 1;
	config->learning_rate = 1e-2;
	/* what domain weights know is not left to the experts */
	config->domain_weights = false;
}

/* Every other domain likes what the others dislike. */
static Dataset *
opposed_dataset(Arena *arena)
{
	Dataset    *data = toy_dataset(arena, ROWS);

	for (size_t row = 0; row < ROWS; row++)
		((uint8_t *) data->labels)[row] ^= dataset_domain(data, row) & 1;
	return data;
}

static void
score_split(Arena *arena, const Model *model, const Dataset *data, Split split, double *scores)
{
	EngineHost	host = toy_host();
	EngineError error = {0};
	ScoreRows	rows = {
		.n_rows = dataset_rows(data, split),
		.ids = data->ids + data->split_start[split] * data->shape.n_fields,
		.list_start = data->list_start,
		.list_members = data->list_members
	};
	Scorer	   *scorer = scorer_create(arena, model, READY_BYTES, NULL, &host, &error);

	CHECK(scorer && scorer_score(scorer, &rows, scores, &error));
}

/* Summed loss of the training rows of each domain, by their scores -> loss [D]. */
static void
domain_losses(Arena *arena, const Model *model, const Dataset *data, double *loss)
{
	struct ArenaBlock *mark = arena_mark(arena);
	size_t		n = dataset_rows(data, SPLIT_TRAIN);
	double	   *scores = ARENA_ARRAY(arena, double, n);

	score_split(arena, model, data, SPLIT_TRAIN, scores);
	memset(loss, 0, model->n_domains * sizeof(double));
	for (size_t row = 0; row < n; row++)
		loss[dataset_domain(data, row)] -= log(data->labels[row] ? scores[row] : 1 - scores[row]);
	arena_reset_to(arena, mark);
}

/* How the losses grow as a gate closes: numerically, by its bias -> growth [D]. */
static void
closing(Arena *arena, Model *model, const Dataset *data, int layer, int lower, int upper,
		double *growth)
{
	const double step = 1e-4;
	double		loss[2][TOY_DOMAINS];
	char		name[48];
	real	   *bias;

	snprintf(name, sizeof(name), "hei%d.gate.bias", layer);
	bias = model_named(model, name) +
		(size_t) upper * model->config.hei_experts.value[layer - 2] + lower;
	for (int side = 0; side < 2; side++)
	{
		real		kept = *bias;

		*bias += side ? step : -step;
		domain_losses(arena, model, data, loss[side]);
		*bias = kept;
	}
	for (int d = 0; d < TOY_DOMAINS; d++)
		growth[d] = (loss[0][d] - loss[1][d]) / (2 * step);
}

/* The gates of most growth, and no gate that leads nowhere. */
static void
expected_mask(const Config *config, double growth[][TOY_DOMAINS], int domain, uint8_t *mask)
{
	int			n_gates = gates_total(&config->hei_experts);
	int			n_open = (int) lround(config->target_density * n_gates);

	for (int g = 0; g < n_gates; g++)
	{
		int			above = 0;

		for (int k = 0; k < n_gates; k++)
			above += growth[k][domain] > growth[g][domain];
		mask[g] = above < n_open;
	}
	CHECK(mask_make_valid(&config->hei_experts, mask));
}

/* Differences of losses need double precision. */
static void
check_growth(Arena *arena, Model *model, const Dataset *data)
{
	const IntList *experts = &model->config.hei_experts;
	double		growth[MAX_GATES][TOY_DOMAINS];
	uint8_t		mask[MAX_GATES];
	int			gate = 0;

	model_set_calibration(model, &(Calibration) {0});
	for (int layer = 2; layer <= experts->n; layer++)
		for (int lower = 0; lower < experts->value[layer - 2]; lower++)
			for (int upper = 0; upper < experts->value[layer - 1]; upper++)
				closing(arena, model, data, layer, lower, upper, growth[gate++]);
	for (int d = 0; d < TOY_DOMAINS; d++)
	{
		expected_mask(&model->config, growth, d, mask);
		CHECK(memcmp(mask, model->masks + (size_t) d * model->n_gates, model->n_gates) == 0);
	}
}

/* Scores are those of all gates open, and would be others under the masks. */
static void
check_scores(Arena *arena, Model *model, const Dataset *data)
{
	size_t		n = dataset_rows(data, SPLIT_TEST);
	double	   *scores = ARENA_ARRAY(arena, double, n);
	double	   *others = ARENA_ARRAY(arena, double, n);
	bool		has_mask[TOY_DOMAINS];

	score_split(arena, model, data, SPLIT_TEST, scores);
	memcpy(has_mask, model->has_mask, TOY_DOMAINS);
	memset(model->has_mask, false, TOY_DOMAINS);
	score_split(arena, model, data, SPLIT_TEST, others);
	CHECK(memcmp(scores, others, n * sizeof(double)) == 0);
	memcpy(model->has_mask, has_mask, TOY_DOMAINS);
	model->masks_rule = true;
	score_split(arena, model, data, SPLIT_TEST, others);
	CHECK(memcmp(scores, others, n * sizeof(double)) != 0);
	model->masks_rule = false;
}

static void
check_masks(void)
{
	Arena		arena;
	EngineError error = {0};
	Config		config;
	Dataset    *data;
	TrainResult *result;
	arena_init_malloc(&arena);
	data = opposed_dataset(&arena);
	learning_config(&config);
	result = train_toy(&arena, data, &config, &error);
	/* which domains share gates is chance in so small a network: test/pgtap/structure.sql looks at that */
	CHECK(result && result->best_evaluation > 0 && result->n_mask_updates == 0);
	for (int a = 0; a < TOY_DOMAINS; a++)
	{
		const uint8_t *mask = result->model->masks + (size_t) a * result->model->n_gates;

		CHECK(result->model->has_mask[a] && mask_is_valid(&config.hei_experts, mask));
	}
	check_scores(&arena, result->model, data);
	if (sizeof(real) == sizeof(double))
		check_growth(&arena, result->model, data);
	arena_free_all(&arena);
}

/* The same masks, whatever the threads. */
static void
check_threads(void)
{
	Arena		arena;
	Config		config;
	Dataset    *data;
	const Model *first = NULL;

	arena_init_malloc(&arena);
	data = opposed_dataset(&arena);
	learning_config(&config);
	config.epochs = 2;
	for (int n = 1; n <= 3; n++)
	{
		EngineHost	host = toy_host();
		TrainObserver observer = toy_observer();
		EngineError error = {0};
		Team	   *team = team_start(&arena, n, &error);
		TrainResult *result = train(&arena, &config, data, team, &host, &observer, NULL, &error);

		CHECK(result && result->model->has_mask[0]);
		if (!first)
			first = result->model;
		CHECK(memcmp(first->masks, result->model->masks, TOY_DOMAINS * first->n_gates) == 0);
		team_stop(team);
	}
	arena_free_all(&arena);
}

/* Where the start is kept, heads are zero: nothing depends on a gate. */
static void
check_start_kept(void)
{
	Arena		arena;
	EngineError error = {0};
	Config		config;
	TrainResult *result;

	arena_init_malloc(&arena);
	learning_config(&config);
	config.epochs = 1;
	config.learning_rate = 1e-9;
	result = train_toy(&arena, opposed_dataset(&arena), &config, &error);
	CHECK(result && result->best_evaluation == 0);
	for (int d = 0; d < TOY_DOMAINS; d++)
		CHECK(!result->model->has_mask[d]);
	arena_free_all(&arena);
}

/* Without gates there is nothing to find. */
static void
check_one_layer(void)
{
	Arena		arena;
	EngineError error = {0};
	Config		config;

	arena_init_malloc(&arena);
	learning_config(&config);
	config.epochs = 1;
	config.hei_experts = config.hei_hidden = config.hei_output = (IntList) {1, {2}};
	CHECK(train_toy(&arena, opposed_dataset(&arena), &config, &error) != NULL);
	arena_free_all(&arena);
}

/* Reports of the analysis, and after how many the host wants to stop. */
typedef struct Listener
{
	int			reports;
	int			stop_at;		/* 0: never */
} Listener;

static void
count_reports(void *context, const TrainProgress *progress)
{
	Listener   *listener = context;

	if (progress->phase == PHASE_UPDATE)
	{
		CHECK(progress->batch >= 1 && progress->batch <= progress->batches);
		listener->reports++;
	}
}

static void
ignore_evaluation(void *context, const Evaluation *evaluation)
{
	(void) context;
	(void) evaluation;
}

static bool
wants_to_stop(void *context)
{
	const Listener *listener = context;

	return listener->stop_at > 0 && listener->reports >= listener->stop_at;
}

/* Progress is told, and a wish to stop heard before the next report. */
static void
check_stops(void)
{
	int			all = 0;

	for (int stop_at = 0; stop_at <= 2; stop_at++)
	{
		Listener	listener = {.stop_at = stop_at};
		EngineHost	host = toy_host();
		TrainObserver observer = {count_reports, ignore_evaluation, &listener, NULL};
		Arena		arena;
		EngineError error = {0};
		Config		config;
		bool		trained;

		host.interrupted = wants_to_stop;
		host.context = &listener;
		arena_init_malloc(&arena);
		learning_config(&config);
		config.epochs = 1;
		trained = train(&arena, &config, opposed_dataset(&arena), NULL, &host, &observer, NULL,
						&error) != NULL;
		CHECK(trained == (stop_at == 0));
		CHECK(trained || error.code == ENGINE_INTERRUPTED);
		if (trained)
			all = listener.reports;
		CHECK(trained || listener.reports == stop_at);
		arena_free_all(&arena);
	}
	CHECK(all > 2);
}

int
main(void)
{
	check_masks();
	check_threads();
	check_start_kept();
	check_one_layer();
	check_stops();
	return unit_summary();
}
