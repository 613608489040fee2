/*
 * test_train.c
 *	  Training as a whole: it learns, it is reproducible, it stops when told;
 *	  a mask update leaves the parameters as they were.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "toy.h"
#include "unit.h"

#include "engine/mask.h"
#include "engine/score.h"
#include "engine/trainer.h"

static TrainResult *
train_toy(Arena *arena, const Dataset *data, const Config *config, EngineError *error)
{
	EngineHost	host = toy_host();
	TrainObserver observer = toy_observer();

	return train(arena, config, data, NULL, &host, &observer, NULL, error);
}

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
	for (Architecture architecture = ARCH_WIDE; architecture <= ARCH_AREAD; architecture++)
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
		CHECK((result->n_mask_updates > 0) == (architecture >= ARCH_HEMP));
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
	toy_config(&config, ARCH_WIDE);
	wide = train_toy(&arena, data, &config, &error);
	toy_config(&config, ARCH_AREAD);
	config.epochs = 12;
	config.patience = 8;
	config.dropout = 0;
	config.l2_embedding = 1;
	config.learning_rate = 1e-2;
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
	Scorer	   *scorer = scorer_create(arena, model, READY_BYTES, NULL, &error);
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
	Scorer	   *scorer = scorer_create(arena, model, READY_BYTES, NULL, &error);
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
	toy_config(&config, ARCH_WIDE);
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
		for (Architecture architecture = ARCH_WIDE; architecture <= ARCH_HEI; architecture++)
		{
			Arena		arena;
			EngineError error = {0};
			Config		config;
			Dataset    *data;
			TrainResult *result;
			double		mean;
			double		share;

			arena_init_malloc(&arena);
			data = toy_dataset(&arena, 20000);
			toy_config(&config, architecture);
			config.positive_weight = weights[i];
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
	toy_config(&config, ARCH_AREAD);
	first = train_toy(&arena, data, &config, &error);
	again = train_toy(&arena, data, &config, &error);
	config.seed = 2;
	other = train_toy(&arena, data, &config, &error);
	CHECK(first && again && other);
	CHECK(same_model(first->model, again->model));
	CHECK(!same_model(first->model, other->model));
	arena_free_all(&arena);
}

/* What became of the gates, against densities and mask: each step closed as many as it must. */
static void
check_fates(const Config *config, const Model *model, const MaskUpdate *update)
{
	int			n_gates = model->n_gates;

	for (uint32_t d = 0; d < model->n_domains; d++)
	{
		const MaskChoice *choice = &update->choices[d];
		const int16_t *fates = update->fates + (size_t) d * n_gates;
		int			open = 0;

		for (int g = 0; g < n_gates; g++)
		{
			CHECK((fates[g] == GATE_OPEN) == (update->masks[(size_t) d * n_gates + g] == 1));
			CHECK(fates[g] >= GATE_NOT_TRIED && fates[g] <= choice->steps);
			open += fates[g] != GATE_NOT_TRIED;
		}
		CHECK(open == lround(choice->start_density * n_gates));
		for (int step = 1; step <= choice->steps; step++)
		{
			int			closed = 0;

			for (int g = 0; g < n_gates; g++)
				closed += fates[g] == step;
			CHECK(closed >= fmax(1, round(config->prune_ratio * open)));
			open -= closed;
		}
		CHECK(open == lround(choice->end_density * n_gates));
	}
}

/* Algorithm 1, line 14: Theta0 again, bit for bit; masks follow the rules. */
static void
check_mask_update(MaskSearch how, PruneBy prune_by)
{
	Arena		arena;
	EngineError error = {0};
	Config		config;
	EngineHost	host = toy_host();
	TrainObserver observer = toy_observer();
	Trainer		trainer;
	size_t		bytes;
	real	   *before;

	arena_init_malloc(&arena);
	toy_config(&config, ARCH_AREAD);
	config.mask_search = how;
	config.prune_by = prune_by;
	trainer = (Trainer) {.arena = &arena,.config = &config,.data = toy_dataset(&arena, 3000),
		.host = &host,.observer = &observer};
	CHECK(trainer_init(&trainer, &error));
	bytes = trainer.model->n_params * sizeof(real);
	before = ARENA_ARRAY(&arena, real, trainer.model->n_params);
	memcpy(before, trainer.model->params, bytes);
	for (int number = 1; number <= 2; number++)
	{
		CHECK(search_update(&trainer, &error));
		CHECK(memcmp(before, trainer.model->params, bytes) == 0);
		CHECK(trainer.result->n_mask_updates == number);
	}
	check_fates(&config, trainer.model, &trainer.result->mask_updates[1]);
	for (uint32_t d = 0; d < trainer.model->n_domains; d++)
	{
		const uint8_t *mask = trainer.model->masks + (size_t) d * trainer.model->n_gates;
		const MaskChoice *choice = &trainer.result->mask_updates[1].choices[d];
		int			open = lround(choice->start_density * trainer.model->n_gates);

		CHECK(trainer.model->has_mask[d]);
		CHECK(mask_is_valid(&config, mask));
		CHECK(fabs(mask_density(&config, mask) - choice->end_density) < 1e-6);
		/* each step closes max(1, round(ratio * open)) gates, or more that became useless */
		for (int step = 0; step < choice->steps; step++)
			open -= fmax(1, round(config.prune_ratio * open));
		CHECK(lround(choice->end_density * trainer.model->n_gates) <= open);
		CHECK(choice->steps == config.candidate_steps ||
			  choice->end_density <= config.target_density);
		CHECK(isfinite(choice->loss));
	}
	arena_free_all(&arena);
}

/*
 * The domain's own rows fill batches but for one row, which is normalized by
 * the running statistics: those of the model, not of a candidate's copy.
 */
static void
check_single_row(MaskSearch how)
{
	Arena		arena;
	EngineError error = {0};
	Config		config;
	EngineHost	host = toy_host();
	TrainObserver observer = toy_observer();
	Dataset    *data;
	uint64_t	domain_rows = 0;
	double		alone[2] = {0};

	arena_init_malloc(&arena);
	toy_config(&config, ARCH_AREAD);
	config.mask_search = how;
	config.score_batches = 2;
	data = toy_dataset(&arena, 3000);
	for (size_t row = 0; row < data->split_start[1]; row++)
		domain_rows += data->ids[row * TOY_FIELDS] == FIRST_ID;
	for (int single = 0; single <= 1; single++)
	{
		Trainer		trainer;

		config.batch_size = domain_rows - single;
		trainer = (Trainer) {.arena = &arena,.config = &config,.data = data,.host = &host,
			.observer = &observer};
		CHECK(trainer_init(&trainer, &error));
		CHECK(trainer.domain_rows.start[1] == domain_rows);
		CHECK(trainer.search.workers[0].network->hei.layer[0].experts[0].mlp.layer[0].variance ==
			  model_param(trainer.model, "hei1.expert1.layer0.variance"));
		CHECK(search_update(&trainer, &error));
		alone[single] = trainer.result->mask_updates[0].choices[0].loss;
	}
	/* one row of hundreds changes little */
	CHECK(fabs(alone[1] - alone[0]) < 0.1);
	arena_free_all(&arena);
}

/* Where every candidate diverges, training ends; a mask's loss is never NaN or infinite. */
static void
check_diverged_candidates(MaskSearch how, PruneBy prune_by)
{
	Arena		arena;
	EngineError error = {0};
	Config		config;
	EngineHost	host = toy_host();
	TrainObserver observer = toy_observer();
	Trainer		trainer;

	arena_init_malloc(&arena);
	toy_config(&config, ARCH_AREAD);
	config.mask_search = how;
	config.prune_by = prune_by;
	config.mask_learning_rate = 1e30;
	trainer = (Trainer) {.arena = &arena,.config = &config,.data = toy_dataset(&arena, 3000),
		.host = &host,.observer = &observer};
	CHECK(trainer_init(&trainer, &error));
	CHECK(!search_update(&trainer, &error));
	CHECK(error.code == ENGINE_DIVERGED && strstr(error.message, "candidate mask"));
	arena_free_all(&arena);
}

/* Every other domain likes what the others dislike: masks overlap more within the two kinds. */
static void
check_mask_groups(void)
{
	Arena		arena;
	EngineError error = {0};
	Config		config;
	Dataset    *data;
	TrainResult *result;
	double		sum[2] = {0, 0};
	int			pairs[2] = {0, 0};

	arena_init_malloc(&arena);
	data = toy_dataset(&arena, 12000);
	for (size_t row = 0; row < 12000; row++)
		((uint8_t *) data->labels)[row] ^= dataset_domain(data, row) & 1;
	toy_config(&config, ARCH_AREAD);
	config.hei_experts = (IntList) {3, {3, 6, 12}};
	/* what domain weights know is not left to the experts */
	config.domain_weights = false;
	config.epochs = 6;
	config.learning_rate = 1e-2;
	config.dropout = 0;
	config.l2_embedding = 1;
	config.warmup_batches = 100;
	config.mask_interval = 100;
	config.patience = 100;
	result = train_toy(&arena, data, &config, &error);
	CHECK(result && result->n_mask_updates > 1);
	for (int a = 0; a < TOY_DOMAINS; a++)
		for (int b = 0; b < a; b++)
		{
			const MaskUpdate *last = &result->mask_updates[result->n_mask_updates - 1];
			int			n_gates = result->model->n_gates;

			sum[(a - b) % 2] += mask_overlap(&config, last->masks + a * n_gates,
											 last->masks + b * n_gates, 0);
			pairs[(a - b) % 2]++;
		}
	CHECK(sum[0] / pairs[0] > 1.5 * sum[1] / pairs[1]);
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
	toy_config(&config, ARCH_AREAD);
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
		toy_config(&config, ARCH_AREAD);
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
		toy_config(&config, ARCH_AREAD);
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
	toy_config(&config, ARCH_AREAD);
	config.mask_search = how;
	config.wide = false;
	config.dropout = 0.2;
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
	toy_config(&config, ARCH_AREAD);
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
	for (MaskSearch how = SEARCH_EXPERTS; how <= SEARCH_FULL; how++)
		for (PruneBy prune_by = PRUNE_SALIENCY; prune_by <= PRUNE_GATE; prune_by++)
		{
			check_mask_update(how, prune_by);
			check_diverged_candidates(how, prune_by);
		}
	for (MaskSearch how = SEARCH_EXPERTS; how <= SEARCH_FULL; how++)
	{
		check_single_row(how);
		check_threads(how);
	}
	check_store();
	check_mask_groups();
	check_bad_data();
	check_interrupted();
	check_out_of_memory();

	return unit_summary();
}
