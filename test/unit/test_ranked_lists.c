/*
 * test_ranked_lists.c
 *	  Popularity, put back into scores, and lists that rank what users took: both against
 *	  what the rows say, counted one by one.
 */
#include <math.h>
#include <string.h>

#include "counted.h"
#include "engine/base/random.h"
#include "engine/networks/architectures.h"
#include "engine/networks/config_options.h"
#include "engine/sampling/negatives.h"
#include "engine/score/ranked_lists.h"
#include "raced.h"
#include "toy.h"
#include "unit.h"

enum
{
	DOMAIN, USER, ITEM, PRICE, FIELDS
};

#define ROWS 4000
#define USERS 150
#define ITEMS 300
#define DOMAINS 2

static const uint32_t table_rows[FIELDS] = {FIRST_ID + DOMAINS, FIRST_ID + USERS,
FIRST_ID + ITEMS, FIRST_ID + 9};
static const uint32_t field_table[FIELDS] = {0, 1, 2, 3};
static const bool field_is_list[FIELDS];

/*
 * Positives only; low items are frequent, and every third one is in both domains.  The last
 * items are of no row, the one before them is rare, and some rows have none.
 */
static Dataset *
make_log(Arena *arena)
{
	Dataset    *data = ARENA_ARRAY(arena, Dataset, 1);
	uint32_t   *ids = ARENA_ARRAY(arena, uint32_t, ROWS * FIELDS);
	uint8_t    *labels = ARENA_ARRAY(arena, uint8_t, ROWS);
	Random		random;

	random_start(&random, 11, RANDOM_SIMULATE, 0);
	for (size_t row = 0; row < ROWS; row++)
	{
		double		u = random_uniform(&random);
		uint32_t	item = (uint32_t) (u * u * (ITEMS - 4));
		uint32_t   *to = ids + row * FIELDS;

		to[DOMAIN] = FIRST_ID + (item % 3 == 0 ? random_below(&random, DOMAINS) : item % DOMAINS);
		to[USER] = FIRST_ID + random_below(&random, USERS);
		to[ITEM] = row % 97 == 0 ? NULL_ID : row % 89 == 0 ? RARE_ID : FIRST_ID + item;
		to[PRICE] = FIRST_ID + item % 9;
		labels[row] = 1;
	}
	*data = (Dataset) {.ids = ids,.labels = labels};
	data->shape = (Shape) {.n_tables = FIELDS,.table_rows = table_rows,.n_fields = FIELDS,
		.field_table = field_table,.field_is_list = field_is_list,.domain_field = DOMAIN,
		.user_field = USER,.item_field = ITEM};
	data->split_start[1] = ROWS * 8 / 10;
	data->split_start[2] = ROWS * 9 / 10;
	data->split_start[3] = ROWS;
	return data;
}

/* A trained model of the log with sampled negatives; *sampled: its rows. */
static TrainResult *
train_log(Arena *arena, const Config *config, const Dataset *data, const Dataset **sampled)
{
	FieldBond	bonds[FIELDS] = {BOND_BY_ROWS, BOND_BY_ROWS, BOND_BY_ROWS, BOND_ITEM};
	EngineHost	host = toy_host();
	NegativeReport report;
	EngineError error;
	TrainResult *result;

	*sampled = negatives_draw(arena, config, data, bonds, &host, &report, &error);
	CHECK(*sampled && report.left_out[SPLIT_TRAIN] == 0);
	result = train_toy(arena, *sampled, config, &error);
	CHECK(result != NULL);
	return result;
}

/* c U / C of an item in a domain; *rows: c.  domain -1: all. */
static double
ratio(const Dataset *data, uint32_t item, int64_t domain, double *rows)
{
	static bool seen[FIRST_ID + ITEMS];
	double		all = 0;
	double		places = 0;

	memset(seen, 0, sizeof(seen));
	*rows = 0;
	for (size_t row = 0; row < data->split_start[1]; row++)
	{
		uint32_t	own = data->ids[row * FIELDS + ITEM];

		if (!data->labels[row] || dataset_domain(data, row) != domain || own == NULL_ID)
			continue;
		all++;
		places += own == RARE_ID || !seen[own];
		seen[own] = true;
		*rows += own == item;
	}
	if (item == RARE_ID)
		return places / all;
	return (*rows > 0 ? *rows : 0.5) * places / all;
}

static double
expected_offset(const Dataset *data, NegativeSampling sampling, uint32_t item, int64_t domain)
{
	double		rows;
	double		value = domain >= 0 ? ratio(data, item, domain, &rows) : 0;

	if (item == NULL_ID)
		return 0;
	/* elsewhere: the mean over the domains that have it; rare rows are as many items */
	if (domain < 0)
	{
		double		n = 0;

		for (int64_t d = 0; d < DOMAINS; d++)
		{
			double		own = ratio(data, item, d, &rows);

			rows = item == RARE_ID ? rows : rows > 0;
			value += rows * own;
			n += rows;
		}
		value /= n;
	}
	return log(sampling == NEGATIVES_MIXED ? (value + 1) / 2 : value);
}

static double
logit_of_row(Scorer *scorer, uint32_t domain, uint32_t user, uint32_t item)
{
	uint32_t	ids[FIELDS] = {domain, user, item, FIRST_ID};
	ScoreRows	rows = {.n_rows = 1,.ids = ids};
	EngineError error;
	double		score;

	CHECK(scorer_score(scorer, &rows, &score, &error));
	return log(score) - log1p(-score);
}

/*
 * Two models that differ in the option alone are trained on the same rows: without calibration
 * the logits of a wide one differ by the offset, and by nothing else.
 */
static void
check_offset(Arena *arena, Config config, const Dataset *data)
{
	const uint32_t items[] = {FIRST_ID, FIRST_ID + 3, FIRST_ID + 4, FIRST_ID + 60, FIRST_ID + 200,
	FIRST_ID + 291, NULL_ID, RARE_ID};
	EngineHost	host = toy_host();
	const Dataset *sampled;
	Scorer	   *scorers[2];
	EngineError error;
	double		worst = 0;

	for (int on = 0; on < 2; on++)
	{
		config.popularity_offset = on;
		scorers[on] = scorer_create(arena, train_log(arena, &config, data, &sampled)->model,
									READY_BYTES, NULL, &host, &error);
	}
	for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++)
		for (int64_t domain = -1; domain < DOMAINS; domain++)
		{
			uint32_t	id = domain < 0 ? UNSEEN_ID : FIRST_ID + (uint32_t) domain;
			double		expected = expected_offset(data, config.negative_sampling, items[i], domain);
			double		rows = 1;
			double		found = logit_of_row(scorers[1], id, FIRST_ID + 5, items[i]) -
				logit_of_row(scorers[0], id, FIRST_ID + 5, items[i]);

			/* where it was not taken, and has no pair, it counts as it does elsewhere */
			if (domain >= 0)
				(void) ratio(data, items[i], domain, &rows);
			if (rows == 0)
				expected = expected_offset(data, config.negative_sampling, items[i], -1);
			worst = fmax(worst, fabs(found - expected));
		}
	CHECK(worst < 1e-4);
	/* an item that nobody took is half a row; so many rows and places there are in all */
	CHECK(logit_of_row(scorers[1], FIRST_ID, FIRST_ID + 5, UNSEEN_ID) <
		  logit_of_row(scorers[0], FIRST_ID, FIRST_ID + 5, UNSEEN_ID));
}

/* Without a wide part the item's weights are there for the offset alone. */
static void
check_without_wide(Arena *arena, Config config, const Dataset *data)
{
	const Dataset *sampled;
	const Model *model;
	uint32_t	item = FIRST_ID + 3;	/* in both domains */
	uint32_t	pair;

	config.architecture = architecture_find("fm");
	config.wide = false;
	config.popularity_offset = false;
	CHECK(model_named(train_log(arena, &config, data, &sampled)->model, "wide.2") == NULL);
	config.popularity_offset = true;
	model = train_log(arena, &config, data, &sampled)->model;
	CHECK(model_named(model, "wide.0") == NULL && model_named(model, "wide.1") == NULL);
	CHECK(model_named(model, "wide.2") && model_named(model, "domain_wide.2"));
	pair = pairs_find(&model->pairs[ITEM], item, 1);
	CHECK(pair != NO_PAIR && model->pairs[USER].n_pairs == 0);
	CHECK(fabs(model_named(model, "wide.2")[item] + model_named(model, "domain_wide.2")[pair] -
			   expected_offset(data, config.negative_sampling, item, 1)) < 1e-5);
	CHECK(fabs(model_named(model, "wide.2")[item] -
			   expected_offset(data, config.negative_sampling, item, -1)) < 1e-5);
}

static bool
row_has(const Dataset *data, size_t row, int64_t domain, uint32_t user, uint32_t item)
{
	const uint32_t *ids = data->ids + row * FIELDS;

	return data->labels[row] && (domain < 0 || dataset_domain(data, row) == domain) &&
		(user == 0 || ids[USER] == user) && ids[ITEM] == item;
}

/* Is there such a positive row before "end"?  domain -1, user 0: any. */
static bool
has_row(const Dataset *data, size_t end, int64_t domain, uint32_t user, uint32_t item)
{
	for (size_t row = 0; row < end; row++)
		if (row_has(data, row, domain, user, item))
			return true;
	return false;
}

/* Lists of all items, once more, with a score at a time. */
static void
check_all(const Dataset *data, Scorer *scorer, const ListMeasures *measures)
{
	double		lists = 0;
	double		items = 0;
	double		ndcg = 0;
	double		hits = 0;
	double		mrr = 0;

	for (size_t row = data->split_start[2]; row < data->split_start[3]; row++)
	{
		const uint32_t *ids = data->ids + row * FIELDS;
		int64_t		domain = dataset_domain(data, row);
		double		own;
		int			rank = 1;
		int			n = 0;

		if (!data->labels[row] || ids[ITEM] < FIRST_ID ||
			!has_row(data, data->split_start[1], domain, 0, ids[ITEM]))
			continue;
		for (uint32_t item = FIRST_ID; item < FIRST_ID + ITEMS; item++)
		{
			uint32_t	other[FIELDS] = {ids[DOMAIN], ids[USER], item, FIRST_ID + (item - FIRST_ID) % 9};
			uint32_t	both[2 * FIELDS];
			ScoreRows	rows = {.n_rows = 2,.ids = both};
			EngineError error;
			double		scores[2];

			if (has_row(data, data->split_start[3], -1, ids[USER], item) ||
				!has_row(data, data->split_start[1], domain, 0, item))
				continue;
			memcpy(both, ids, FIELDS * sizeof(uint32_t));
			memcpy(both + FIELDS, other, FIELDS * sizeof(uint32_t));
			CHECK(scorer_score(scorer, &rows, scores, &error));
			own = scores[0];
			rank += scores[1] > own;
			n++;
		}
		lists++;
		items += n;
		ndcg += rank <= 10 ? 1 / log2(rank + 1.0) : 0;
		hits += rank <= 10;
		mrr += 1.0 / rank;
	}
	CHECK(measures->lists == lists && lists > 100);
	CHECK(fabs(measures->items - items / lists) < 1e-9);
	CHECK(fabs(measures->ndcg - ndcg / lists) < 1e-3);
	CHECK(fabs(measures->hit_rate - hits / lists) < 1e-2);
	CHECK(fabs(measures->mrr - mrr / lists) < 1e-3);
}

/* The same rows, those of each split from the last to the first. */
static Dataset *
reversed(Arena *arena, const Dataset *data)
{
	Dataset    *copy = ARENA_ARRAY(arena, Dataset, 1);
	size_t		n = data->split_start[3];
	uint32_t   *ids = ARENA_ARRAY(arena, uint32_t, n * FIELDS);
	uint8_t    *labels = ARENA_ARRAY(arena, uint8_t, n);

	*copy = *data;
	for (int split = 0; split < 3; split++)
		for (size_t row = data->split_start[split]; row < data->split_start[split + 1]; row++)
		{
			size_t		to = data->split_start[split] + data->split_start[split + 1] - 1 - row;

			memcpy(ids + to * FIELDS, data->ids + row * FIELDS, FIELDS * sizeof(uint32_t));
			labels[to] = data->labels[row];
		}
	copy->ids = ids;
	copy->labels = labels;
	copy->weights = NULL;
	return copy;
}

static bool
same_lists(const ListMeasures *a, const ListMeasures *b)
{
	return a->lists == b->lists && fabs(a->items - b->items) < 1e-12 &&
		fabs(a->ndcg - b->ndcg) < 1e-12 && fabs(a->mrr - b->mrr) < 1e-12;
}

static int	looks_left;

static bool
interrupted_later(void *context)
{
	(void) context;
	return looks_left-- <= 0;
}

/* Measures of the task's test rows, or of none of them. */
static bool
measure(Arena *arena, const ListTask *task, Scorer *scorer, const EngineHost *host, bool none,
		ListMeasures *measures, EngineError *error)
{
	const size_t *start = task->data->split_start;
	Ranking    *ranking = lists_begin(arena, task, scorer, host, error);

	return ranking && lists_measure(ranking, start[2], none ? start[2] : start[3], measures, error);
}

/* Items and what users took take memory by positive rows, not by those that were sampled. */
static void
check_memory(const ListTask *task, Scorer *scorer, const EngineHost *host)
{
	const Dataset *data = task->data;
	Arena		arena;
	Counted		counted = {0};
	ListMeasures measures[N_LIST_KINDS];
	EngineError error;
	size_t		positives = 0;

	for (size_t row = 0; row < data->split_start[3]; row++)
		positives += data->labels[row];
	CHECK(data->split_start[3] > 3 * positives);
	arena_init(&arena, count_allocate, count_release, &counted);
	CHECK(measure(&arena, task, scorer, host, false, measures, &error));
	CHECK(counted.most < (LIST_MAX_ALL + 1) * (FIELDS * sizeof(uint32_t) + sizeof(double)) +
		  40 * positives + DOMAINS * ITEMS * 16 + 10000);
	arena_free_all(&arena);
	CHECK(counted.now == 0);
}

static void
check_lists(Arena *arena, Config config, const Dataset *data)
{
	EngineHost	host = toy_host();
	EngineHost	stopping = host;
	const Dataset *sampled;
	TrainResult *result = train_log(arena, &config, data, &sampled);
	EngineError error;
	Scorer	   *scorer = scorer_create(arena, result->model, READY_BYTES, NULL, &host, &error);
	Scorer	   *threads = scorer_create(arena, result->model, READY_BYTES,
										team_start(arena, 3, &error), &host, &error);
	ListMeasures again[N_LIST_KINDS];
	ListTask	task = {.data = sampled,.known = {0, sampled->split_start[1]},
	.with_item = sampled->with_item,.seed = config.seed,.max_lists = LIST_MAX,.max_rows = LIST_MAX_ROWS};

	CHECK(result->ranked);
	check_all(sampled, scorer, &result->test_lists[LIST_ALL]);
	for (int kind = 0; kind < LIST_ALL; kind++)
	{
		CHECK(result->test_lists[kind].lists == result->test_lists[LIST_ALL].lists);
		CHECK(result->test_lists[kind].items == LIST_ITEMS);
	}
	/* popular items are the harder ones to be better than, and more of them too */
	CHECK(result->test_lists[LIST_UNIFORM].ndcg > result->test_lists[LIST_POPULARITY].ndcg + 0.01);
	CHECK(result->test_lists[LIST_POPULARITY].ndcg > result->test_lists[LIST_ALL].ndcg);
	CHECK(result->valid_lists[LIST_UNIFORM].lists > 100);

	/* any order of rows, any number of threads: the same; another seed: others */
	CHECK(measure(arena, &task, threads, &host, false, again, &error));
	for (int kind = 0; kind < N_LIST_KINDS; kind++)
		CHECK(same_lists(&again[kind], &result->test_lists[kind]));
	task.data = reversed(arena, sampled);
	CHECK(measure(arena, &task, scorer, &host, false, again, &error));
	for (int kind = 0; kind < N_LIST_KINDS; kind++)
		CHECK(same_lists(&again[kind], &result->test_lists[kind]));
	task.seed = 2;
	CHECK(measure(arena, &task, scorer, &host, false, again, &error));
	CHECK(!same_lists(&again[LIST_UNIFORM], &result->test_lists[LIST_UNIFORM]));
	CHECK(same_lists(&again[LIST_ALL], &result->test_lists[LIST_ALL]));

	/* bounds, nothing to rank, and an end */
	task.max_lists = 40;
	task.max_rows = 3000;
	CHECK(measure(arena, &task, scorer, &host, false, again, &error));
	CHECK(again[LIST_UNIFORM].lists == 40);
	CHECK(again[LIST_ALL].lists < 40 && again[LIST_ALL].lists * again[LIST_ALL].items <= 3000);
	CHECK(measure(arena, &task, scorer, &host, true, again, &error));
	CHECK(again[LIST_ALL].lists == 0 && isnan(again[LIST_ALL].ndcg));
	check_memory(&task, scorer, &host);
	stopping.interrupted = interrupted_later;
	looks_left = 20;
	CHECK(!measure(arena, &task, scorer, &stopping, false, again, &error));
	CHECK(error.code == ENGINE_INTERRUPTED);
}

/* A log's evaluations are compared by lists, and what is kept is what had the best ones. */
static void
check_evaluations(Arena *arena, Config config, const Dataset *data)
{
	EngineHost	host = toy_host();
	const Dataset *sampled;
	TrainResult *result = train_log(arena, &config, data, &sampled);
	EngineError error;
	Scorer	   *scorer = scorer_create(arena, result->model, READY_BYTES, NULL, &host, &error);
	ListMeasures lists[N_LIST_KINDS];
	ListTask	task = {.data = sampled,.known = {0, sampled->split_start[1]},
	.with_item = sampled->with_item,.seed = config.seed,.max_lists = LIST_MAX_EVALUATION};
	Ranking    *ranking = lists_begin(arena, &task, scorer, &host, &error);
	const Evaluation *kept = &result->evaluations[result->best_evaluation];
	double		best = 0;

	CHECK(lists_measure(ranking, sampled->split_start[1], sampled->split_start[2], lists, &error));
	CHECK(lists[LIST_UNIFORM].lists > 0 && lists[LIST_ALL].lists == 0);
	/* calibration leaves the order of scores alone */
	CHECK(isfinite(model_calibration(result->model).log_scale));
	CHECK(fabs(kept->valid.list_ndcg.value -
			   (lists[LIST_UNIFORM].ndcg + lists[LIST_POPULARITY].ndcg) / 2) < 1e-12);
	CHECK(kept->valid.list_ndcg.rows == lists[LIST_UNIFORM].lists);
	for (int i = 0; i < result->n_evaluations; i++)
		best = fmax(best, result->evaluations[i].valid.list_ndcg.value);
	CHECK(result->n_evaluations > 3 && best - kept->valid.list_ndcg.value < 1e-3);
	CHECK(fabs(result->test.list_ndcg.value -
			   (result->test_lists[LIST_UNIFORM].ndcg + result->test_lists[LIST_POPULARITY].ndcg) / 2) < 1e-12);
	CHECK(result->model->reads_history);
}

/* The race of a log: the first network trains to its end, the second one for two epochs at least. */
static void
check_log_race(Arena *arena, Dataset log)
{
	Config		config;
	const char *names[] = {"fm", "hei"};
	const Dataset *sampled;
	TrainResult *alone[2];
	Told		told;
	EngineError error;

	log.split_start[1] = ROWS / 10;
	/* each has two lists in each evaluation */
	log.split_start[2] = log.split_start[1] + ROWS / 100;
	log.split_start[3] = log.split_start[2] + ROWS / 100;
	/* no option that fm does not use has a value of its own */
	config_defaults(&config);
	config.negatives = 4;
	config.epochs = 3;
	config.patience = 100;
	for (int i = 0; i < 2; i++)
	{
		config.architecture = architecture_find(names[i]);
		alone[i] = train_log(arena, &config, &log, &sampled);
	}
	config.architecture = architecture_find("auto");
	for (int second = 0; second < 2; second++)
	{
		TrainResult *result = train_raced(arena, &config, sampled, NULL, NULL, second ? 1e6 : -1e6,
										  &told, &error);

		CHECK(result && same_model(result, alone[second]));
		CHECK(result->race.ran && result->race.compared && result->race.whole);
		CHECK(result->race.first_kept == !second);
		CHECK(result->race.value[0] == alone[0]->evaluations[alone[0]->best_evaluation].valid.list_ndcg.value);
		CHECK(strcmp(result->race.network[0], "fm") == 0 && strcmp(result->race.network[1], "hei") == 0);
		CHECK(measure_kinds[result->race.kind].of_lists);
		/* all of the first one's evaluations, those of two epochs of the second one */
		CHECK(told.evaluations[1] == alone[0]->n_evaluations);
		CHECK(told.evaluations[2] == alone[0]->n_evaluations + 1 + RACE_EPOCHS * config.evaluations);
	}
	/* what fm does not use asks for the networks that do, which have no race in an epoch */
	config.epochs = 1;
	CHECK(train_raced(arena, &config, sampled, NULL, NULL, 1e6, &told, &error)->race.ran);
	config.dropout = 0.3;
	CHECK(!train_raced(arena, &config, sampled, NULL, NULL, 1e6, &told, &error)->race.ran);
}

int
main(void)
{
	Arena		arena;
	Config		config;
	const Dataset *data;

	arena_init_malloc(&arena);
	toy_config(&config, architecture_find("wide"));
	config.negatives = 4;
	data = make_log(&arena);
	/* no more than training rows is to have a say in the weights */
	config.calibration = false;
	config.l2_wide = 1;
	check_offset(&arena, config, data);
	config.negative_sampling = NEGATIVES_MIXED;
	check_offset(&arena, config, data);
	config.negative_sampling = NEGATIVES_POPULARITY;
	check_without_wide(&arena, config, data);
	config.calibration = true;
	check_lists(&arena, config, data);
	config.architecture = architecture_find("fm");
	check_evaluations(&arena, config, data);
	check_log_race(&arena, *data);
	arena_free_all(&arena);
	return unit_summary();
}
