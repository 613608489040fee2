/*
 * test_dense.c
 *	  Dense fields: vectors that tell the label are learned from, by the wide part
 *	  alone and by the network; scores against an independent recomputation, row by
 *	  row against batches; what is no vector is found.
 */
#include <math.h>
#include <string.h>

#include "engine/networks/architectures.h"
#include "reference/reference.h"
#include "toy.h"
#include "unit.h"

#include "engine/logistic/logistic.h"
#include "engine/measure/metrics.h"
#include "engine/score/score.h"

#define ROWS 4000
#define SCORED 532				/* two batches and a few rows */

static ScoreRows
rows_of(const Dataset *data, size_t first, size_t n)
{
	return (ScoreRows) {.n_rows = n,.ids = data->ids + first * VECTOR_FIELDS,
		.list_start = data->list_start,.list_members = data->list_members};
}

static void
check_scores(const Dataset *data, const Model *model, Arena *arena)
{
	EngineError error = {0};
	Scorer	   *scorer = scorer_create(arena, model, READY_BYTES, NULL, NULL, &error);
	ScoreRows	rows = rows_of(data, ROWS - SCORED, SCORED);
	static double scores[SCORED];
	double		worst_reference = 0;
	double		worst_single = 0;

	CHECK(scorer != NULL && scorer_score(scorer, &rows, scores, &error));
	for (size_t i = 0; i < SCORED; i++)
	{
		ScoreRows	one = rows_of(data, ROWS - SCORED + i, 1);
		double		single;

		CHECK(scorer_score(scorer, &one, &single, &error));
		worst_single = fmax(worst_single, fabs(single - scores[i]));
		worst_reference = fmax(worst_reference, fabs(scores[i] -
			reference_score(model, one.ids, data->list_start, data->list_members)));
	}
	CHECK(worst_single < 1e-5);
	CHECK(worst_reference < 1e-5);
}

/* Of the vector: as if it were the mean one. */
static void
check_effect(const Dataset *data, const Model *model, Arena *arena)
{
	EngineError error = {0};
	Scorer	   *scorer = scorer_create(arena, model, READY_BYTES, NULL, NULL, &error);
	ScoreRows	one = rows_of(data, 0, 1);
	uint32_t	ids[VECTOR_FIELDS] = {data->ids[0], data->ids[1], 0};
	uint32_t	members[TOY_LENGTH + 1] = {UNSEEN_ID};
	uint64_t	list_start[2] = {0, TOY_LENGTH + 1};
	ScoreRows	mean = {.n_rows = 1,.ids = ids,.list_start = list_start,.list_members = members};
	double		effects[VECTOR_FIELDS + 1];
	double		scores[2];

	CHECK(scorer_effects(scorer, arena, &one, effects, &error));
	CHECK(scorer_score(scorer, &one, &scores[0], &error));
	CHECK(scorer_score(scorer, &mean, &scores[1], &error));
	CHECK(fabs(effects[2]) > 0.1);
	CHECK(fabs(effects[2] - log(scores[0] / (1 - scores[0])) +
			   log(scores[1] / (1 - scores[1]))) < 1e-4);
}

static void
check_trained(int architecture, bool domain_weights, bool pairwise)
{
	Arena		arena;
	EngineError error = {0};
	EngineHost	host = toy_host();
	TrainObserver observer = toy_observer();
	Config		config;
	Dataset    *data;
	TrainResult *result;
	Team	   *team;
	TrainResult *by_team;

	arena_init_malloc(&arena);
	data = toy_vectors(&arena, ROWS);
	CHECK(dataset_check(data, NULL, &error));
	toy_config(&config, architecture);
	config.domain_weights = domain_weights;
	config.pairwise = pairwise;
	result = train_toy(&arena, data, &config, &error);
	CHECK(result != NULL && result->test.auc.value > 0.9);
	check_scores(data, result->model, &arena);
	check_effect(data, result->model, &arena);
	team = team_start(&arena, 3, &error);
	by_team = train(&arena, &config, data, team, &host, &observer, NULL, &error);
	CHECK(by_team != NULL && memcmp(by_team->model->params, result->model->params,
									result->model->n_params * sizeof(real)) == 0);
	team_stop(team);
	arena_free_all(&arena);
}

/* Without the wide part it is the network that learns from vectors; masks are part of it. */
static void
check_network_alone(int architecture)
{
	Arena		arena;
	EngineError error = {0};
	Config		config;
	Dataset    *data;
	TrainResult *result;

	arena_init_malloc(&arena);
	data = toy_vectors(&arena, ROWS);
	toy_config(&config, architecture);
	config.wide = false;
	config.epochs = 20;
	config.patience = 100;
	/* most of the time would go to mask updates */
	config.mask_interval = 100;
	result = train_toy(&arena, data, &config, &error);
	CHECK(result != NULL && result->best_evaluation > 0);
	/* products of vectors alone tell less of it than layers of neurons do */
	CHECK(result->test.auc.value > (architecture_uses(architecture, "dropout") ? 0.9 : 0.8));
	CHECK(architecture_has_masks(architecture) == (result->n_mask_updates > 0));
	check_scores(data, result->model, &arena);
	arena_free_all(&arena);
}

/* The objective's gradient by a component's weight, in plain loops; value < 0: by the missing vector's. */
static double
gradient_of(const Dataset *data, real *const *wide, real bias, double l2, int component)
{
	double		sum = l2 * wide[2][component < 0 ? NULL_ID : FIRST_ID + component];

	for (size_t row = 0; row < data->split_start[SPLIT_VALID]; row++)
	{
		const uint32_t *ids = data->ids + row * VECTOR_FIELDS;
		const uint32_t *members = data->list_members + data->list_start[ids[2]];
		size_t		n = data->list_start[ids[2] + 1] - data->list_start[ids[2]];
		double		logit = bias + wide[0][ids[0]] + wide[1][ids[1]] + wide[2][members[0]];
		double		x = component < 0 ? n == 1 : 0;

		for (size_t i = 1; i < n; i++)
		{
			float		number;

			memcpy(&number, &members[i], sizeof(number));
			logit += number * wide[2][FIRST_ID + i - 1];
			x = (int) i - 1 == component ? number : x;
		}
		sum += (1 / (1 + exp(-logit)) - data->labels[row]) * x;
	}
	return sum;
}

static void
check_optimum(void)
{
	Arena		arena;
	EngineError error = {0};
	EngineHost	host = toy_host();
	LogisticReport report;
	Dataset    *data;
	real	   *wide[2 * VECTOR_FIELDS] = {NULL};
	double		l2[2 * VECTOR_FIELDS] = {1, 1, 1, 1, 1, 1};
	real		bias = 0;

	arena_init_malloc(&arena);
	data = toy_vectors(&arena, ROWS);
	for (int f = 0; f < VECTOR_FIELDS; f++)
		wide[f] = ARENA_ARRAY(&arena, real, data->shape.table_rows[f]);
	CHECK(logistic_fit(&arena, data, NULL, l2, false, 1e-5, 1000, wide, &bias, NULL, &host, &report,
					   &error));
	CHECK(report.converged && report.iterations < 200);
	for (int component = -1; component < TOY_LENGTH; component++)
		CHECK(fabs(gradient_of(data, wide, bias, 1, component)) < 0.05);
	CHECK(wide[2][NULL_ID] < -1 && wide[2][UNSEEN_ID] == 0);
	arena_free_all(&arena);
}

static uint32_t
bits_of(float number)
{
	uint32_t	bits;

	memcpy(&bits, &number, sizeof(bits));
	return bits;
}

/* A change of one member, and whether the data is refused with it. */
static bool
refused_with(const Dataset *data, size_t at, uint32_t member)
{
	uint32_t   *members = (uint32_t *) data->list_members;
	uint32_t	kept = members[at];
	EngineError error = {0};
	bool		ok;

	members[at] = member;
	ok = dataset_check(data, NULL, &error);
	members[at] = kept;
	return !ok && error.code == ENGINE_BAD_INPUT;
}

static void
check_checked(void)
{
	Arena		arena;
	EngineError error = {0};
	Dataset    *data;
	size_t		row = 0;

	arena_init_malloc(&arena);
	data = toy_vectors(&arena, ROWS);
	while (data->list_start[row + 1] - data->list_start[row] == 1)
		row++;
	CHECK(refused_with(data, data->list_start[row], NULL_ID));
	CHECK(refused_with(data, data->list_start[row], FIRST_ID));
	CHECK(refused_with(data, data->list_start[row] + 3, bits_of(NAN)));
	CHECK(refused_with(data, data->list_start[row] + TOY_LENGTH, bits_of(INFINITY)));
	/* a component more in this row, one less in the next */
	((uint64_t *) data->list_start)[row + 1]++;
	CHECK(!dataset_check(data, NULL, &error) && error.code == ENGINE_BAD_INPUT);
	/* ids, in a list and alone, are below their table's rows */
	data = toy_dataset(&arena, ROWS);
	CHECK(dataset_check(data, NULL, &error));
	CHECK(!refused_with(data, 0, shape_rows(&data->shape, 3) - 1));
	CHECK(refused_with(data, 0, shape_rows(&data->shape, 3)));
	((uint32_t *) data->ids)[5 * TOY_FIELDS + 1] = shape_rows(&data->shape, 1);
	CHECK(!dataset_check(data, NULL, &error) && error.code == ENGINE_BAD_INPUT);
	arena_free_all(&arena);
}

int
main(void)
{
	check_optimum();
	check_checked();
	for (int architecture = 0; architecture < n_architectures; architecture++)
		check_trained(architecture, true, false);
	check_trained(architecture_find("aread"), false, true);
	for (int architecture = 0; architecture < n_architectures; architecture++)
		if (architecture_at(architecture)->strategy != STRATEGY_START)
			check_network_alone(architecture);
	return unit_summary();
}
