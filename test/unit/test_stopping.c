/*
 * test_stopping.c
 *	  What evaluations mean for a training; how scores are spread.
 */
#include <math.h>
#include <string.h>

#include "engine/networks/architectures.h"
#include "engine/measure/deciles.h"
#include "engine/base/random.h"
#include "engine/networks/config_options.h"
#include "engine/train/stopping.h"
#include "toy.h"
#include "unit.h"

#define ROWS 5003

/* Defaults, and what rules make of them. */
static void
settled_defaults(Config *config)
{
	config_defaults(config);
	config_settle(config);
}

static Evaluation
evaluated(int number, uint64_t batches, double domain_auc, double auc, double log_loss, bool best)
{
	Evaluation	evaluation = {.number = number,.batches = batches,.best = best};

	evaluation.valid.domain_auc.value = domain_auc;
	evaluation.valid.auc.value = auc;
	evaluation.valid.log_loss.value = log_loss;
	return evaluation;
}

static bool
reason_is(const TrainResult *result, const Config *config, int i, const char *expected)
{
	char		text[MAX_REASON];

	evaluation_reason(result, config, i, text);
	return strcmp(text, expected) == 0;
}

static double
least_gain(const char *measure)
{
	int			kind = 0;

	while (strcmp(measure_kinds[kind].name, measure) != 0)
		kind++;
	return measure_kinds[kind].least_gain;
}

static bool
decides(const Evaluation *evaluation, const Config *config, const char *title, double score)
{
	const MeasureKind *kind = evaluation_criterion(evaluation, config);

	return strcmp(kind ? kind->title : "none", title) == 0 &&
		evaluation_score(evaluation, config) == score;
}

static void
test_criterion(void)
{
	Evaluation	evaluation = evaluated(3, 0, 0.7, 0.8, 0.5, true);
	Config		config;

	settled_defaults(&config);
	evaluation.valid.user_auc.value = 0.9;
	CHECK(decides(&evaluation, &config, "DomainAUC", 0.7));
	CHECK(evaluation_least_gain(&evaluation, &config) == 5e-4);
	for (int kind = 0; kind < N_MEASURES; kind++)
	{
		Evaluation	alone = evaluation;
		Measure    *measure = (Measure *) ((char *) &alone.valid + measure_kinds[kind].offset);

		config.stop_on = kind;
		measure->value = 0.25;
		CHECK(decides(&alone, &config, measure_kinds[kind].title,
					  measure_kinds[kind].lower_is_better ? -0.25 : 0.25));
		measure->value = NAN;
		CHECK(strcmp(measure_kinds[kind].name, "domain_auc") == 0 ?
			  decides(&alone, &config, "AUC", 0.8) : decides(&alone, &config, "DomainAUC", 0.7));
	}
	settled_defaults(&config);
	evaluation.valid.domain_auc.value = NAN;
	CHECK(decides(&evaluation, &config, "AUC", 0.8));
	evaluation.valid.auc.value = NAN;
	CHECK(decides(&evaluation, &config, "log loss", -0.5));
	CHECK(evaluation_least_gain(&evaluation, &config) == 2.5e-4);
	evaluation.valid.log_loss.value = NAN;
	CHECK(decides(&evaluation, &config, "none", 3));
}

/* What is of users needs them, if it is to decide anything. */
static void
test_users(Arena *arena)
{
	Dataset    *data = toy_dataset(arena, 100);
	Shape		shape = data->shape;
	EngineError error;
	Config		config;

	settled_defaults(&config);
	CHECK(strcmp(measure_kinds[config.stop_on].name, "domain_auc") == 0);
	shape.user_field = -1;
	CHECK(stopping_check(&config, &shape, &error));
	while (strcmp(measure_kinds[config.stop_on].name, "user_auc") != 0)
		config.stop_on = (config.stop_on + 1) % N_MEASURES;
	CHECK(stopping_check(&config, &data->shape, &error));
	CHECK(!stopping_check(&config, &shape, &error) && error.code == ENGINE_BAD_INPUT);
	shape = data->shape;
	shape.users_are_hashed = true;
	CHECK(!stopping_check(&config, &shape, &error) && error.code == ENGINE_BAD_INPUT);
	config.architecture = architecture_find("wide");
	CHECK(stopping_check(&config, &shape, &error));
}

static void
test_reasons(void)
{
	Evaluation	evaluations[] = {
		evaluated(0, 0, 0.6, 0.6, 1, true), evaluated(1, 199, 0.6001, 0.6, 1, false), evaluated(2, 200, 0.65, 0.6, 1, true),
		evaluated(3, 500, 0.6504, 0.9, 0, false), evaluated(4, 600, 0.5, 0.6, 1, false)
	};
	TrainResult result = {.evaluations = evaluations,.n_evaluations = 5,.best_evaluation = 2};
	Config		config;

	settled_defaults(&config);
	config.architecture = architecture_find("mmoe");
	config.patience = 2;
	CHECK(reason_is(&result, &config, 0, "the start"));
	CHECK(reason_is(&result, &config, 1, "gains less than 0.0005 of DomainAUC; patience counts from batch 200 on"));
	CHECK(reason_is(&result, &config, 2, "gains 0.0500 of DomainAUC; kept"));
	CHECK(reason_is(&result, &config, 3, "gains less than 0.0005 of DomainAUC: 1 in a row, of 2 that option \"patience\" allows"));
	CHECK(reason_is(&result, &config, 4, "gains less than 0.0005 of DomainAUC: 2 in a row, of 2 that option \"patience\" allows; training ends here"));
	CHECK(patience_ran_out(&result, &config));
	config.patience = 3;
	CHECK(!patience_ran_out(&result, &config));
	CHECK(reason_is(&result, &config, 4, "gains less than 0.0005 of DomainAUC: 2 in a row, of 3 that option \"patience\" allows; training ends with its last epoch"));
	evaluations[2].valid = (Measures) {.domain_auc = {NAN, 0},.auc = {NAN, 0},.log_loss = {NAN, 0}};
	result.n_evaluations = 3;
	CHECK(reason_is(&result, &config, 2, "the latest: there are no validation rows to compare by; training ends with its last epoch; kept"));
	config.architecture = architecture_find("wide");
	result.n_evaluations = 1;
	result.best_evaluation = 0;
	CHECK(reason_is(&result, &config, 0, "the start; kept"));
}

/* So much as batches and steps of the default move a network. */
static void
test_settling(void)
{
	Evaluation	evaluations[] = {evaluated(0, 0, 0.6, 0.6, 1, true), evaluated(1, 799, 0.6, 0.6, 1, false)};
	TrainResult result = {.evaluations = evaluations,.n_evaluations = 2};
	Config		config;

	settled_defaults(&config);
	config.architecture = architecture_find("mmoe");
	config.patience = 1;
	CHECK(settle_batches(&config) == 200 && patience_ran_out(&result, &config));
	config.batch_size = 65536;
	config.learning_rate = 1;
	CHECK(settle_batches(&config) == 200);
	config.batch_size = 256;
	CHECK(settle_batches(&config) == 800 && !patience_ran_out(&result, &config));
	CHECK(reason_is(&result, &config, 1, "gains less than 0.0005 of DomainAUC; patience counts from batch 800 on; training ends with its last epoch"));
	config.learning_rate = 0.0005;
	CHECK(settle_batches(&config) == 3200);
	config.learning_rate = 1e-9;
	config.batch_size = 2;
	CHECK(settle_batches(&config) == 204800000000);
}

/* Beside trees a third of patience, until the network has gained 0.005 in all. */
static void
test_beside_trees(void)
{
	Evaluation	evaluations[] = {
		evaluated(0, 0, 0.6, 0.6, 1, true), evaluated(1, 200, 0.6049, 0.6, 1, true), evaluated(2, 300, 0.604, 0.6, 1, false),
		evaluated(3, 400, 0.604, 0.6, 1, false), evaluated(4, 500, 0.6051, 0.6, 1, false)
	};
	TrainResult result = {.evaluations = evaluations,.n_evaluations = 4,.best_evaluation = 1};
	Config		config;

	settled_defaults(&config);
	config.architecture = architecture_find("mmoe");
	config.patience = 6;
	evaluations[0].trees = evaluations[1].trees = true;
	CHECK(patience_ran_out(&result, &config));
	CHECK(reason_is(&result, &config, 3, "gains less than 0.0005 of DomainAUC: 2 in a row, of 2 that option \"patience\" allows beside trees; training ends here"));
	config.patience = 7;
	CHECK(!patience_ran_out(&result, &config));
	/* a third, rounded up */
	config.patience = 1;
	CHECK(reason_is(&result, &config, 2, "gains less than 0.0005 of DomainAUC: 1 in a row, of 1 that option \"patience\" allows"));
	config.patience = 6;
	/* trees count where they count in what would be kept */
	evaluations[1].trees = false;
	CHECK(!patience_ran_out(&result, &config));
	CHECK(reason_is(&result, &config, 2, "gains less than 0.0005 of DomainAUC: 1 in a row, of 6 that option \"patience\" allows"));
	/* what users are told has the same numbers */
	{
		char		text[100];
		const char *meaning = option_find(&config_table, "patience")->meaning;

		snprintf(text, sizeof(text), "the first %d batches do not count,", SETTLE_BATCHES);
		CHECK(strstr(meaning, text));
		CHECK(strstr(meaning, "Beside trees that count a third of them") && SHORT_PATIENCE == 3);
		CHECK(config.batch_size == SETTLE_BATCH_SIZE && config.learning_rate == SETTLE_RATE);
		snprintf(text, sizeof(text), "until the network has gained %g (of log loss %g).",
				 SURE_GAINS * least_gain("domain_auc"), SURE_GAINS * least_gain("log_loss"));
		CHECK(strstr(meaning, text));
	}
	/* sure of itself from then on */
	evaluations[1].trees = true;
	evaluations[1].valid.domain_auc.value = 0.6051;
	CHECK(!patience_ran_out(&result, &config));
}

/* A race is told of at the evaluation after which networks were compared, and nowhere else. */
static void
test_race_reasons(void)
{
	Evaluation	evaluations[3];
	TrainResult result = {.n_evaluations = 3,.evaluations = evaluations,.best_evaluation = 2};
	Config		config;

	settled_defaults(&config);
	config.architecture = architecture_find("mmoe");
	memset(evaluations, 0, sizeof(evaluations));
	for (int i = 0; i < 3; i++)
	{
		evaluations[i] = (Evaluation) {.number = i,.batches = 1000 * i,.best = true};
		evaluations[i].valid.domain_auc.value = 0.5 + 0.1 * i;
	}
	result.race = (RaceRecord) {.ran = true,.compared = true,.first_kept = true,.network = {"mmoe", "hei"},
		.evaluation = 1,.kind = 1,.value = {0.6, 0.55},.lead = 0.001};
	CHECK(reason_is(&result, &config, 0, "the start"));
	CHECK(reason_is(&result, &config, 1, "gains 0.1000 of DomainAUC; ahead of hei by more than 0.001 (DomainAUC 0.6000 to 0.5500), which is left"));
	CHECK(reason_is(&result, &config, 2, "gains 0.1000 of DomainAUC; training ends with its last epoch; kept"));
	result.race.first_kept = false;
	result.race.evaluation = 2;
	CHECK(reason_is(&result, &config, 1, "gains 0.1000 of DomainAUC"));
	CHECK(reason_is(&result, &config, 2, "gains 0.1000 of DomainAUC; stays, as mmoe is not ahead of it by more than 0.001 (DomainAUC 0.6000 to 0.5500); training ends with its last epoch; kept"));
	result.race.compared = false;
	CHECK(reason_is(&result, &config, 2, "gains 0.1000 of DomainAUC; training ends with its last epoch; kept"));
	result.race = (RaceRecord) {.ran = true,.network = {"mmoe", "hei"},.evaluation = 1,.kind = -1,.diverged = {2, 0}};
	CHECK(reason_is(&result, &config, 0, "the start"));
	CHECK(reason_is(&result, &config, 1, "gains 0.1000 of DomainAUC; stays, as mmoe diverged in epoch 2"));
	result.race = (RaceRecord) {.ran = true,.network = {"mmoe", "hei"},.first_kept = true,.evaluation = 1,.kind = 1,.diverged = {0, 1}};
	CHECK(reason_is(&result, &config, 1, "gains 0.1000 of DomainAUC; stays, as hei diverged in epoch 1"));
}

static void
test_deciles(Arena *arena)
{
	static double scores[ROWS];
	EngineHost	host = toy_host();
	EngineError error;
	Random		random;
	Deciles		deciles;
	uint64_t	rows = 0;

	random_start(&random, 3, RANDOM_SCORE, 0);
	for (int i = 0; i < ROWS; i++)
		scores[i] = random_uniform(&random);
	CHECK(deciles_find(arena, scores, ROWS, &deciles, &host, &error));
	CHECK(deciles.n_edges == N_DECILES - 1);
	for (int bin = 0; bin < N_DECILES; bin++)
	{
		uint64_t	counted = 0;

		for (int i = 0; i < ROWS; i++)
			counted += (bin == 0 || scores[i] >= deciles.edges[bin - 1]) &&
				(bin == N_DECILES - 1 || scores[i] < deciles.edges[bin]);
		CHECK(deciles.rows[bin] == counted && counted >= ROWS / 10 && counted <= ROWS / 10 + 1);
		rows += counted;
	}
	CHECK(rows == ROWS);
	CHECK(deciles_bin(&deciles, 0) == 0 && deciles_bin(&deciles, deciles.edges[4]) == 5 && deciles_bin(&deciles, 1) == 9);
}

static void
test_equal_scores(Arena *arena)
{
	double		scores[20];
	EngineHost	host = toy_host();
	EngineError error;
	Deciles		deciles;

	for (int i = 0; i < 20; i++)
		scores[i] = i < 15 ? 0.25 : 0.75;
	CHECK(deciles_find(arena, scores, 20, &deciles, &host, &error));
	CHECK(deciles.n_edges == 1 && deciles.edges[0] == 0.75 && deciles.rows[0] == 15 && deciles.rows[1] == 5);
	CHECK(deciles_find(arena, scores, 15, &deciles, &host, &error));
	CHECK(deciles.n_edges == 0 && deciles.rows[0] == 15);
	CHECK(deciles_find(arena, scores, 0, &deciles, &host, &error));
	CHECK(deciles.n_edges == 0 && deciles.rows[0] == 0);
}

int
main(void)
{
	Arena		arena;

	arena_init_malloc(&arena);
	test_criterion();
	test_users(&arena);
	test_reasons();
	test_settling();
	test_beside_trees();
	test_race_reasons();
	test_deciles(&arena);
	test_equal_scores(&arena);
	arena_free_all(&arena);
	return unit_summary();
}
