/*
 * test_score.c
 *	  The scorer against an independent recomputation in plain loops; row by
 *	  row against batches; closed gates have no influence.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/networks/architectures.h"
#include "engine/networks/build.h"
#include "reference/reference.h"
#include "toy.h"
#include "unit.h"

#include "engine/model/gates.h"
#include "engine/model/mask.h"
#include "engine/score/score.h"

#define N_ROWS 2000
/* Members: more than are added up between two looks at the host. */
#define LONG_LIST 1000000
/* two batches whose rows share values, and a few rows that hardly do */
#define SCORED 532

static TrainResult *
trained(Arena *arena, Dataset *data, int architecture, bool batch_norm,
		bool pairwise)
{
	EngineError error = {0};
	EngineHost	host = toy_host();
	TrainObserver observer = toy_observer();
	Config		config;

	toy_config(&config, architecture);
	config.batch_norm = batch_norm;
	config.pairwise = pairwise;
	config.patience = 100;
	return train(arena, &config, data, NULL, &host, &observer, NULL, &error);
}

static ScoreRows
rows_of(const Dataset *data, size_t first, size_t n)
{
	return (ScoreRows) {.n_rows = n,.ids = data->ids + first * TOY_FIELDS,
		.list_start = data->list_start,.list_members = data->list_members};
}

static void
check_reference(int architecture, bool batch_norm, bool pairwise, size_t ready_bytes)
{
	Arena		arena;
	EngineError error = {0};
	Dataset    *data;
	TrainResult *result;
	Scorer	   *scorer;
	ScoreRows	rows;
	static double scores[SCORED];
	double		worst_reference = 0;
	double		worst_single = 0;

	arena_init_malloc(&arena);
	data = toy_dataset(&arena, N_ROWS);
	result = trained(&arena, data, architecture, batch_norm, pairwise);
	CHECK(result != NULL);
	scorer = scorer_create(&arena, result->model, ready_bytes, NULL, NULL, &error);
	CHECK(scorer != NULL);
	rows = rows_of(data, N_ROWS - SCORED, SCORED);
	CHECK(scorer_score(scorer, &rows, scores, &error));
	for (size_t i = 0; i < SCORED; i++)
	{
		ScoreRows	one = rows_of(data, N_ROWS - SCORED + i, 1);
		double		single;

		CHECK(scorer_score(scorer, &one, &single, &error));
		worst_single = fmax(worst_single, fabs(single - scores[i]));
		worst_reference = fmax(worst_reference, fabs(scores[i] -
			reference_score(result->model, one.ids, data->list_start, data->list_members)));
	}
	CHECK(worst_single < 1e-5);
	CHECK(worst_reference < 1e-5);
	arena_free_all(&arena);
}

/* Weights of gate (l, i, n), or of a closed expert or head, to NaN. */
static void
poison(Model *model, const uint8_t *mask)
{
	const Config *config = &model->config;
	char		name[64];

	for (int l = 1; l <= config->hei_experts.n; l++)
	{
		int			n_experts = config->hei_experts.value[l - 1];
		bool		used[MAX_EXPERTS];

		mask_used_experts(&config->hei_experts, mask, l, used);
		for (int n = 0; n < n_experts; n++)
		{
			int			below = l > 1 ? config->hei_experts.value[l - 2] : 0;
			int			width = 2 * config->embed_dim;

			for (int i = 0; i < below; i++)
				if (!mask[gate_at(&config->hei_experts, l, i, n)])
				{
					snprintf(name, sizeof(name), "hei%d.gate.weight", l);
					for (int e = 0; e < width; e++)
						model_named(model, name)[((size_t) n * below + i) * width + e] = NAN;
				}
			for (int i = 0; !used[n] && i < model->n_tensors; i++)
			{
				snprintf(name, sizeof(name), "hei%d.expert%d.", l, n + 1);
				if (strncmp(model->tensors[i].name, name, strlen(name)) == 0)
					for (size_t k = 0; k < model->tensors[i].size; k++)
						model->params[model->tensors[i].offset + k] = NAN;
			}
		}
	}
}

static void
check_closed_gates(void)
{
	Arena		arena;
	EngineError error = {0};
	Dataset    *data;
	TrainResult *result;
	Model	   *model;
	real	   *saved;
	static double before[N_ROWS];
	static double after[N_ROWS];
	ScoreRows	rows;
	int			with_mask = 0;

	arena_init_malloc(&arena);
	data = toy_dataset(&arena, N_ROWS);
	result = trained(&arena, data, architecture_find("aread"), true, false);
	CHECK(result != NULL);
	model = result->model;
	/* the best evaluation may precede the masks: take the last update's */
	CHECK(result->n_mask_updates > 0);
	memcpy(model->masks, result->mask_updates[result->n_mask_updates - 1].masks,
		   (size_t) model->n_domains * model->n_gates);
	memset(model->has_mask, true, model->n_domains);
	rows = rows_of(data, 0, N_ROWS);
	CHECK(scorer_score(scorer_create(&arena, model, READY_BYTES, NULL, NULL, &error), &rows, before,
					   &error));
	saved = ARENA_ARRAY(&arena, real, model->n_params);
	memcpy(saved, model->params, model->n_params * sizeof(real));
	for (uint32_t d = 0; d < model->n_domains; d++)
	{
		poison(model, model->masks + (size_t) d * model->n_gates);
		CHECK(scorer_score(scorer_create(&arena, model, READY_BYTES, NULL, NULL, &error), &rows, after,
					   &error));
		for (size_t row = 0; row < N_ROWS; row++)
			if (dataset_domain(data, row) == d)
			{
				with_mask++;
				CHECK(after[row] == before[row]);
			}
		memcpy(model->params, saved, model->n_params * sizeof(real));
	}
	CHECK(with_mask > 0);
	arena_free_all(&arena);
}

/* A domain, user and item never seen: near the mean, and a number in any case. */
static void
check_unseen(void)
{
	Arena		arena;
	EngineError error = {0};
	Dataset    *data;
	TrainResult *result;
	uint32_t	ids[TOY_FIELDS] = {FIRST_ID, UNSEEN_ID, UNSEEN_ID, 0};
	uint64_t	list_start[2] = {0, 0};
	ScoreRows	rows = {.n_rows = 1,.ids = ids,.list_start = list_start};
	Scorer	   *scorer;
	double		mean;
	double		score;

	arena_init_malloc(&arena);
	data = toy_dataset(&arena, 5000);
	result = trained(&arena, data, architecture_find("aread"), true, false);
	CHECK(result != NULL);
	scorer = scorer_create(&arena, result->model, READY_BYTES, NULL, NULL, &error);
	mean = (double) result->domains[0].positives / result->domains[0].rows;
	CHECK(scorer_score(scorer, &rows, &score, &error));
	/* a toy's few heads, trained for three epochs, differ that much between seeds */
	CHECK(fabs(score - mean) < 0.2);
	for (int f = 0; f < 3; f++)
		ids[f] = UNSEEN_ID;
	CHECK(scorer_score(scorer, &rows, &score, &error));
	CHECK(score > 0 && score < 1);
	arena_free_all(&arena);
}

/* Open heads' mean, calibrated, is the score; effects by scoring changed rows. */
static void
check_parts(const Dataset *data, Scorer *scorer, const Model *model, size_t row, Arena *arena)
{
	ScoreRows	one = rows_of(data, row, 1);
	Calibration calibration = model_calibration(model);
	EngineError error = {0};
	ScoreParts	parts;
	double		effects[TOY_FIELDS + 1];
	double		score;
	double		sum = 0;
	double		share = 0;
	int			n_open = 0;

	CHECK(scorer_score(scorer, &one, &score, &error));
	CHECK(scorer_parts(scorer, &one, &parts, &error));
	CHECK(parts.score == score);
	for (int j = 0; j < parts.n_heads; j++)
	{
		n_open += parts.heads[j].open;
		sum += parts.heads[j].probability;
		share += parts.heads[j].share;
		CHECK(fabs(parts.heads[j].probability -
				   (parts.heads[j].open ? 1 / (1 + exp(-parts.heads[j].logit)) : 0)) < 1e-12);
	}
	CHECK(n_open > 0 && fabs(sum / n_open - parts.mean) < 1e-12 && fabs(share - 1) < 1e-12);
	CHECK(fabs(calibrate(&calibration, parts.mean, 0) - score) < 1e-12);
	CHECK(scorer_effects(scorer, arena, &one, effects, &error));
	for (int f = 0; f < TOY_FIELDS; f++)
	{
		uint32_t	ids[TOY_FIELDS];
		uint64_t	list_start[2] = {0, 1};
		uint32_t	member = UNSEEN_ID;
		ScoreRows	changed = {.n_rows = 1,.ids = ids,.list_start = data->list_start,
		.list_members = data->list_members};
		double		other;

		memcpy(ids, one.ids, sizeof(ids));
		ids[f] = f == 3 ? 0 : UNSEEN_ID;
		if (f == 3)
			changed.list_start = list_start, changed.list_members = &member;
		CHECK(scorer_score(scorer, &changed, &other, &error));
		CHECK(fabs(effects[f] - (log(score / (1 - score)) - log(other / (1 - other)))) < 1e-4);
	}
}

static void
check_explained(int architecture)
{
	Arena		arena;
	EngineError error = {0};
	Dataset    *data;
	TrainResult *result;
	Scorer	   *scorer;

	arena_init_malloc(&arena);
	data = toy_dataset(&arena, N_ROWS);
	result = trained(&arena, data, architecture, true, false);
	CHECK(result != NULL);
	scorer = scorer_create(&arena, result->model, READY_BYTES, NULL, NULL, &error);
	for (size_t row = 0; row < 40; row++)
		check_parts(data, scorer, result->model, row, &arena);
	arena_free_all(&arena);
}

/* A change of one parameter, and whether the model is refused with it. */
static bool
refused_with(Model *model, const char *tensor, real value)
{
	real	   *at = model_named(model, tensor);
	real		kept = *at;
	EngineError error = {0};
	bool		ok;

	*at = value;
	ok = model_check(model, &error);
	*at = kept;
	CHECK(ok || error.code == ENGINE_CORRUPT);
	return !ok;
}

/* What training leaves is accepted, what it cannot leave is not; a score is a number or an error. */
static void
check_checked(void)
{
	Arena		arena;
	EngineError error = {0};
	Dataset    *data;
	TrainResult *result;
	Model	   *model;
	Scorer	   *scorer;
	ScoreRows	rows;
	ScoreParts	parts;
	double		scores[2];
	real		largest = (real) (sizeof(real) == sizeof(float) ? FLT_MAX : DBL_MAX);

	arena_init_malloc(&arena);
	data = toy_dataset(&arena, N_ROWS);
	result = trained(&arena, data, architecture_find("aread"), true, false);
	CHECK(result != NULL);
	model = result->model;
	CHECK(model_check(model, &error));
	CHECK(model_count_params(&arena, &model->config, &model->shape, model->pairs, &error) ==
		  model->n_params);
	CHECK(refused_with(model, "bias", NAN) && refused_with(model, "bias", INFINITY));
	CHECK(refused_with(model, "mmoe.layer0.variance", -1));
	CHECK(refused_with(model, "calibration", 51) && !refused_with(model, "calibration", 1));
	memset(model->has_mask, true, model->n_domains);
	model->masks[0] = 2;
	CHECK(!model_check(model, &error) && error.code == ENGINE_CORRUPT);
	memset(model->masks, 0, (size_t) model->n_domains * model->n_gates);
	CHECK(!model_check(model, &error) && error.code == ENGINE_CORRUPT);
	memset(model->has_mask, false, model->n_domains);
	CHECK(model_check(model, &error));
	/* all of it finite, and yet a sum of infinities */
	for (size_t i = 0; i < model->n_params - 2; i++)
		model->params[i] = i % 2 == 0 ? largest : -largest;
	scorer = scorer_create(&arena, model, READY_BYTES, NULL, NULL, &error);
	CHECK(scorer != NULL);
	rows = rows_of(data, 0, 2);
	CHECK(!scorer_score(scorer, &rows, scores, &error) && error.code == ENGINE_CORRUPT);
	rows = rows_of(data, 0, 1);
	CHECK(!scorer_score(scorer, &rows, scores, &error) && error.code == ENGINE_CORRUPT);
	CHECK(!scorer_parts(scorer, &rows, &parts, &error) && error.code == ENGINE_CORRUPT);
	arena_free_all(&arena);
}

static bool
answer(void *context)
{
	return *(bool *) context;
}

/* A row and a batch whose lists are long: scored to the end, or left, and then as if nothing had been. */
static void
check_interrupted(int architecture, size_t ready_bytes)
{
	Arena		arena;
	EngineError error = {0};
	bool		stop = false;
	EngineHost	host = {.interrupted = answer,.context = &stop};
	Dataset    *data;
	TrainResult *result;
	Scorer	   *scorer;
	uint64_t	start[2] = {0, LONG_LIST};
	uint32_t   *members;
	uint32_t   *ids;
	double		scores[2][3];

	arena_init_malloc(&arena);
	data = toy_dataset(&arena, N_ROWS);
	result = trained(&arena, data, architecture, true, false);
	CHECK(result != NULL);
	scorer = scorer_create(&arena, result->model, ready_bytes, NULL, &host, &error);
	CHECK(scorer != NULL);
	members = ARENA_ARRAY(&arena, uint32_t, LONG_LIST);
	for (uint32_t i = 0; i < LONG_LIST; i++)
		members[i] = FIRST_ID + i % 3;
	ids = ARENA_ARRAY(&arena, uint32_t, 3 * TOY_FIELDS);
	memcpy(ids, data->ids, 3 * TOY_FIELDS * sizeof(uint32_t));
	for (int i = 0; i < 3 * TOY_FIELDS; i++)
		if (data->shape.field_is_list[i % TOY_FIELDS])
			ids[i] = 0;
	for (int n = 1; n <= 3; n += 2)
	{
		ScoreRows	rows = {.n_rows = n,.ids = ids,.list_start = start,.list_members = members};

		CHECK(scorer_score(scorer, &rows, scores[0], &error));
		stop = true;
		CHECK(!scorer_score(scorer, &rows, scores[1], &error) && error.code == ENGINE_INTERRUPTED);
		stop = false;
		CHECK(scorer_score(scorer, &rows, scores[1], &error));
		CHECK(memcmp(scores[0], scores[1], n * sizeof(double)) == 0);
	}
	arena_free_all(&arena);
}

/* So many blocks more, then there is no memory. */
static void *
allocate_some(void *context, size_t size)
{
	int		   *left = context;

	return (*left)-- > 0 ? calloc(1, size) : NULL;
}

static void
release_some(void *context, void *block)
{
	(void) context;
	free(block);
}

/* Wherever memory ends, a batch leaves none behind, and is scored when there is some again. */
static void
check_memory(void)
{
	Arena		arena;
	Arena		some;
	EngineError error = {0};
	Dataset    *data;
	TrainResult *result;
	Scorer	   *scorer;
	ScoreRows	rows;
	double		scores[3];
	size_t		bytes;
	int			left = 1000;
	int			failures = 0;

	arena_init_malloc(&arena);
	arena_init(&some, allocate_some, release_some, &left);
	data = toy_dataset(&arena, N_ROWS);
	result = trained(&arena, data, architecture_find("aread"), true, false);
	CHECK(result != NULL);
	rows = rows_of(data, 0, 3);
	scorer = scorer_create(&some, result->model, 0, NULL, NULL, &error);
	CHECK(scorer != NULL);
	bytes = some.bytes;
	for (int n = 0; left = n, !scorer_score(scorer, &rows, scores, &error); n++, failures++)
		CHECK(error.code == ENGINE_OUT_OF_MEMORY && some.bytes == bytes);
	CHECK(failures > 10);
	arena_free_all(&some);
	arena_free_all(&arena);
}

int
main(void)
{
	/* no value's product, those of the smallest tables, all */
	const size_t ready[] = {0, 4000, READY_BYTES};

	for (int architecture = 0; architecture < n_architectures; architecture++)
		for (int i = 0; i < 3; i++)
			check_reference(architecture, true, false, ready[i]);
	check_reference(architecture_find("aread"), false, true, 0);
	check_interrupted(architecture_find("wide"), 0);
	check_interrupted(architecture_find("aread"), 0);
	check_interrupted(architecture_find("aread"), READY_BYTES);
	check_closed_gates();
	check_unseen();
	for (int architecture = 0; architecture < n_architectures; architecture++)
		check_explained(architecture);
	check_checked();
	check_memory();
	return unit_summary();
}
