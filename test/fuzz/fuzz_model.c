/*
 * fuzz_model.c
 *	  Damaged parameters, masks and places of domain weights: refused, or
 *	  scores.
 *
 * The first byte of an input chooses an architecture, the rest is damage.  What
 * is checked before scoring is what load.c checks of stored bytes.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/networks/architectures.h"
#include "engine/networks/build.h"
#include "engine/score/score.h"
#include "fuzz.h"
#include "toy.h"

#define N_ROWS 200
#define N_SCORED 20
#define FIRST_PAIRS 3			/* blocks before those of domain weights' places */
#define MAX_BLOCKS (FIRST_PAIRS + 2 * TOY_FIELDS)

typedef struct Base
{
	Config		config;
	Model	   *model;
	double		scores[N_SCORED];
} Base;

static Arena arena;				/* of what stays */
static Dataset *dataset;
static Base *bases;			/* [n_architectures] */

static ScoreRows
rows_to_score(size_t from, size_t n)
{
	return (ScoreRows) {.n_rows = n,.ids = dataset->ids + from * TOY_FIELDS,
		.list_start = dataset->list_start,.list_members = dataset->list_members};
}

static void
set_up(void)
{
	EngineHost	host = toy_host();
	TrainObserver observer = toy_observer();
	ScoreRows	rows;
	EngineError error;

	if (dataset)
		return;
	arena_init_malloc(&arena);
	dataset = toy_dataset(&arena, N_ROWS);
	bases = ARENA_ARRAY(&arena, Base, n_architectures);
	FUZZ_ASSERT(bases);
	rows = rows_to_score(0, N_SCORED);
	for (int i = 0; i < n_architectures; i++)
	{
		Base	   *base = &bases[i];
		TrainResult *result;
		Scorer	   *scorer;

		toy_config(&base->config, i);
		result = train(&arena, &base->config, dataset, NULL, &host, &observer, NULL, &error);
		FUZZ_ASSERT(result);
		base->model = result->model;
		scorer = scorer_create(&arena, base->model, READY_BYTES, NULL, NULL, &error);
		FUZZ_ASSERT(scorer && scorer_score(scorer, &rows, base->scores, &error));
	}
}

static void *
copy(const void *bytes, size_t size)
{
	void	   *to = malloc(size);

	return size > 0 ? memcpy(to, bytes, size) : to;
}

/* What load.c would have in memory; blocks of exact sizes, so that a read beyond them shows. */
typedef struct Stored
{
	Model		model;
	DomainPairs pairs[TOY_FIELDS];
	FuzzBlock	blocks[MAX_BLOCKS];
	int			n_blocks;
} Stored;

static void *
add_block(Stored *stored, const void *bytes, size_t size)
{
	FuzzBlock  *block = &stored->blocks[stored->n_blocks++];

	block->size = size;
	block->bytes = copy(bytes, size);
	return block->bytes;
}

static void
store(Stored *stored, const Model *model)
{
	*stored = (Stored) {.model = {.config = model->config,.n_params = model->n_params,
	.n_domains = model->n_domains,.n_gates = model->n_gates}};
	stored->model.params = add_block(stored, model->params,
									 model->n_params * sizeof(real));
	stored->model.has_mask = add_block(stored, model->has_mask, model->n_domains);
	stored->model.masks = add_block(stored, model->masks,
									(size_t) model->n_domains * model->n_gates);
	for (int f = 0; f < TOY_FIELDS; f++)
	{
		const DomainPairs *pairs = &model->pairs[f];

		stored->pairs[f] = *pairs;
		if (pairs->n_pairs == 0)
			continue;
		stored->pairs[f].start = add_block(stored, pairs->start,
										   ((size_t) pairs->n_values + 1) * sizeof(uint32_t));
		stored->pairs[f].domain = add_block(stored, pairs->domain,
											(size_t) pairs->n_pairs * sizeof(uint32_t));
	}
}

static void
release(Stored *stored)
{
	for (int i = 0; i < stored->n_blocks; i++)
		free(stored->blocks[i].bytes);
}

/* As load.c does. */
static bool
check(const Stored *stored, const Model *model, EngineError *error)
{
	const Shape *shape = &model->shape;

	for (int f = 0; f < TOY_FIELDS; f++)
		if (stored->pairs[f].n_pairs > 0 &&
			!pairs_valid(&stored->pairs[f], shape_rows(shape, f),
						 shape_domains(shape)))
			return engine_fail(error, ENGINE_CORRUPT, "", "pairs do not hold together");
	return model_check(model, error);
}

static bool
score(Arena *scratch, const Model *model, double *scores, EngineError *error)
{
	ScoreRows	rows = rows_to_score(0, N_SCORED);
	ScoreRows	one = rows_to_score(N_ROWS - 1, 1);
	Scorer	   *scorer = scorer_create(scratch, model, READY_BYTES, NULL, NULL, error);
	ScoreParts	parts;
	double		single;
	double		effects[TOY_FIELDS + 1];

	if (!scorer || !scorer_score(scorer, &rows, scores, error) ||
		!scorer_score(scorer, &one, &single, error) ||
		!scorer_parts(scorer, &one, &parts, error) ||
		!scorer_effects(scorer, scratch, &one, effects, error))
		return false;
	FUZZ_ASSERT(single >= 0 && single <= 1 && parts.score >= 0 && parts.score <= 1);
	/* the calibration would make a number of anything */
	FUZZ_ASSERT(parts.mean >= 0 && parts.mean <= 1);
	for (int i = 0; i < N_SCORED; i++)
		FUZZ_ASSERT(scores[i] >= 0 && scores[i] <= 1);
	for (int f = 0; f < TOY_FIELDS; f++)
		FUZZ_ASSERT(isfinite(effects[f]));
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FuzzInput	input = {data, size};
	EngineError error = {0};
	double		scores[N_SCORED];
	Arena		scratch;
	Stored		stored;
	Base	   *base;
	Model	   *model;
	bool		damaged;
	bool		ok;

	set_up();
	base = &bases[fuzz_number(&input, 1) % (uint32_t) n_architectures];
	arena_init_malloc(&scratch);
	store(&stored, base->model);
	damaged = fuzz_damage(&input, stored.blocks, stored.n_blocks);
	model = model_attach(&scratch, &stored.model, &base->model->shape, stored.pairs, &error);
	FUZZ_ASSERT(model);
	ok = check(&stored, model, &error) && score(&scratch, model, scores, &error);
	if (!ok)
		FUZZ_ASSERT(damaged && error.code == ENGINE_CORRUPT);
	if (!damaged)
		FUZZ_ASSERT(memcmp(scores, base->scores, sizeof(scores)) == 0);
	arena_free_all(&scratch);
	release(&stored);
	return 0;
}

/* The seed of one architecture with a change behind its first byte. */
static void
seed(int architecture, const uint8_t *change, size_t size, const char *what, int number)
{
	char		name[96];
	uint8_t		bytes[64] = {(uint8_t) architecture};

	FUZZ_ASSERT(size < sizeof(bytes));
	if (size > 0)
		memcpy(bytes + 1, change, size);
	snprintf(name, sizeof(name), "%s_%s%d", architecture_name(architecture), what, number);
	fuzz_seed(name, bytes, 1 + size);
}

static void
seed_architecture(int architecture)
{
	static const uint8_t closed[8];
	static const uint32_t numbers[] = {0, 1, 2, 3};
	static const float values[] = {1e38F, -1e38F, 1e30F, -1};
	const Model *model = bases[architecture].model;
	uint8_t		change[64];

	seed(architecture, NULL, 0, "intact", 0);
	if (model->n_gates > 0)
		seed(architecture, change, fuzz_change(change, 2, 0, closed, sizeof(closed)), "masks", 0);
	for (int b = 0; b < 4; b++)
		seed(architecture, change,
			 fuzz_change(change, FIRST_PAIRS + b, 0, numbers, sizeof(numbers)), "pairs", b);
	/* all of the parameters, from a third of them on, the last third */
	for (int part = 0; part < 3; part++)
	{
		const float word = part == 1 ? -3e38F : 3e38F;
		uint8_t		rest[6] = {0xff, 0xff};

		memcpy(rest + 2, &word, sizeof(word));
		fuzz_change(change, 0, (uint32_t) (part * model->n_params / 3 * sizeof(real)), rest,
					sizeof(rest));
		change[3] = FUZZ_FILL;
		seed(architecture, change, 4 + sizeof(rest), "filled", part);
	}
	for (int i = 0; i < model->n_tensors; i += 16)
	{
		uint32_t	place = (uint32_t) (model->tensors[i].offset * sizeof(real));

		seed(architecture, change, fuzz_change(change, 0, place, values, sizeof(values)),
			 "tensor", i);
	}
}

void
fuzz_seeds(void)
{
	set_up();
	for (int i = 0; i < n_architectures; i++)
		seed_architecture(i);
}
