/*
 * fuzz_checkpoint.c
 *	  Trainings that go on from a damaged checkpoint: refused, or a model.
 *
 * The first byte of an input chooses a training, the second one a part
 * that is cut by the third one's bytes (255: none); the rest is damage to parts.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/networks/architectures.h"
#include "engine/train/strategies.h"
#include "engine/train/train.h"
#include "fuzz.h"
#include "toy.h"

#define N_ROWS 120
#define MAX_PARTS 256
/* Batches to the checkpoint: after masks, before the end. */
#define STOP_AT 5
/* Of a race: the second network before it is compared, and the one that goes on. */
#define STOP_IN_RACE 11
#define STOP_AFTER_RACE 17

/* Parts in memory, and when to stop. */
typedef struct Kept
{
	CheckpointPart parts[MAX_PARTS];
	int			n;
	int			offers;
	int			stop_at;
} Kept;

/* A configuration, its checkpoint, and its training without a stop. */
typedef struct Base
{
	Config		config;
	RaceRule	rule;
	Kept		kept;
	Model	   *whole;
} Base;

static Arena arena;				/* of what stays */
static Dataset *dataset;
static Base *bases;			/* [n_bases] */
static int	n_bases;

static bool
due(void *context)
{
	Kept	   *kept = context;

	return ++kept->offers == kept->stop_at;
}

static bool
save(void *context, const CheckpointPart *parts, int n, EngineError *error)
{
	Kept	   *kept = context;

	FUZZ_ASSERT(n <= MAX_PARTS);
	for (int i = 0; i < n; i++)
	{
		/* the last one, which has most to say, becomes the first */
		CheckpointPart *part = &kept->parts[(i + 1) % n];

		*part = parts[i];
		part->bytes = malloc(part->size);
		memcpy(part->bytes, parts[i].bytes, part->size);
	}
	kept->n = n;
	return engine_fail(error, ENGINE_INTERRUPTED, "", "stopped");
}

static bool
load(void *context, const CheckpointPart *part, EngineError *error)
{
	Kept	   *kept = context;

	for (int i = 0; i < kept->n; i++)
		if (strcmp(kept->parts[i].name, part->name) == 0 && kept->parts[i].size == part->size)
		{
			memcpy(part->bytes, kept->parts[i].bytes, part->size);
			return true;
		}
	return engine_fail(error, ENGINE_CORRUPT, "", "part is not there");
}

static TrainResult *
train_with(Arena *scratch, Base *base, Kept *kept, bool resume, EngineError *error)
{
	EngineHost	host = toy_host();
	TrainObserver observer = toy_observer();
	CheckpointStore store = {due, save, load, resume, kept};

	return train_by_rule(scratch, &base->config, dataset, NULL, &host, &observer,
						 kept ? &store : NULL, &base->rule, error);
}

static void
configure(Config *config, int architecture)
{
	toy_config(config, architecture);
	config->mmoe_dims = config->deep_dims = (IntList) {2, {4, 4}};
	config->hei_hidden = config->hei_output = (IntList) {3, {2, 2, 2}};
	config->batch_size = 32;
	config->epochs = 3;
	config->warmup_batches = 2;
	config->mask_interval = 2;
	config->candidates = 2;
	config->candidate_steps = 2;
	config->cross_layers = 2;
}

static void
add_base(const Config *config, int stop_at, double lead)
{
	Base	   *base = &bases[n_bases++];
	EngineError error;
	TrainResult *result;

	base->config = *config;
	base->rule = (RaceRule) {.settle = 0,.lead = lead};
	result = train_with(&arena, base, NULL, false, &error);
	FUZZ_ASSERT(result);
	base->whole = result->model;
	base->kept.stop_at = stop_at;
	FUZZ_ASSERT(!train_with(&arena, base, &base->kept, false, &error) && base->kept.n > 0);
}

/* A race in each of its stages. */
static void
add_races(void)
{
	Config		config;

	configure(&config, architecture_find("auto"));
	add_base(&config, STOP_AT, 1e6);
	add_base(&config, STOP_IN_RACE, 1e6);
	add_base(&config, STOP_AFTER_RACE, 1e6);
	add_base(&config, STOP_AFTER_RACE, -1e6);
}

/* Every architecture that has batches to stop between; those with masks with both searches. */
static void
set_up(void)
{
	if (dataset)
		return;
	arena_init_malloc(&arena);
	dataset = toy_dataset(&arena, N_ROWS);
	bases = ARENA_ARRAY(&arena, Base, 2 * n_architectures + 4);
	FUZZ_ASSERT(bases);
	for (int i = 0; i < n_architectures; i++)
	{
		Config		config;

		configure(&config, i);
		if (!strategy_of(&config)->batches)
			continue;
		config.mask_search = SEARCH_EXPERTS;
		add_base(&config, STOP_AT, 0);
		if (!architecture_has_masks(config.architecture))
			continue;
		config.mask_search = SEARCH_FULL;
		config.wide = false;
		config.cross_layers = 0;
		add_base(&config, STOP_AT, 0);
	}
	add_races();
}

/* A copy of the parts, damaged as the input says; whether it is. */
static bool
damage(const Kept *from, Kept *to, FuzzInput *input)
{
	FuzzBlock	blocks[MAX_PARTS];
	uint32_t	cut_part = fuzz_number(input, 1);
	uint32_t	cut = fuzz_number(input, 1);
	bool		damaged = false;

	to->n = from->n;
	for (int i = 0; i < from->n; i++)
	{
		to->parts[i] = from->parts[i];
		to->parts[i].bytes = malloc(from->parts[i].size);
		memcpy(to->parts[i].bytes, from->parts[i].bytes, from->parts[i].size);
		blocks[i] = (FuzzBlock) {to->parts[i].bytes, to->parts[i].size};
	}
	if (cut != 255)
	{
		CheckpointPart *part = &to->parts[cut_part % to->n];

		part->size -= cut < part->size ? cut : part->size;
		damaged = cut > 0;
	}
	return fuzz_damage(input, blocks, to->n) || damaged;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FuzzInput	input = {data, size};
	EngineError error = {0};
	Kept		kept = {0};
	Arena		scratch;
	TrainResult *result;
	Base	   *base;
	bool		damaged;

	set_up();
	base = &bases[fuzz_number(&input, 1) % (uint32_t) n_bases];
	damaged = damage(&base->kept, &kept, &input);
	arena_init_malloc(&scratch);
	result = train_with(&scratch, base, &kept, true, &error);
	if (result)
		FUZZ_ASSERT(model_is_finite(result->model));
	else
		FUZZ_ASSERT(error.code == ENGINE_CORRUPT || error.code == ENGINE_BAD_INPUT ||
					error.code == ENGINE_DIVERGED);
	if (!damaged)
		FUZZ_ASSERT(result && memcmp(result->model->params, base->whole->params,
									 base->whole->n_params * sizeof(real)) == 0);
	arena_free_all(&scratch);
	for (int i = 0; i < kept.n; i++)
		free(kept.parts[i].bytes);
	return 0;
}

static int
part_number(const Kept *kept, const char *name)
{
	for (int i = 0; i < kept->n; i++)
		if (strcmp(kept->parts[i].name, name) == 0)
			return i;
	return -1;
}

static void
seed(int number, const uint8_t *bytes, size_t size, const char *what)
{
	const Config *config = &bases[number].config;
	char		name[128];

	snprintf(name, sizeof(name), "%d_%s%s_%s", number, architecture_name(config->architecture),
			 config->mask_search == SEARCH_FULL ? "_full" : "", what);
	fuzz_seed(name, bytes, size);
}

/* The part's own bytes in their places: something to change for the fuzzer. */
static void
seed_part(int number, const char *name)
{
	const Kept *kept = &bases[number].kept;
	int			part = part_number(kept, name);
	uint8_t		bytes[256] = {(uint8_t) number, 0, 255};
	size_t		n;

	if (part < 0)
		return;
	n = kept->parts[part].size < FUZZ_TELLING ? kept->parts[part].size : FUZZ_TELLING - 1;
	n = fuzz_change(bytes + 3, part, 0, kept->parts[part].bytes, (uint8_t) n);
	seed(number, bytes, 3 + n, name);
}

void
fuzz_seeds(void)
{
	static const char *const names[] = {"head", "search", "params", "masks", "has_mask", "best_masks",
		"evaluations", "update.masks.0", "update.fates.0", "update.choices.0", "gate_sum",
	"adam.second"};

	set_up();
	for (int i = 0; i < n_bases; i++)
	{
		uint8_t		intact[] = {(uint8_t) i, 0, 255};
		uint8_t		cut[] = {(uint8_t) i, 3, 4};

		seed(i, intact, sizeof(intact), "intact");
		seed(i, cut, sizeof(cut), "cut");
		for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++)
			seed_part(i, names[k]);
	}
}
