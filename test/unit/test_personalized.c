/*
 * test_personalized.c
 *	  How much of the order of items is the user's own, against scores of row after
 *	  row and the interaction term of a two-way analysis of variance.
 */
#include <math.h>
#include <string.h>

#include "engine/networks/architectures.h"
#include "engine/score/score.h"
#include "engine/train/personalized.h"
#include "toy.h"
#include "unit.h"

#define DOMAIN 0
#define USER 1
#define ITEM 2
#define LIST 3

static const FieldBond bonds[TOY_FIELDS];

static double
score_logit(Scorer *scorer, const Dataset *data, const uint32_t *ids)
{
	ScoreRows	row = {.n_rows = 1,.ids = ids,.list_start = data->list_start,
		.list_members = data->list_members};
	EngineError error;
	double		p;

	CHECK(scorer_score(scorer, &row, &p, &error));
	return logit_of(p);
}

/* Rows of a split's domain with a value of their own in a field, the first of each. */
static int
first_rows(const Dataset *data, Split split, uint32_t domain, int field, size_t *rows)
{
	int			n = 0;

	for (size_t row = data->split_start[split]; row < data->split_start[split + 1]; row++)
	{
		const uint32_t *ids = data->ids + row * TOY_FIELDS;
		bool		known = ids[field] < FIRST_ID;

		for (int i = 0; i < n; i++)
			known |= data->ids[rows[i] * TOY_FIELDS + field] == ids[field];
		if (ids[DOMAIN] == domain && !known)
			rows[n++] = row;
	}
	return n;
}

/* Domain after domain: x less the means of its user and its item is the user's own. */
static double
expected(const Model *model, const Dataset *data, Split split, Arena *arena)
{
	EngineHost	host = toy_host();
	EngineError error;
	Scorer	   *scorer = scorer_create(arena, model, READY_BYTES, NULL, &host, &error);
	double		own = 0;
	double		total = 0;

	for (uint32_t domain = FIRST_ID; domain < FIRST_ID + TOY_DOMAINS; domain++)
	{
		static double x[TOY_USERS][TOY_ITEMS];
		double		of_user[TOY_USERS] = {0};
		double		of_item[TOY_ITEMS] = {0};
		double		mean = 0;
		size_t		users[TOY_USERS];
		size_t		items[TOY_ITEMS];
		int			n = first_rows(data, split, domain, USER, users);
		int			m = first_rows(data, split, domain, ITEM, items);

		for (int u = 0; u < n; u++)
			for (int i = 0; i < m; i++)
			{
				uint32_t	ids[TOY_FIELDS];

				memcpy(ids, data->ids + users[u] * TOY_FIELDS, sizeof(ids));
				ids[ITEM] = data->ids[items[i] * TOY_FIELDS + ITEM];
				x[u][i] = score_logit(scorer, data, ids);
				of_user[u] += x[u][i] / m;
				of_item[i] += x[u][i] / n;
				mean += x[u][i] / n / m;
			}
		for (int u = 0; u < n && n > 1 && m > 1; u++)
			for (int i = 0; i < m; i++)
			{
				own += pow(x[u][i] - of_user[u] - of_item[i] + mean, 2) * n / (n - 1);
				total += pow(x[u][i] - of_user[u], 2);
			}
	}
	return own / total;
}

static double
found(const Model *model, const Dataset *data, Arena *arena)
{
	EngineHost	host = toy_host();
	EngineError error;
	double		personalized = -1;

	CHECK(personalized_find(arena, model, data, bonds, NULL, &host, &personalized, &error));
	return personalized;
}

static Model *
trained(Arena *arena, const Dataset *data, const char *architecture)
{
	Config		config;
	EngineError error;
	TrainResult *result;

	toy_config(&config, architecture_find(architecture));
	result = train_toy(arena, data, &config, &error);
	CHECK(result != NULL);
	return result->model;
}

static bool
never(void *context)
{
	return *(int *) context > 0;
}

int
main(void)
{
	Arena		arena;
	Dataset    *data;
	Dataset		other;
	Model	   *wide;
	Model	   *deep;
	EngineHost	host = toy_host();
	EngineError error;
	double		value;
	int			stop = 1;

	arena_init_malloc(&arena);
	data = toy_dataset(&arena, 6000);
	wide = trained(&arena, data, "wide");
	deep = trained(&arena, data, "deepfm");
	/* a sum of what user and item are worth */
	CHECK(found(wide, data, &arena) == 0);
	/* tastes are all that there is */
	value = found(deep, data, &arena);
	CHECK(value > 0.2 && value <= 1);
	CHECK(fabs(value - expected(deep, data, SPLIT_VALID, &arena)) < 1e-4);
	/* without validation rows, test rows; without users or items, nothing */
	other = *data;
	other.split_start[SPLIT_VALID] = other.split_start[SPLIT_TEST];
	CHECK(fabs(found(deep, &other, &arena) - expected(deep, data, SPLIT_TEST, &arena)) < 1e-4);
	other = *data;
	other.shape.user_field = -1;
	CHECK(isnan(found(deep, &other, &arena)));
	other = *data;
	other.shape.item_field = LIST;
	CHECK(isnan(found(deep, &other, &arena)));
	other = *data;
	other.split_start[1] = other.split_start[2] = other.split_start[3] = 1;
	CHECK(isnan(found(deep, &other, &arena)));
	host.interrupted = never;
	host.context = &stop;
	CHECK(!personalized_find(&arena, deep, data, bonds, NULL, &host, &value, &error) &&
		  error.code == ENGINE_INTERRUPTED);
	arena_free_all(&arena);
	return unit_summary();
}
