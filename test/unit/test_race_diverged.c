/*
 * test_race_diverged.c
 *	  Races in which networks diverge: before both are compared the other one has won, and is
 *	  the network that its own training makes.  Later, or both: an error, as without a race.
 */
#include <math.h>
#include <string.h>

#include "raced.h"
#include "toy.h"
#include "unit.h"

#include "engine/networks/architectures.h"

#define ROWS 1500

/* Parameters that become NaN in an epoch of phases, one after the other. */
typedef struct Poison
{
	const Told *told;
	const char *phases[2];		/* NULL: none */
	int			epoch;
	int			n_done;
} Poison;

static bool
poison_due(void *context)
{
	const Poison *poison = context;
	const Told *told = poison->told;
	const char *phase = poison->n_done < 2 ? poison->phases[poison->n_done] : NULL;

	return phase && told->n_phases > 0 && told->epoch == poison->epoch &&
		strcmp(told->phases[told->n_phases - 1], phase) == 0;
}

/* A checkpoint's parts are where the training has them. */
static bool
poison_save(void *context, const CheckpointPart *parts, int n, EngineError *error)
{
	Poison	   *poison = context;

	(void) error;
	for (int i = 0; i < n; i++)
		for (size_t k = 0; strcmp(parts[i].name, "params") == 0 && k < parts[i].size / sizeof(real); k++)
			((real *) parts[i].bytes)[k] = NAN;
	poison->n_done++;
	return true;
}

static TrainResult *
train_poisoned(Arena *arena, const char *architecture, const Dataset *data, double lead,
			   Poison *poison, Told *told, EngineError *error)
{
	CheckpointStore store = {poison_due, poison_save, NULL, false, poison};
	Config		config;

	toy_config(&config, architecture_find(architecture));
	config.patience = 100;
	poison->told = told;
	return train_raced(arena, &config, data, NULL, &store, lead, told, error);
}

/* A network that diverges before both are compared has lost, whatever the lead. */
static void
check_diverged_one(const Dataset *data, int which, int epoch, double lead)
{
	static const char *const names[] = {"mmoe", "hei"};
	static const char *const phases[] = {"race: mmoe", "race: hei", "training"};
	Arena		arena;
	EngineError error = {0};
	Told		told;
	Poison		none = {0};
	Poison		poison = {.phases = {phases[which]},.epoch = epoch};
	TrainResult *alone;
	TrainResult *result;
	int			expected;

	arena_init_malloc(&arena);
	alone = train_poisoned(&arena, names[1 - which], data, lead, &none, &told, &error);
	expected = told.n_evaluations;
	result = train_poisoned(&arena, "auto", data, lead, &poison, &told, &error);
	CHECK(alone && result && same_model(alone, result) && poison.n_done == 1);
	CHECK(result->race.ran && !result->race.compared && result->race.first_kept == (which == 1));
	CHECK(result->race.diverged[which] == epoch && result->race.diverged[1 - which] == 0);
	/* it is told of once; the other one has no rival any more, and so is no part of a race */
	CHECK(told.n_races == which + 2 && told.races[which].diverged[which] == 0 &&
		  told.races[which + 1].diverged[which] == epoch);
	CHECK(told.n_phases == which + 2 && strcmp(told.phases[which + 1], phases[2]) == 0);
	CHECK(told.n_evaluations == expected + which * 5 + 2 * epoch - 1);
	arena_free_all(&arena);
}

static void
check_diverged(void)
{
	Arena		arena;
	EngineError alone = {0};
	EngineError error = {0};
	Dataset    *data;
	Told		told;
	Poison		poison = {.phases = {"training"},.epoch = 1};

	arena_init_malloc(&arena);
	data = toy_dataset(&arena, ROWS);
	for (int i = 0; i < 8; i++)
		check_diverged_one(data, i % 2, 1 + i / 2 % 2, i < 4 ? -1e6 : 1e6);
	/* both: the error of a training without a race */
	CHECK(!train_poisoned(&arena, "hei", data, 0, &poison, &told, &alone));
	CHECK(alone.code == ENGINE_DIVERGED);
	poison = (Poison) {.phases = {"race: mmoe", "training"},.epoch = 1};
	CHECK(!train_poisoned(&arena, "auto", data, 0, &poison, &told, &error) && poison.n_done == 2);
	CHECK(error.code == ENGINE_DIVERGED && strcmp(error.message, alone.message) == 0 &&
		  strcmp(error.hint, alone.hint) == 0);
	/* after the comparison */
	for (int ahead = 0; ahead < 2; ahead++)
	{
		poison = (Poison) {.phases = {"training"},.epoch = 3};
		CHECK(!train_poisoned(&arena, "auto", data, ahead ? -1e6 : 1e6, &poison, &told, &error));
		CHECK(error.code == ENGINE_DIVERGED && told.n_races == 3 && told.races[2].compared);
	}
	arena_free_all(&arena);
}

int
main(void)
{
	check_diverged();
	return unit_summary();
}
