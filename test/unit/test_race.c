/*
 * test_race.c
 *	  A race of two networks: when there is one, who wins by what validation rows say, and
 *	  that the winner is the network that its own training makes.
 *
 * test_race_diverged.c has networks that diverge.  test_checkpoint.c stops races and
 * resumes them, and forges where they stood.
 */
#include <math.h>
#include <string.h>

#include "counted.h"
#include "engine/networks/architectures.h"
#include "raced.h"
#include "toy.h"
#include "unit.h"

#include "engine/networks/architectures.h"
#include "engine/networks/config_options.h"
#include "engine/train/stopping.h"
#include "engine/train/units.h"

#define ROWS 1500

static TrainResult *
train_told(Arena *arena, const Config *config, const Dataset *data, Team *team, double lead,
		   Told *told)
{
	EngineError error = {0};

	return train_raced(arena, config, data, team, NULL, lead, told, &error);
}

/* The best score of a training's first evaluations, by which its parameters would be kept. */
static double
best_until(const TrainResult *result, const Config *config, int last)
{
	double		best = NAN;

	for (int i = 0; i <= last && i < result->n_evaluations; i++)
		if (result->evaluations[i].best)
			best = evaluation_score(&result->evaluations[i], config);
	return best;
}

/* A race, and trainings of both networks by themselves, which say how it must end. */
static bool
check_race(const Config *given, const Dataset *data, double lead)
{
	Config		config = *given;
	Arena		arena;
	Told		told;
	Told		told_alone;
	TrainResult *alone[2];
	TrainResult *result;
	double		score[2];
	bool		ahead;
	int			last = RACE_EPOCHS * config.evaluations;

	arena_init_malloc(&arena);
	for (int i = 0; i < 2; i++)
	{
		config.architecture = architecture_find(i == 0 ? "mmoe" : "hei");
		alone[i] = train_told(&arena, &config, data, NULL, lead, &told_alone);
		CHECK(alone[i] && !alone[i]->race.ran && told_alone.n_races == 0);
		score[i] = best_until(alone[i], &config, last);
	}
	ahead = score[0] - score[1] > lead * evaluation_least_gain(&alone[0]->evaluations[0], &config);
	config.architecture = architecture_find("auto");
	result = train_told(&arena, &config, data, NULL, lead, &told);
	CHECK(result && same_model(result, alone[ahead ? 0 : 1]));
	CHECK(result->race.ran && result->race.compared && result->race.first_kept == ahead);
	CHECK(fabs(result->race.value[0]) == fabs(score[0]) && fabs(result->race.value[1]) == fabs(score[1]));
	CHECK(strcmp(result->race.network[0], "mmoe") == 0 && strcmp(result->race.network[1], "hei") == 0);
	CHECK(result->race.kind == config.stop_on && result->race.epochs == RACE_EPOCHS);
	/* masks are the second one's */
	CHECK((result->model->n_gates > 0) == !ahead);
	arena_free_all(&arena);
	return ahead;
}

/* Both ends come up, whatever the measure. */
static void
check_winners(void)
{
	int			ahead[2] = {0, 0};
	Arena		arena;
	Dataset    *data;
	Config		config;

	arena_init_malloc(&arena);
	data = toy_dataset(&arena, ROWS);
	toy_config(&config, architecture_find("auto"));
	config.wide = false;
	config.learning_rate = 1e-2;
	for (int seed = 1; seed <= 6; seed++)
	{
		config.seed = seed;
		config.stop_on = seed % 3 == 0 ? 5 : seed % 3 - 1;
		ahead[check_race(&config, data, seed % 2 ? 0 : RACE_LEAD)]++;
	}
	CHECK(ahead[0] > 0 && ahead[1] > 0);
	CHECK(measure_kinds[5].lower_is_better);
	/* a wide part, which both share; patience that ends one of them before */
	config.wide = true;
	CHECK(check_race(&config, data, -1e6) && !check_race(&config, data, 1e6));
	config.patience = 1;
	config.batch_size = 16;
	CHECK(check_race(&config, data, -1e6) && !check_race(&config, data, 1e6));
	arena_free_all(&arena);
}

/* As far ahead as it takes is not further: HEI keeps ties. */
static void
check_tie(void)
{
	Race		race = {.rule = race_rule,.epochs = RACE_EPOCHS,
	.state = {.stage = RACE_SECOND,.kind = 1,.score = {0.75, NAN}}};
	Evaluation	evaluations[8] = {{0}};
	TrainResult result = {.n_evaluations = 5,.evaluations = evaluations};
	Dataset		data = {.split_start = {0, 100, 100, 100}};
	Config		config;
	TrainObserver observer = toy_observer();
	real		params[] = {0};
	Model		model = {.n_params = 1,.params = params};
	Units		units = {.n = 100,.rows = 1};
	Trainer		trainer = {.race = &race,.result = &result,.data = &data,.config = &config,
	.observer = &observer,.model = &model,.units = &units};
	double		lead = RACE_LEAD * measure_kinds[1].least_gain;

	toy_config(&config, architecture_find("hei"));
	CHECK(race_evaluation(&trainer) == 4);
	for (int ahead = 0; ahead < 2; ahead++)
	{
		race.state.score[1] = NAN;
		/* numbers that binary fractions hold exactly enough */
		trainer.best_score = 0.75 - (ahead ? 1.001 : 0.999) * lead;
		CHECK(race_phase(&trainer) == race.phase[1]);
		result.n_evaluations = 4;
		CHECK(!race_is_lost(&trainer, false) && isnan(race.state.score[1]));
		result.n_evaluations = 5;
		CHECK(race_is_lost(&trainer, false) == (ahead == 1));
		CHECK(race.state.score[1] == trainer.best_score && race_phase(&trainer) == NULL);
		CHECK(race_record(&trainer).first_kept == (ahead == 1));
		/* once */
		trainer.best_score = 0;
		CHECK(!race_is_lost(&trainer, false));
	}
	race.state.score[1] = NAN;
	trainer.best_score = 0.75;
	CHECK(!race_is_lost(&trainer, false));
	/* what is compared is numbers */
	race.state.score[1] = NAN;
	params[0] = NAN;
	CHECK(race_is_lost(&trainer, false) && isnan(race.state.score[1]));
	CHECK(race.state.diverged[1] == 1 && race_record(&trainer).first_kept && !race_phase(&trainer));
	race.state.diverged[1] = 0;
	params[0] = 0;
	/* no later comparison where the second one ends */
	race.state.score[1] = NAN;
	trainer.best_score = 0.5;
	result.n_evaluations = 3;
	CHECK(race_is_lost(&trainer, true) && race_record(&trainer).evaluation == 2);
}

static void
check_told(void)
{
	static const char *const phases[] = {"race: mmoe", "race: hei", "training"};
	Arena		arena;
	Dataset    *data;
	Config		config;
	Told		told;

	arena_init_malloc(&arena);
	data = toy_dataset(&arena, ROWS);
	toy_config(&config, architecture_find("auto"));
	config.patience = 100;
	for (int ahead = 0; ahead < 2; ahead++)
	{
		CHECK(train_told(&arena, &config, data, NULL, ahead ? -1e6 : 1e6, &told));
		CHECK(told.n_phases == 3);
		for (int i = 0; i < 3 && i < told.n_phases; i++)
			CHECK(strcmp(told.phases[i], phases[i]) == 0);
		/* before each of both, each of which is evaluated at its start, and once they are compared */
		CHECK(told.n_races == 3 && told.evaluations[0] == 0 && told.evaluations[1] == 5 &&
			  told.evaluations[2] == 10);
		CHECK(told.races[0].kind == -1 && isnan(told.races[0].value[0]) && !told.races[0].compared);
		CHECK(told.races[1].value[0] > 0 && isnan(told.races[1].value[1]) && !told.races[1].compared);
		CHECK(told.races[2].compared && told.races[2].first_kept == (ahead == 1));
		CHECK(told.n_evaluations == (ahead ? 10 + 7 : 5 + 7));
	}
	arena_free_all(&arena);
}

/* Which architecture is trained, and is there a race? */
static bool
is_raced_with(const Config *config, const Dataset *data, size_t valid_rows, double settle,
			  const char *trained)
{
	const RaceRule rule = {.valid_rows = valid_rows,.settle = settle,.lead = 1e6};
	EngineHost	host = toy_host();
	TrainObserver observer = toy_observer();
	EngineError error = {0};
	Arena		arena;
	TrainResult *result;
	bool		raced;

	arena_init_malloc(&arena);
	result = train_by_rule(&arena, config, data, NULL, &host, &observer, NULL, &rule, &error);
	CHECK(result && strcmp(architecture_name(result->model->config.architecture), trained) == 0);
	raced = result && result->race.ran;
	arena_free_all(&arena);
	return raced;
}

static bool
is_raced(const Config *config, const Dataset *data, double settle, const char *trained)
{
	return is_raced_with(config, data, 0, settle, trained);
}

static void
check_choice(void)
{
	Arena		arena;
	Dataset    *data;
	Config		config;
	Config		defaults;

	arena_init_malloc(&arena);
	data = toy_dataset(&arena, ROWS);
	config_defaults(&defaults);
	CHECK(defaults.architecture == architecture_find("auto"));
	toy_config(&config, architecture_find("auto"));
	/* options of both are other than by default */
	CHECK(is_raced(&config, data, 0, "hei"));
	config.mmoe_mixtures = defaults.mmoe_mixtures;
	CHECK(!is_raced(&config, data, 0, "hei"));
	config.hei_experts = defaults.hei_experts;
	config.hei_hidden = defaults.hei_hidden;
	config.hei_output = defaults.hei_output;
	CHECK(is_raced(&config, data, 0, "hei"));
	config.target_density = 0.3;
	CHECK(!is_raced(&config, data, 0, "hei"));
	config.target_density = defaults.target_density;
	config.mmoe_mixtures = 2;
	CHECK(!is_raced(&config, data, 0, "mmoe"));
	config.mmoe_mixtures = defaults.mmoe_mixtures;
	/* 19 batches an epoch, of 64 rows at a rate of 0.003: patience lets 3200 pass */
	CHECK(settle_batches(&config) == 3200);
	CHECK(is_raced(&config, data, 2 * 19 / 3200.0, "hei"));
	CHECK(!is_raced(&config, data, (2 * 19 + 1) / 3200.0, "hei"));
	config.epochs = RACE_EPOCHS;
	CHECK(!is_raced(&config, data, 0, "hei"));
	config.epochs = 3;
	CHECK(is_raced_with(&config, data, dataset_rows(data, SPLIT_VALID), 0, "hei"));
	CHECK(!is_raced_with(&config, data, dataset_rows(data, SPLIT_VALID) + 1, 0, "hei"));
	/* validation rows of one label, and one of the other, which counts whatever it weighs */
	for (size_t row = data->split_start[1]; row < data->split_start[2]; row++)
		((uint8_t *) data->labels)[row] = row == data->split_start[1];
	CHECK(is_raced(&config, data, 0, "hei"));
	{
		float	   *weights = ARENA_ARRAY(&arena, float, ROWS);

		for (size_t row = 0; row < ROWS; row++)
			weights[row] = row != data->split_start[1];
		data->weights = weights;
		CHECK(is_raced(&config, data, 0, "hei"));
		data->weights = NULL;
	}
	((uint8_t *) data->labels)[data->split_start[1]] = 0;
	CHECK(!is_raced(&config, data, 0, "hei"));
	data->split_start[2] = data->split_start[1];
	CHECK(!is_raced(&config, data, 0, "hei"));
	arena_free_all(&arena);
}

/* What users are told has the same numbers. */
static void
check_meaning(void)
{
	char		text[200];
	const char *meaning = option_find(&config_table, "architecture")->meaning;
	Config		defaults;

	config_defaults(&defaults);
	CHECK(RACE_EPOCHS == 2 && strstr(meaning, "trains mmoe for two epochs") && strstr(meaning, "two epochs or fewer"));
	for (int kind = 0; kind < N_MEASURES; kind++)
	{
		snprintf(text, sizeof(text), measure_kinds[kind].lower_is_better ? "(of log loss %g," :
				 measure_kinds[kind].of_lists ? " of list_ndcg %g)" : "ahead by more than %g of the measure",
				 race_rule.lead * measure_kinds[kind].least_gain);
		CHECK(strstr(meaning, text));
	}
	snprintf(text, sizeof(text), "two epochs have fewer than %g batches,", race_rule.settle * settle_batches(&defaults));
	CHECK(strstr(meaning, text));
	snprintf(text, sizeof(text), "below %zu validation rows,", race_rule.valid_rows);
	CHECK(strstr(meaning, text));
}

static size_t
most_bytes(Config *config, const char *architecture, double lead, const Dataset *data)
{
	Counted		counted = {0};
	Arena		arena;
	Told		told;

	config->architecture = architecture_find(architecture);
	arena_init(&arena, count_allocate, count_release, &counted);
	CHECK(train_told(&arena, config, data, NULL, lead, &told) != NULL);
	arena_free_all(&arena);
	CHECK(counted.now == 0);
	return counted.most;
}

/* Not more than the larger network alone, but for what is kept of the wide part. */
static void
check_memory(void)
{
	Arena		arena;
	Dataset    *data;
	Config		config;
	size_t		alone;
	size_t		other;

	arena_init_malloc(&arena);
	data = toy_dataset(&arena, ROWS);
	toy_config(&config, architecture_find("auto"));
	config.embed_dim = 64;
	/* its lists are there once */
	config.history_length = 20;
	for (int ahead = 0; ahead < 2; ahead++)
	{
		size_t		most = most_bytes(&config, "auto", ahead ? -1e6 : 1e6, data);
		/* of 200 values or so, and of each by domain */
		size_t		kept = 200 * (1 + TOY_DOMAINS) * sizeof(real) + 3 * sizeof(Config);

		alone = most_bytes(&config, "hei", 0, data);
		other = most_bytes(&config, "mmoe", 0, data);
		alone = other > alone ? other : alone;
		CHECK(most <= alone + kept);
		CHECK(kept < alone / 10);
	}
	arena_free_all(&arena);
}

static void
check_threads(void)
{
	Arena		arena;
	EngineError error = {0};
	Dataset    *data;
	Config		config;
	Told		told;
	TrainResult *alone;
	TrainResult *together;
	Team	   *team;

	arena_init_malloc(&arena);
	data = toy_dataset(&arena, ROWS);
	toy_config(&config, architecture_find("auto"));
	config.wide = false;
	team = team_start(&arena, 3, &error);
	for (int ahead = 0; ahead < 2; ahead++)
	{
		alone = train_told(&arena, &config, data, NULL, ahead ? -1e6 : 1e6, &told);
		together = train_told(&arena, &config, data, team, ahead ? -1e6 : 1e6, &told);
		CHECK(alone && together && same_model(alone, together));
		CHECK(together->race.value[0] == alone->race.value[0] &&
			  together->race.value[1] == alone->race.value[1]);
	}
	team_stop(team);
	arena_free_all(&arena);
}

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

/* Stopped anywhere it says so, and nothing of any network is left behind. */
static void
check_stopped(void)
{
	const RaceRule rule = {.settle = 0,.lead = -1e6};
	EngineHost	host = toy_host();
	TrainObserver observer = toy_observer();
	Questions	questions = {0};
	Arena		arena;
	Config		config;
	Dataset    *data;
	Counted		counted = {0};
	EngineError error = {0};
	int			most = 0;

	arena_init_malloc(&arena);
	data = toy_dataset(&arena, 400);
	toy_config(&config, architecture_find("auto"));
	host.interrupted = is_last_question;
	host.context = &questions;
	/* once to its end, which says how often it asks */
	for (int part = 0; part < 24; part++)
	{
		Arena		own;

		questions = (Questions) {.stop_at = part * most / 24};
		arena_init(&own, count_allocate, count_release, &counted);
		CHECK((train_by_rule(&own, &config, data, NULL, &host, &observer, NULL, &rule,
							 &error) != NULL) == (part == 0));
		CHECK(part == 0 || error.code == ENGINE_INTERRUPTED);
		if (part == 0)
			most = questions.asked;
		arena_free_all(&own);
		CHECK(counted.now == 0);
	}
	arena_free_all(&arena);
}

int
main(void)
{
	check_winners();
	check_tie();
	check_told();
	check_choice();
	check_meaning();
	check_memory();
	check_threads();
	check_stopped();
	return unit_summary();
}
