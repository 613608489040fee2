/*
 * test_stacking.c
 *	  Trees beside the network: whole trainings, and what becomes of them in scores.
 *
 * The planted pattern: how often a user took an item of a shelf says how much he likes
 * it.  Users and shelves are many, so ids and a small network hardly see it.
 */
#include <math.h>
#include <string.h>

#include "engine/base/random.h"
#include "engine/networks/architectures.h"
#include "engine/score/score.h"
#include "engine/train/race_state.h"
#include "engine/train/stopping.h"
#include "engine/train/train.h"
#include "toy.h"
#include "unit.h"

#define FIELDS 4				/* domain, user, item, shelf */
#define DOMAINS 3
#define USERS 300
#define ITEMS 200
#define SHELVES 40
#define ROWS 24000

static bool
likes(uint32_t user, uint32_t shelf)
{
	return (user * 2654435761u + shelf * 40503u) >> 13 & 1;
}

/* "planted" false: labels are drawn by chance. */
static Dataset *
draw(Arena *arena, size_t n, bool planted)
{
	Dataset    *data = ARENA_ARRAY(arena, Dataset, 1);
	uint32_t   *table_rows = ARENA_ARRAY(arena, uint32_t, FIELDS);
	uint32_t   *field_table = ARENA_ARRAY(arena, uint32_t, FIELDS);
	bool	   *is_list = ARENA_ARRAY(arena, bool, FIELDS);
	uint32_t   *ids = ARENA_ARRAY(arena, uint32_t, n * FIELDS);
	uint8_t    *labels = ARENA_ARRAY(arena, uint8_t, n);
	const uint32_t values[FIELDS] = {DOMAINS, USERS, ITEMS, SHELVES};
	Random		random;

	random_start(&random, 11, RANDOM_SHUFFLE, 0);
	for (uint32_t f = 0; f < FIELDS; f++)
	{
		table_rows[f] = FIRST_ID + values[f];
		field_table[f] = f;
	}
	for (size_t row = 0; row < n; row++)
	{
		uint32_t	user = random_below(&random, USERS);
		uint32_t	item = random_below(&random, ITEMS);
		bool		liked = likes(user, item % SHELVES);

		ids[row * FIELDS] = FIRST_ID + random_below(&random, DOMAINS);
		ids[row * FIELDS + 1] = FIRST_ID + user;
		ids[row * FIELDS + 2] = FIRST_ID + item;
		ids[row * FIELDS + 3] = FIRST_ID + item % SHELVES;
		labels[row] = random_uniform(&random) < (!planted ? 0.4 : liked ? 0.7 : 0.2);
	}
	*data = (Dataset) {
		.shape = {.n_tables = FIELDS,.table_rows = table_rows,.n_fields = FIELDS,
			.field_table = field_table,.field_is_list = is_list,.domain_field = 0,
		.user_field = 1,.item_field = 2},
		.split_start = {0, n * 6 / 10, n * 8 / 10, n},.ids = ids,.labels = labels
	};
	return data;
}

static void
configure(Config *config, const char *architecture)
{
	toy_config(config, architecture_find(architecture));
	config->trees = 60;
	config->epochs = 1;
}

static bool
same_bytes(const TrainResult *a, const TrainResult *b)
{
	const Forest *f = &a->model->trees->forest;
	const Forest *g = &b->model->trees->forest;

	return a->model->n_params == b->model->n_params && f->n_trees == g->n_trees &&
		memcmp(a->model->params, b->model->params, a->model->n_params * sizeof(real)) == 0 &&
		memcmp(f->leaves, g->leaves,
			   ((size_t) f->n_trees << f->depth) * sizeof(float)) == 0 &&
		a->test.auc.value == b->test.auc.value;
}

/* Scores as the heads' mean, the calibration and the trees make them. */
static void
check_scores(Arena *arena, const Dataset *data, const TrainResult *result)
{
	const Model *model = result->model;
	Calibration calibration = model_calibration(model);
	size_t		first = data->split_start[SPLIT_TEST];
	ScoreRows	rows = {.n_rows = 300,.ids = data->ids + first * FIELDS};
	float	   *scratch = ARENA_ARRAY(arena, float, trees_scratch(model->trees));
	double		scores[300];
	EngineError error = {0};
	Scorer	   *scorer = scorer_create(arena, model, READY_BYTES, NULL, NULL, &error);

	CHECK(scorer && scorer_score(scorer, &rows, scores, &error));
	for (size_t i = 0; i < 300; i++)
	{
		ScoreRows	row = {.n_rows = 1,.ids = rows.ids + i * FIELDS};
		ScoreParts	parts;
		double		score;
		double		logit;

		CHECK(scorer_score(scorer, &row, &score, &error));
		CHECK(fabs(score - scores[i]) < 1e-5);
		CHECK(scorer_parts(scorer, &row, &parts, &error) && parts.has_trees);
		CHECK(parts.trees_logit == trees_logit(model->trees, row.ids, scratch));
		logit = exp(calibration.log_scale) * log(parts.mean / (1 - parts.mean)) +
			calibration.trees_weight * parts.trees_logit + calibration.shift;
		CHECK(fabs(1 / (1 + exp(-logit)) - score) < 1e-9);
	}
}

/* The kept evaluation measured what the model became. */
static void
check_evaluation(const TrainResult *result)
{
	const Measures *kept = &result->evaluations[result->best_evaluation].valid;

	CHECK(result->evaluations[result->best_evaluation].trees == (result->model->trees != NULL));
	if (isnan(result->valid.auc.value))
		return;
	CHECK(fabs(kept->auc.value - result->valid.auc.value) < 1e-4);
	CHECK(fabs(kept->domain_auc.value - result->valid.domain_auc.value) < 1e-4);
	if (result->trees.fitted)
		CHECK(fabs(kept->log_loss.value - result->valid.log_loss.value) < 1e-4);
}

/* With trees the model sees what it does not see without, whatever the threads. */
static void
check_gain(const char *architecture)
{
	Arena		arena;
	EngineError error = {0};
	EngineHost	host = toy_host();
	TrainObserver observer = toy_observer();
	Config		config;
	Dataset    *data;
	TrainResult *without;
	TrainResult *with;
	TrainResult *with_team;
	Team	   *team;

	arena_init_malloc(&arena);
	data = draw(&arena, ROWS, true);
	configure(&config, architecture);
	with = train_toy(&arena, data, &config, &error);
	team = team_start(&arena, 3, &error);
	with_team = train(&arena, &config, data, team, &host, &observer, NULL, &error);
	team_stop(team);
	config.trees = 0;
	without = train_toy(&arena, data, &config, &error);
	CHECK(with && with_team && without);
	CHECK(with->model->trees && !without->model->trees);
	CHECK(model_calibration(with->model).trees_weight > 0);
	CHECK(model_calibration(without->model).trees_weight == 0);
	CHECK(with->test.auc.value > without->test.auc.value + 0.02);
	CHECK(with->test.log_loss.value < without->test.log_loss.value);
	CHECK(with->trees.fitted && with->trees.loss_after < with->trees.loss_before);
	CHECK(model_check(with->model, &error));
	CHECK(same_bytes(with, with_team));
	check_evaluation(with);
	check_scores(&arena, data, with);
	arena_free_all(&arena);
}

/*
 * Weights of validation rows say which count, not how much all of them do together;
 * rows of one label, of those that count, choose nothing.
 */
static void
check_weights(void)
{
	Arena		arena;
	EngineError error = {0};
	Config		config;
	Dataset    *data;
	float	   *weights;
	TrainResult *result;
	double		losses[2];

	arena_init_malloc(&arena);
	configure(&config, "trees");
	weights = ARENA_ARRAY(&arena, float, ROWS);
	for (int k = 0; k < 2; k++)
	{
		/* labels by chance, and planted ones */
		for (int planted = 0; planted < 2; planted++)
		{
			data = draw(&arena, ROWS, planted);
			for (size_t row = 0; row < ROWS; row++)
				weights[row] = row < data->split_start[SPLIT_VALID] ? 1 : k == 0 ? 1000 : 0.001;
			data->weights = weights;
			result = train_toy(&arena, data, &config, &error);
			CHECK(result && (result->model->trees != NULL) == planted);
			losses[k] = result ? result->trees.loss_before : NAN;
		}
	}
	CHECK(fabs(losses[0] - losses[1]) < 0.02 && losses[0] < 1);
	/* many rows of weight 0 beside a few are few rows */
	for (size_t row = 0; row < ROWS; row++)
		weights[row] = row < data->split_start[SPLIT_VALID] || row % 100 == 0;
	result = train_toy(&arena, data, &config, &error);
	CHECK(result && !result->model->trees && !result->trees.fitted);
	for (size_t row = 0; row < ROWS; row++)
		weights[row] = row < data->split_start[SPLIT_VALID] || !data->labels[row];
	result = train_toy(&arena, data, &config, &error);
	CHECK(result && !result->model->trees && !result->trees.fitted);
	arena_free_all(&arena);
}

/* Where trees see nothing, or nothing can tell whether they do, the model is what it is without. */
static void
check_none(const char *why, const Config *config, const Dataset *data, Arena *arena)
{
	EngineError error = {0};
	TrainResult *result = train_toy(arena, data, config, &error);

	if (!result || result->model->trees)
		printf("%s\n", why);
	CHECK(result && !result->model->trees);
	CHECK(result && (result->trees.why_none != NULL) == (strchr(why, '(') != NULL));
	CHECK(result && model_calibration(result->model).trees_weight == 0);
	if (result)
		check_evaluation(result);
	CHECK(result && model_check(result->model, &error));
}

static void
check_left_out(void)
{
	Arena		arena;
	Config		config;
	Dataset    *data;

	arena_init_malloc(&arena);
	configure(&config, "trees");
	check_none("by chance", &config, draw(&arena, ROWS, false), &arena);
	configure(&config, "mmoe");
	check_none("by chance, beside a network", &config, draw(&arena, ROWS, false), &arena);
	configure(&config, "trees");
	data = draw(&arena, 4000, true);
	check_none("(few validation rows)", &config, data, &arena);
	data = draw(&arena, ROWS, true);
	data->split_start[SPLIT_VALID] = data->split_start[SPLIT_TEST];
	check_none("(no validation rows)", &config, data, &arena);
	data = draw(&arena, ROWS, true);
	config.calibration = false;
	check_none("(not calibrated)", &config, data, &arena);
	configure(&config, "wide");
	check_none("logistic regression", &config, data, &arena);
	configure(&config, "trees");
	/* a weight without trees, or the other way round, is damage */
	{
		EngineError error = {0};
		TrainResult *result = train_toy(&arena, data, &config, &error);
		const Trees *trees = result->model->trees;
		Calibration calibration = model_calibration(result->model);

		result->model->trees = NULL;
		CHECK(!model_check(result->model, &error) && error.code == ENGINE_CORRUPT);
		result->model->trees = trees;
		calibration.trees_weight = 0;
		model_set_calibration(result->model, &calibration);
		CHECK(!model_check(result->model, &error) && error.code == ENGINE_CORRUPT);
	}
	arena_free_all(&arena);
}

/* What the caller's cancel stops, of the trees' phases too. */
static bool
seen_trees;

static void
watch_progress(void *context, const TrainProgress *progress)
{
	(void) context;
	seen_trees |= progress->phase == PHASE_TREES;
}

static bool
cancel_in_trees(void *context)
{
	(void) context;
	return seen_trees;
}

static void
check_cancel(void)
{
	Arena		arena;
	EngineError error = {0};
	EngineHost	host = toy_host();
	TrainObserver observer = toy_observer();
	Config		config;

	arena_init_malloc(&arena);
	configure(&config, "trees");
	host.interrupted = cancel_in_trees;
	observer.progress = watch_progress;
	CHECK(!train(&arena, &config, draw(&arena, ROWS, true), NULL, &host, &observer, NULL, &error));
	CHECK(error.code == ENGINE_INTERRUPTED && seen_trees);
	arena_free_all(&arena);
}

static void
keep_race(void *context, const RaceRecord *race)
{
	*(RaceRecord *) context = *race;
}

/* Evaluations so close that patience runs out before the first network's part of a race is over. */
static void
configure_race(Config *config)
{
	configure(config, "auto");
	config->epochs = 4;
	config->batch_size = 1024;
	config->learning_rate = SETTLE_RATE;
	config->evaluations = 10;
	config->patience = 1;
	/* vectors stay at zero, and the network learns nothing */
	config->l2_embedding = 1e6;
}

/*
 * A network that gains nothing beside trees ends a race before the second one begins.
 * Of so many rows no field tells anything by itself, so that pairs have to be found alone.
 */
static void
check_race(void)
{
	const RaceRule rule = {.settle = 0,.lead = 0};
	EngineError error = {0};
	EngineHost	host = toy_host();
	RaceRecord	told = {0};
	TrainObserver observer = toy_observer();
	Arena		arena;
	Config		config;
	Dataset    *data;
	TrainResult *alone;
	TrainResult *raced;
	char		reason[MAX_REASON];

	arena_init_malloc(&arena);
	observer.context = &told;
	observer.race = keep_race;
	data = draw(&arena, 2 * SETTLE_BATCHES * 1024, true);
	configure_race(&config);
	raced = train_by_rule(&arena, &config, data, NULL, &host, &observer, NULL, &rule, &error);
	config.architecture = architecture_find("mmoe");
	alone = train_toy(&arena, data, &config, &error);
	CHECK(raced && alone && raced->model->trees && same_bytes(raced, alone));
	CHECK(raced->race.ran && raced->race.settled && raced->race.first_kept && !raced->race.compared);
	CHECK(told.settled && told.value[0] > 0.5 && isnan(told.value[1]));
	evaluation_reason(raced, &raced->model->config, raced->n_evaluations - 1, reason);
	CHECK(strstr(reason, "; beside trees it gains nothing, and hei is not tried; training ends here"));
	CHECK(raced->model->config.architecture == config.architecture);
	CHECK(raced->best_evaluation == 0 && raced->n_evaluations == alone->n_evaluations);
	CHECK(raced->n_evaluations > 8 && raced->n_evaluations <= 1 + RACE_EPOCHS * config.evaluations);
	/* trees that do not count: the second one may find what the first one has not */
	config.architecture = architecture_find("auto");
	config.trees = 0;
	config.batch_size = 64;
	data = draw(&arena, ROWS, true);
	raced = train_by_rule(&arena, &config, data, NULL, &host, &observer, NULL, &rule, &error);
	CHECK(raced && !raced->race.settled && raced->race.compared);
	arena_free_all(&arena);
}

int
main(void)
{
	check_race();
	check_gain("trees");
	check_gain("mmoe");
	check_weights();
	check_left_out();
	check_cancel();
	return unit_summary();
}
