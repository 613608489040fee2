/*
 * test_checkpoint.c
 *	  A training that stops and goes on from a checkpoint ends in the model of
 *	  one that never stopped; bytes that do not belong to it are refused.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/networks/architectures.h"
#include "toy.h"
#include "unit.h"

#include "engine/networks/config_options.h"
#include "engine/train/train.h"

#define MAX_PARTS 256

/* Parts in memory, and when to stop. */
typedef struct Kept
{
	CheckpointPart parts[MAX_PARTS];
	int			n;
	int			offers;
	int			stop_at;		/* after so many offers; 0: never */
	int			poison_at;		/* parameters become NaN after so many, and training goes on; 0: never */
	int			saved;
} Kept;

static void
forget(Kept *kept)
{
	for (int i = 0; i < kept->n; i++)
		free(kept->parts[i].bytes);
	kept->n = 0;
}

static bool
due(void *context)
{
	Kept	   *kept = context;

	kept->offers++;
	return kept->offers == kept->stop_at || kept->offers == kept->poison_at;
}

/* Parts are where the training has them. */
static void
poison(const CheckpointPart *parts, int n)
{
	for (int i = 0; i < n; i++)
		for (size_t k = 0; strcmp(parts[i].name, "params") == 0 && k < parts[i].size / sizeof(real); k++)
			((real *) parts[i].bytes)[k] = NAN;
}

/* Keeps a copy, and ends the training; or poisons it. */
static bool
save(void *context, const CheckpointPart *parts, int n, EngineError *error)
{
	Kept	   *kept = context;

	if (kept->offers == kept->poison_at)
	{
		poison(parts, n);
		return true;
	}
	forget(kept);
	for (int i = 0; i < n; i++)
	{
		kept->parts[i] = parts[i];
		kept->parts[i].bytes = malloc(parts[i].size);
		memcpy(kept->parts[i].bytes, parts[i].bytes, parts[i].size);
	}
	kept->n = n;
	kept->saved++;
	return engine_fail(error, ENGINE_INTERRUPTED, "", "stopped");
}

static CheckpointPart *
find(Kept *kept, const char *name)
{
	for (int i = 0; i < kept->n; i++)
		if (strcmp(kept->parts[i].name, name) == 0)
			return &kept->parts[i];
	return NULL;
}

static bool
load(void *context, const CheckpointPart *part, EngineError *error)
{
	const CheckpointPart *found = find(context, part->name);

	if (!found || found->size != part->size)
		return engine_fail(error, ENGINE_CORRUPT, "", "part is not there");
	memcpy(part->bytes, found->bytes, part->size);
	return true;
}

/* Rows of all that is trained here. */
static Dataset *(*make_dataset) (Arena *, size_t) = toy_dataset;
static size_t n_rows = 1500;
/* Of races: as short as they are here, and the second network goes on. */
static RaceRule rule = {.settle = 0,.lead = 1e6};

/* How often it was told that a network diverged. */
static int	told_diverged;

static void
tell_race(void *context, const RaceRecord *race)
{
	(void) context;
	told_diverged += race->diverged[0] > 0 || race->diverged[1] > 0;
}

static TrainResult *
train_with(Arena *arena, const Config *config, Kept *kept, bool resume, EngineError *error)
{
	EngineHost	host = toy_host();
	TrainObserver observer = toy_observer();
	CheckpointStore store = {due, save, load, resume, kept};

	observer.race = tell_race;
	return train_by_rule(arena, config, make_dataset(arena, n_rows), NULL, &host, &observer,
						 kept ? &store : NULL, &rule, error);
}

static bool
same_bytes(const void *a, const void *b, size_t size)
{
	return size == 0 || memcmp(a, b, size) == 0;
}

/* All that is stored of a training, but for times. */
static bool
same_result(const TrainResult *a, const TrainResult *b)
{
	const Model *model = a->model;
	size_t		n_gates = (size_t) model->n_domains * model->n_gates;

	if (a->n_evaluations != b->n_evaluations || a->best_evaluation != b->best_evaluation ||
		a->n_mask_updates != b->n_mask_updates || model->n_params != b->model->n_params ||
		!same_bytes(model->params, b->model->params, model->n_params * sizeof(real)) ||
		!same_bytes(model->masks, b->model->masks, n_gates) ||
		!same_bytes(model->has_mask, b->model->has_mask, model->n_domains) ||
		!a->wide_l2 != !b->wide_l2 ||
		(a->wide_l2 && !same_bytes(a->wide_l2, b->wide_l2,
								   2 * (size_t) model->shape.n_fields * sizeof(double))))
		return false;
	for (int i = 0; i < a->n_evaluations; i++)
		if (!same_bytes(&a->evaluations[i].valid, &b->evaluations[i].valid, sizeof(Measures)) ||
			a->evaluations[i].batches != b->evaluations[i].batches ||
			!same_bytes(&a->evaluations[i].train_loss, &b->evaluations[i].train_loss,
						sizeof(double)))
			return false;
	for (int u = 0; u < a->n_mask_updates; u++)
		if (a->mask_updates[u].number != b->mask_updates[u].number ||
			a->mask_updates[u].batches != b->mask_updates[u].batches ||
			!same_bytes(a->mask_updates[u].fates, b->mask_updates[u].fates,
						n_gates * sizeof(int16_t)) ||
			!same_bytes(a->mask_updates[u].masks, b->mask_updates[u].masks, n_gates))
			return false;
	for (uint32_t d = 0; d < a->n_domains; d++)
		if (a->domains[d].augmented_rows != b->domains[d].augmented_rows)
			return false;
	return a->race.ran == b->race.ran && a->race.first_kept == b->race.first_kept &&
		same_bytes(a->race.value, b->race.value, sizeof(a->race.value)) &&
		same_bytes(a->race.diverged, b->race.diverged, sizeof(a->race.diverged)) &&
		a->test.log_loss.value == b->test.log_loss.value;
}

/* Stop after every so many batches, to the end.  Returns whether domains have masks. */
static bool
check_same_model(const Config *config, int stride)
{
	Arena		arena;
	EngineError error = {0};
	TrainResult *whole;
	TrainResult *result = NULL;
	Kept		kept = {0};
	bool		has_masks;

	arena_init_malloc(&arena);
	whole = train_with(&arena, config, NULL, false, &error);
	CHECK(whole != NULL);
	for (int stops = 0; stops < 1000 && !result; stops++)
	{
		kept.offers = 0;
		/* the start offers one too */
		kept.stop_at = stops == 0 ? 1 : stride;
		result = train_with(&arena, config, &kept, stops > 0, &error);
		CHECK(result || error.code == ENGINE_INTERRUPTED);
	}
	CHECK(kept.saved > 1);
	CHECK(result && same_result(whole, result));
	has_masks = whole && whole->model->n_gates > 0 && whole->model->has_mask[0];
	forget(&kept);
	arena_free_all(&arena);
	return has_masks;
}

static void
check_architectures(void)
{
	for (int architecture = 0; architecture < n_architectures; architecture++)
	{
		Config		config;

		if (architecture_at(architecture)->strategy == STRATEGY_START)
			continue;
		toy_config(&config, architecture);
		config.dropout = 0.2;
		check_same_model(&config, 7);
	}
}

/* By score, so that rows are drawn anew before each mask update. */
static void
augment_by_score(Config *config)
{
	toy_config(config, architecture_find("aread"));
	config->popularity = POPULARITY_SCORE;
	config->minor_share = 0.1;
	config->major_share = 0.15;
}

/* Every option that a trainer's state depends on. */
static void
check_options(void)
{
	Config		config;

	toy_config(&config, architecture_find("aread"));
	config.wide = false;
	config.mask_search = SEARCH_FULL;
	check_same_model(&config, 11);
	toy_config(&config, architecture_find("aread"));
	config.prune_by = PRUNE_GATE;
	config.positive_weight = 3;
	config.cross_layers = 2;
	check_same_model(&config, 5);
	toy_config(&config, architecture_find("aread"));
	config.evaluations = 3;
	config.patience = 1;
	check_same_model(&config, 1);
	augment_by_score(&config);
	CHECK(check_same_model(&config, 6));
	/* masks found at the end */
	toy_config(&config, architecture_find("hei"));
	config.wide = false;
	config.learning_rate = 1e-2;
	config.history_length = 5;
	CHECK(check_same_model(&config, 9));
}

/* Logs: groups of rows, and negatives that each step draws anew. */
static Dataset *
sampled_dataset(Arena *arena, size_t n)
{
	Config		config;

	config_defaults(&config);
	config.negatives = 2;
	return toy_sampled(arena, &config, toy_dataset(arena, n));
}

static void
check_losses(void)
{
	Config		config;

	make_dataset = sampled_dataset;
	for (int loss = LOSS_LOGISTIC; loss <= LOSS_SOFTMAX; loss++)
	{
		toy_config(&config, architecture_find(loss == LOSS_BPR ? "aread" : "fm"));
		config.wide = false;
		config.negatives = 2;
		config.loss = loss;
		config.hard_negatives = 0.5;
		config.hard_candidates = 3;
		config.history_length = 5;
		check_same_model(&config, 7);
	}
	toy_config(&config, architecture_find("auto"));
	config.negatives = 2;
	config.loss = LOSS_SOFTMAX;
	config.hard_negatives = 0.5;
	check_same_model(&config, 29);
	make_dataset = toy_dataset;
}

static void
check_vectors(void)
{
	Config		config;

	toy_config(&config, architecture_find("aread"));
	config.wide = false;
	make_dataset = toy_vectors;
	check_same_model(&config, 7);
	make_dataset = toy_dataset;
}

/* Trees are no part of a checkpoint: they are fitted again, and evaluations go by them. */
static void
check_trees(void)
{
	Arena		arena;
	EngineError error = {0};
	Config		config;
	TrainResult *result;

	arena_init_malloc(&arena);
	toy_config(&config, architecture_find("mmoe"));
	config.wide = false;
	config.epochs = 1;
	config.trees = 20;
	n_rows = 12000;
	result = train_with(&arena, &config, NULL, false, &error);
	CHECK(result && result->trees.fitted && result->model->trees);
	/* what is stored is what was evaluated */
	CHECK(fabs(result->valid.domain_auc.value -
			   result->evaluations[result->best_evaluation].valid.domain_auc.value) < 1e-4);
	/* before its first step the network knows nothing */
	CHECK(result->evaluations[0].valid.domain_auc.value > 0.52);
	check_same_model(&config, 60);
	n_rows = 1500;
	arena_free_all(&arena);
}

/* Stopped while the first network trains, the second one, the first one again. */
static void
check_races(void)
{
	static const double leads[] = {1e6, -1e6};
	Config		config;

	for (int l = 0; l < 2; l++)
	{
		rule.lead = leads[l];
		toy_config(&config, architecture_find("auto"));
		config.dropout = 0.2;
		check_same_model(&config, 7);
		config.wide = false;
		config.learning_rate = 1e-2;
		/* histories are made once, whichever stage is the first of a call */
		config.history_length = 5;
		config.history_dislikes = config.history_attention = true;
		/* masks are the second one's */
		CHECK(check_same_model(&config, 19) == (l == 0));
		config.wide = true;
		config.patience = 1;
		config.evaluations = 3;
		check_same_model(&config, 1);
	}
	/* with trees, which are fitted again whatever the stage is */
	toy_config(&config, architecture_find("auto"));
	config.batch_size = 512;
	config.trees = 20;
	n_rows = 12000;
	check_same_model(&config, 17);
	n_rows = 1500;
	rule.lead = 1e6;
}

/* A byte of a part changed: is it told? */
static bool
refused_byte(Arena *arena, const Config *config, Kept *kept, const char *name, size_t at,
			 uint8_t byte)
{
	CheckpointPart *part = find(kept, name);
	EngineError error = {0};
	uint8_t		before;
	bool		refused;

	CHECK(part && at < part->size);
	before = ((uint8_t *) part->bytes)[at];
	((uint8_t *) part->bytes)[at] = byte;
	refused = !train_with(arena, config, kept, true, &error) && error.code == ENGINE_CORRUPT;
	((uint8_t *) part->bytes)[at] = before;
	return refused;
}

/* Each number of the head, and each part, changed, cut or gone: refused, or a training. */
static void
check_refused(void)
{
	Arena		arena;
	EngineError error = {0};
	Config		config;
	Kept		kept = {.stop_at = 20};
	CheckpointPart *head;
	CheckpointPart *masks;
	int			refused = 0;

	arena_init_malloc(&arena);
	toy_config(&config, architecture_find("aread"));
	CHECK(!train_with(&arena, &config, &kept, false, &error));
	head = find(&kept, "head");
	masks = find(&kept, "masks");
	CHECK(head && masks);
	kept.stop_at = 0;
	for (size_t at = 0; at < head->size; at += 4)
	{
		uint32_t	before;
		uint32_t	changed = 0xfff0fff0;

		memcpy(&before, (char *) head->bytes + at, sizeof(before));
		memcpy((char *) head->bytes + at, &changed, sizeof(changed));
		if (!train_with(&arena, &config, &kept, true, &error))
		{
			CHECK(error.code == ENGINE_CORRUPT || error.code == ENGINE_BAD_INPUT);
			refused++;
		}
		memcpy((char *) head->bytes + at, &before, sizeof(before));
	}
	CHECK(refused >= 12);
	((uint8_t *) masks->bytes)[3] = 2;
	CHECK(!train_with(&arena, &config, &kept, true, &error) && error.code == ENGINE_CORRUPT);
	((uint8_t *) masks->bytes)[3] = 1;
	CHECK(refused_byte(&arena, &config, &kept, "evaluations", offsetof(Evaluation, best), 2));
	CHECK(refused_byte(&arena, &config, &kept, "evaluations", offsetof(Evaluation, number), 7));
	CHECK(refused_byte(&arena, &config, &kept, "update.masks.0", 0, 3));
	CHECK(refused_byte(&arena, &config, &kept, "update.fates.0", 1, 0x7f));
	CHECK(refused_byte(&arena, &config, &kept, "has_mask", 0, 9));
	/* the sign of the density, and its exponent */
	CHECK(refused_byte(&arena, &config, &kept, "search", sizeof(double) - 1, 0xbf));
	CHECK(refused_byte(&arena, &config, &kept, "search", sizeof(double) - 1, 0x7f));
	for (int i = 0; i < kept.n; i++)
	{
		kept.parts[i].size--;
		CHECK(!train_with(&arena, &config, &kept, true, &error) && error.code == ENGINE_CORRUPT);
		kept.parts[i].size++;
	}
	/* augmented rows that are not the plan's */
	augment_by_score(&config);
	forget(&kept);
	kept.offers = 0;
	kept.stop_at = 20;
	CHECK(!train_with(&arena, &config, &kept, false, &error));
	kept.stop_at = 0;
	CHECK(find(&kept, "augmented_start")->size == (TOY_DOMAINS + 1) * sizeof(uint64_t));
	CHECK(((uint64_t *) find(&kept, "augmented_start")->bytes)[TOY_DOMAINS] > 0);
	CHECK(refused_byte(&arena, &config, &kept, "augmented_start", 0, 1));
	CHECK(refused_byte(&arena, &config, &kept, "augmented_start", TOY_DOMAINS * sizeof(uint64_t) + 3, 1));
	CHECK(refused_byte(&arena, &config, &kept, "augmented_start", 3 * sizeof(uint64_t) + 7, 0x80));
	/* of another training */
	config.epochs = 1;
	config.batch_size = 512;
	CHECK(!train_with(&arena, &config, &kept, true, &error) && error.code == ENGINE_CORRUPT);
	forget(&kept);
	arena_free_all(&arena);
}

/* One of the head's 4-byte words from its end, changed: refused as of no race, or of another. */
static bool
refused_word(Arena *arena, const Config *config, Kept *kept, size_t from_end, uint32_t word)
{
	CheckpointPart *head = find(kept, "head");
	char	   *at = (char *) head->bytes + head->size - from_end;
	EngineError error = {0};
	uint32_t	before;
	bool		refused;

	memcpy(&before, at, sizeof(before));
	memcpy(at, &word, sizeof(word));
	refused = !train_with(arena, config, kept, true, &error) && error.code == ENGINE_CORRUPT;
	memcpy(at, &before, sizeof(before));
	return refused;
}

/* Where the head has what of a race: it ends with it. */
#define STAGE 40
#define KIND 36
#define FIRST_SCORE 28			/* the upper half of the number */
#define SECOND_SCORE 20
#define BIAS 12
#define FIRST_DIVERGED 8
#define SECOND_DIVERGED 4
#define NAN_WORD 0x7ff80000u

/* How a race stands is believed only where it can stand so. */
static void
check_refused_race(void)
{
	Config		config;
	Config		alone;
	EngineError error = {0};
	Arena		arena;

	arena_init_malloc(&arena);
	toy_config(&config, architecture_find("auto"));
	toy_config(&alone, architecture_find("hei"));
	/* 19 batches an epoch: amid the first network, the second one before and after, the first again */
	for (int stage = 0; stage < 4; stage++)
	{
		static const int stops[] = {10, 50, 85, 90};
		Kept		kept = {.stop_at = stops[stage]};

		rule.lead = stage < 3 ? 1e6 : -1e6;
		CHECK(!train_with(&arena, &config, &kept, false, &error));
		kept.stop_at = 0;
		CHECK(train_with(&arena, &config, &kept, true, &error));
		for (uint32_t other = 0; other < 5; other++)
			CHECK(refused_word(&arena, &config, &kept, STAGE, other) ==
				  (other != (stage == 0 ? 1u : stage < 3 ? 2u : 3u)));
		CHECK(refused_word(&arena, &config, &kept, KIND, N_MEASURES));
		CHECK(refused_word(&arena, &config, &kept, KIND, (uint32_t) -2));
		CHECK(refused_word(&arena, &config, &kept, BIAS, NAN_WORD));
		CHECK(refused_word(&arena, &config, &kept, FIRST_SCORE, stage == 0 ? 0 : NAN_WORD));
		CHECK(refused_word(&arena, &config, &kept, SECOND_SCORE, stage < 2 ? 0 : NAN_WORD));
		CHECK(refused_word(&arena, &config, &kept, FIRST_DIVERGED, 1));
		CHECK(refused_word(&arena, &config, &kept, SECOND_DIVERGED, 1));
		/* that of a race is none of a network alone */
		CHECK(!train_with(&arena, &alone, &kept, true, &error) && error.code == ENGINE_CORRUPT);
		/* what was decided is not what the scores say */
		rule.lead *= -1;
		CHECK(stage < 2 || (!train_with(&arena, &config, &kept, true, &error) &&
							error.code == ENGINE_CORRUPT));
		forget(&kept);
	}
	rule.lead = 1e6;
	arena_free_all(&arena);
}

/*
 * Where a network diverged, and the other one was stopped: resumed to the model that it is
 * without a stop, and told of once.  The state is believed only where it can be.
 */
static void
check_diverged_race(void)
{
	/* 19 batches an epoch: amid the first network, the second one before the comparison */
	static const int poisons[] = {5, 45};
	Config		config;
	EngineError error = {0};
	Arena		arena;

	arena_init_malloc(&arena);
	toy_config(&config, architecture_find("auto"));
	config.dropout = 0.2;
	for (int second = 0; second < 2; second++)
	{
		Kept		kept = {.poison_at = poisons[second]};
		TrainResult *whole = train_with(&arena, &config, &kept, false, &error);
		TrainResult *result;

		told_diverged = 0;
		kept.offers = 0;
		kept.stop_at = poisons[second] + 10;
		CHECK(!train_with(&arena, &config, &kept, false, &error) && told_diverged == 1);
		kept.poison_at = kept.stop_at = 0;
		result = train_with(&arena, &config, &kept, true, &error);
		CHECK(whole && result && same_result(whole, result) && told_diverged == 1);
		CHECK(result && result->race.diverged[second] == 1 && result->race.first_kept == (second == 1));
		for (uint32_t other = 0; other < 5; other++)
			CHECK(refused_word(&arena, &config, &kept, STAGE, other) == (other != 2u + second));
		for (uint32_t epoch = 0; epoch < 5; epoch++)
		{
			CHECK(refused_word(&arena, &config, &kept, FIRST_DIVERGED, epoch - 1) ==
				  (second ? epoch != 1 : epoch < 2 || epoch > 3));
			CHECK(refused_word(&arena, &config, &kept, SECOND_DIVERGED, epoch - 1) ==
				  (second ? epoch < 2 || epoch > 3 : epoch != 1));
		}
		CHECK(refused_word(&arena, &config, &kept, KIND, second ? (uint32_t) -2 : 1));
		CHECK(refused_word(&arena, &config, &kept, FIRST_SCORE, second ? NAN_WORD : 0));
		CHECK(refused_word(&arena, &config, &kept, SECOND_SCORE, 0));
		forget(&kept);
	}
	arena_free_all(&arena);
}

int
main(void)
{
	check_architectures();
	check_options();
	check_losses();
	check_vectors();
	check_trees();
	check_races();
	check_refused();
	check_refused_race();
	check_diverged_race();
	return unit_summary();
}
