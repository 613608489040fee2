/*
 * test_trainings.c
 *	  Trainings drawn at random (options, rows, weights, threads), each alone and
 *	  with threads: both end alike, bit for bit.  Then with threads once more,
 *	  until the host wants to stop: nothing is written where it does not belong.
 */
#include <math.h>
#include <string.h>

#include "pick.h"
#include "engine/networks/architectures.h"
#include "toy.h"
#include "unit.h"

#include "engine/model/mask.h"
#include "engine/networks/config_options.h"

#define CASES 60
#define MOST_ROWS 1200
#define STOPS 2

static void
draw_widths(Random *random, IntList *list, int n)
{
	list->n = n;
	for (int i = 0; i < n; i++)
		list->value[i] = 1 + up_to(random, up_to(random, 1) ? 20 : 3);
}

/* Each in turn, and in every other case one that searches masks: it has most to draw. */
static int
draw_architecture(Random *random, int number)
{
	int			architecture = number / 2 % n_architectures;

	while (number % 2 && !architecture_has_masks(architecture))
		architecture = up_to(random, n_architectures - 1);
	return architecture;
}

static void
draw_network(Random *random, int architecture, Config *config)
{
	config->architecture = architecture;
	config->embed_dim = 1 + up_to(random, 8);
	config->mmoe_experts = 1 + up_to(random, 3);
	draw_widths(random, &config->mmoe_dims, 1 + up_to(random, 2));
	draw_widths(random, &config->deep_dims, 1 + up_to(random, 2));
	config->mmoe_mixtures = 1 + up_to(random, 3);
	draw_widths(random, &config->hei_experts, 2 + up_to(random, 1));
	for (int l = 0; l < config->hei_experts.n; l++)
		config->hei_experts.value[l] = 1 + up_to(random, 3);
	draw_widths(random, &config->hei_hidden, config->hei_experts.n);
	draw_widths(random, &config->hei_output, config->hei_experts.n);
	config->wide = up_to(random, 3) > 0;
	config->cross_layers = up_to(random, 2);
	config->pairwise = up_to(random, 1);
	config->base_skip = up_to(random, 1);
	config->batch_norm = up_to(random, 3) > 0;
}

static void
draw_training(Random *random, Config *config)
{
	static const double rates[] = {1e-3, 1e-2, 1e-1, 1};

	config->dropout = up_to(random, 1) ? 0.3 : 0;
	config->batch_size = 2 + up_to(random, up_to(random, 1) ? 8 : 200);
	config->epochs = 1 + up_to(random, 1);
	config->learning_rate = PICK(random, rates);
	config->mask_learning_rate = PICK(random, rates);
	config->calibration = up_to(random, 1);
	config->warmup_batches = 1 + up_to(random, 8);
	config->mask_interval = 3 + up_to(random, 20);
	config->candidates = 1 + up_to(random, 3);
	config->candidate_steps = 1 + up_to(random, 3);
	config->score_batches = 1 + up_to(random, 3);
	config->initial_density = 0.3 + 0.7 * random_uniform(random);
	config->target_density = config->initial_density * random_uniform(random);
	config->target_density = fmax(config->target_density, 0.01);
	config->sigma = up_to(random, 1) ? 0.3 : 0;
	config->prune_by = up_to(random, 1);
	config->mask_search = up_to(random, 3) == 0 ? SEARCH_FULL : SEARCH_EXPERTS;
	config->augment_ratio = random_uniform(random);
	config->minor_share = 0.2;
	config->major_share = 0.25;
	config->seed = up_to(random, 1000);
	config->history_length = up_to(random, 1) ? 1 + up_to(random, 6) : 0;
	config->history_of = up_to(random, 1);
	config->history_dislikes = up_to(random, 1);
	config->history_attention = up_to(random, 1);
}

/* Domains of one row, or of none in one of the splits, are common here. */
static Dataset *
draw_dataset(Random *random, Arena *arena)
{
	size_t		n = 30 + up_to(random, up_to(random, 1) ? MOST_ROWS : 100);
	Dataset    *data = toy_dataset(arena, n);
	float	   *weights = ARENA_ARRAY(arena, float, n);
	int64_t    *times = ARENA_ARRAY(arena, int64_t, n);

	data->split_start[1] = n / 2 + up_to(random, n / 2);
	data->split_start[2] = data->split_start[1] + up_to(random, n - data->split_start[1]);
	for (size_t row = 0; row < n; row++)
		weights[row] = up_to(random, 9) ? random_uniform(random) + 0.1 : 0;
	if (up_to(random, 2) == 0)
		data->weights = weights;
	for (size_t row = 0; row < n; row++)
		times[row] = up_to(random, 50) - 25;
	if (up_to(random, 1))
		data->times = times;
	return data;
}

/* Half of all trainings have sampled negatives, with losses of their own. */
static void
draw_negatives(Random *random, Config *config)
{
	if (up_to(random, 1))
		return;
	config->negatives = 1 + up_to(random, 3);
	config->negative_sampling = up_to(random, 2);
	config->popularity_offset = up_to(random, 1);
	config->loss = config->batch_size > config->negatives ? up_to(random, 2) : LOSS_LOGISTIC;
	config->hard_negatives = up_to(random, 1) ? random_uniform(random) : 0;
	config->hard_candidates = 1 + up_to(random, 4);
}

/* Numbers are numbers; a mask has a loss unless the domain has no rows of its own. */
static void
check_result(const TrainResult *result)
{
	const Model *model = result->model;

	CHECK(model_is_finite(model));
	for (int u = 0; u < result->n_mask_updates; u++)
		for (uint32_t d = 0; d < model->n_domains; d++)
		{
			const MaskChoice *choice = &result->mask_updates[u].choices[d];

			/* rows without sampled negatives are of no group */
			CHECK(isfinite(choice->loss) ? result->domains[d].rows > 0 :
				  isnan(choice->loss) && choice->end_density == 1 &&
				  (result->domains[d].rows == 0 || model->config.loss != LOSS_LOGISTIC));
			CHECK(mask_is_valid(&model->config.hei_experts, result->mask_updates[u].masks +
								(size_t) d * model->n_gates));
		}
}

static void
check_same(const TrainResult *a, const TrainResult *b)
{
	size_t		n_gates = a->model->n_gates;
	uint32_t	n_domains = a->model->n_domains;

	CHECK(a->model->n_params == b->model->n_params &&
		  memcmp(a->model->params, b->model->params, a->model->n_params * sizeof(real)) == 0);
	CHECK(a->n_evaluations == b->n_evaluations);
	CHECK(a->n_mask_updates == b->n_mask_updates);
	for (int u = 0; u < a->n_mask_updates && u < b->n_mask_updates; u++)
	{
		CHECK(memcmp(a->mask_updates[u].choices, b->mask_updates[u].choices,
					 n_domains * sizeof(MaskChoice)) == 0);
		CHECK(memcmp(a->mask_updates[u].masks, b->mask_updates[u].masks,
					 n_domains * n_gates) == 0);
	}
}

/* A host that wants to stop when it is asked for the n-th time; 0: never. */
typedef struct Questions
{
	int			asked;
	int			stop_at;
} Questions;

static bool
is_last_question(void *context)
{
	Questions  *questions = context;

	return ++questions->asked == questions->stop_at;
}

/* Stopped anywhere, a training says so; the sanitizers look at what it wrote till then. */
static void
check_stopped(Random *random, const Config *config, const Dataset *data, int n_threads,
			  int most_asked)
{
	TrainObserver observer = toy_observer();

	for (int i = 0; i < STOPS; i++)
	{
		Questions	questions = {.stop_at = 1 + up_to(random, most_asked - 1)};
		EngineHost	host = toy_host();
		EngineError error = {0};
		Arena		arena;
		Team	   *team;

		host.interrupted = is_last_question;
		host.context = &questions;
		arena_init_malloc(&arena);
		team = team_start(&arena, n_threads, &error);
		/* how often threads ask varies: the last questions may not come */
		CHECK(train(&arena, config, data, team, &host, &observer, NULL, &error) ?
			  questions.asked < questions.stop_at : error.code == ENGINE_INTERRUPTED);
		team_stop(team);
		arena_free_all(&arena);
	}
}

static void
check_case(int number)
{
	Random		random;
	Arena		arena;
	EngineError error = {0};
	EngineError error_alone = {0};
	EngineHost	host = toy_host();
	Questions	questions = {0};
	EngineHost	counting = {.interrupted = is_last_question,.seconds = host.seconds,
	.context = &questions};
	TrainObserver observer = toy_observer();
	Config		config;
	Dataset    *data;
	Team	   *team;
	TrainResult *alone;
	TrainResult *together;

	random_start(&random, 7, 0, number);
	arena_init_malloc(&arena);
	config_defaults(&config);
	draw_network(&random, draw_architecture(&random, number), &config);
	draw_training(&random, &config);
	draw_negatives(&random, &config);
	CHECK(config_check(&config, &error));
	data = draw_dataset(&random, &arena);
	if (config.negatives > 0)
		data = toy_sampled(&arena, &config, data);
	CHECK(data != NULL);
	team = team_start(&arena, 2 + number % 3, &error);
	CHECK(team != NULL);
	alone = train(&arena, &config, data, NULL, &host, &observer, NULL, &error_alone);
	together = train(&arena, &config, data, team, &counting, &observer, NULL, &error);
	CHECK((alone != NULL) == (together != NULL));
	if (alone && together)
	{
		check_result(alone);
		check_same(alone, together);
		check_stopped(&random, &config, data, team_size(team), questions.asked);
	}
	else
		CHECK(error.code == error_alone.code && strcmp(error.message, error_alone.message) == 0 &&
			  (error.code == ENGINE_DIVERGED || error.code == ENGINE_BAD_INPUT));
	team_stop(team);
	arena_free_all(&arena);
}

int
main(void)
{
	for (int i = 0; i < CASES; i++)
		check_case(i);
	return unit_summary();
}
