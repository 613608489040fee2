/*
 * test_augment.c
 *	  Counterfactual rows: only what equation (5) allows, shares as planned.
 */
#include <math.h>
#include <stdlib.h>

#include "engine/networks/architectures.h"
#include "engine/sampling/augment.h"
#include "toy.h"
#include "unit.h"

#define ROWS 4000

static Config
augment_config(void)
{
	Config		config;

	toy_config(&config, architecture_find("aread"));
	config.minor_share = 0.07;
	config.major_share = 0.2;
	config.augment_ratio = 0.2;
	return config;
}

/* Rows to add by hand: in proportion to what a domain lacks of the mean, whole rows by largest remainder. */
static void
test_shares(Arena *arena)
{
	/* domains of 60 and 30 rows are major, the others minor */
	const struct
	{
		uint64_t	minor[2];	/* rows */
		double		ratio;
		uint64_t	added[2];
	}			cases[] = {
		/* 20 rows for a target of 15: 9 and 11 are missing */
		{{6, 4}, 0.2, {9, 11}},
		/* 5 for 7.5: shares 1.5 and 3.5, the tie to the larger domain */
		{{6, 4}, 0.05, {2, 3}},
		/* 2 for 6: one has more */
		{{9, 1}, 0.02, {0, 2}},
		{{6, 4}, 0, {0, 0}},
		/* a domain without rows gets none */
		{{10, 0}, 0.1, {10, 0}}
	};
	uint64_t	domain_rows[4] = {60, 30};
	uint64_t	item_rows[FIRST_ID] = {0};
	AugmentCounts counts = {.rows = 100,.n_domains = 4,.domain_rows = domain_rows,
		.n_items = FIRST_ID,.item_rows = item_rows,.item_positives = item_rows};
	Config		config = augment_config();
	AugmentPlan plan;
	EngineError error;

	config.minor_share = 0.11;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		config.augment_ratio = cases[i].ratio;
		domain_rows[2] = cases[i].minor[0];
		domain_rows[3] = cases[i].minor[1];
		CHECK(augment_plan(arena, &config, &counts, &plan, &error));
		CHECK(plan.is_major[0] && plan.is_major[1] && !plan.is_major[2] && !plan.is_major[3]);
		CHECK(!plan.is_minor[0] && !plan.is_minor[1] && plan.is_minor[2]);
		CHECK(plan.is_minor[3] == (domain_rows[3] > 0));
		CHECK(plan.rows_to_add[0] == 0 && plan.rows_to_add[1] == 0);
		CHECK(plan.rows_to_add[2] == cases[i].added[0]);
		CHECK(plan.rows_to_add[3] == cases[i].added[1]);
	}
	/* no row at all */
	counts.rows = 0;
	domain_rows[0] = domain_rows[1] = domain_rows[2] = domain_rows[3] = 0;
	CHECK(augment_plan(arena, &config, &counts, &plan, &error));
	CHECK(!plan.is_minor[0] && !plan.is_major[0] && plan.rows_to_add[0] == 0);
}

/* Popularity by hand: five items, the last without training rows. */
static void
test_unpopular(Arena *arena)
{
	uint64_t	domain_rows[1] = {8};
	uint64_t	rows[FIRST_ID + 5] = {0, 7, 9, 5, 1, 2, 2, 0};
	uint64_t	positives[FIRST_ID + 5] = {0, 7, 0, 5, 0, 1, 2, 0};
	AugmentCounts counts = {.rows = 8,.n_domains = 1,.domain_rows = domain_rows,
		.n_items = FIRST_ID + 5,.item_rows = rows,.item_positives = positives};
	Config		config = augment_config();
	AugmentPlan plan;
	EngineError error;
	const bool *unpopular;

	/* the median of 1 2 2 5, ties included */
	CHECK(augment_plan(arena, &config, &counts, &plan, &error));
	unpopular = plan.is_unpopular + FIRST_ID;
	CHECK(plan.threshold == 2 && isnan(plan.popularity[FIRST_ID + 4]));
	CHECK(!unpopular[0] && unpopular[1] && unpopular[2] && unpopular[3] && !unpopular[4]);
	CHECK(!plan.is_unpopular[NULL_ID] && !plan.is_unpopular[RARE_ID]);
	/* below a value */
	config.unpopular_threshold = 2;
	CHECK(augment_plan(arena, &config, &counts, &plan, &error));
	unpopular = plan.is_unpopular + FIRST_ID;
	CHECK(!unpopular[0] && unpopular[1] && !unpopular[2] && !unpopular[3] && !unpopular[4]);
	/* rates 6/7, 1/3, 1/2, 3/4 */
	config.unpopular_threshold = NAN;
	config.popularity = POPULARITY_RATE;
	CHECK(augment_plan(arena, &config, &counts, &plan, &error));
	unpopular = plan.is_unpopular + FIRST_ID;
	CHECK(plan.threshold == 0.5 && plan.popularity[FIRST_ID + 3] == 0.75);
	CHECK(!unpopular[0] && unpopular[1] && unpopular[2] && !unpopular[3] && !unpopular[4]);
}

static int
compare_counts(const void *a, const void *b)
{
	uint64_t	x = *(const uint64_t *) a;
	uint64_t	y = *(const uint64_t *) b;

	return (x > y) - (x < y);
}

/* Quantiles of many items, in order and not, with ties and without: as sorting has them. */
static void
test_quantiles(Arena *arena)
{
	enum
	{
		ITEMS = 997
	};
	uint64_t	domain_rows[1] = {0};
	uint64_t	rows[FIRST_ID + ITEMS] = {0};
	uint64_t	sorted[ITEMS];
	AugmentCounts counts = {.n_domains = 1,.domain_rows = domain_rows,
		.n_items = FIRST_ID + ITEMS,.item_rows = rows,.item_positives = rows};
	Config		config = augment_config();
	AugmentPlan plan;
	EngineError error;
	int			wrong = 0;

	for (int order = 0; order < 4; order++)
	{
		for (uint64_t i = 0; i < ITEMS; i++)
			sorted[i] = rows[FIRST_ID + i] = order == 0 ? ITEMS - i : order == 1 ? i + 1 :
				order == 2 ? i * 7919 % ITEMS + 1 : i * 7919 % ITEMS / 100 + 1;
		qsort(sorted, ITEMS, sizeof(uint64_t), compare_counts);
		for (int percent = 1; percent <= 100; percent++)
		{
			config.unpopular_quantile = percent / 100.0;
			CHECK(augment_plan(arena, &config, &counts, &plan, &error));
			wrong += plan.threshold !=
				sorted[(size_t) ceil(config.unpopular_quantile * ITEMS) - 1];
		}
	}
	CHECK(wrong == 0);
	config.unpopular_quantile = 0;
	CHECK(augment_plan(arena, &config, &counts, &plan, &error));
	CHECK(!plan.is_unpopular[FIRST_ID]);
}

/* Does domain d hold the pair of that row as a negative training row, and not a sampled one? */
static bool
is_negative_in(const Dataset *data, uint32_t row, uint32_t domain)
{
	for (size_t other = data->train_sampled; other < data->split_start[1]; other++)
		if (!data->labels[other] && dataset_domain(data, other) == domain &&
			data->ids[other * TOY_FIELDS + 1] == data->ids[row * TOY_FIELDS + 1] &&
			data->ids[other * TOY_FIELDS + 2] == data->ids[row * TOY_FIELDS + 2])
			return true;
	return false;
}

/* Counts, minor and major, by a second way. */
static void
test_plan(const Dataset *data, const Config *config, const AugmentPlan *plan)
{
	uint64_t	total = data->split_start[1];
	uint64_t	rows[TOY_DOMAINS] = {0};
	uint64_t	planned = 0;

	for (size_t row = 0; row < total; row++)
		rows[dataset_domain(data, row)]++;
	CHECK(plan->counts.rows == total && plan->counts.n_domains == TOY_DOMAINS);
	for (int d = 0; d < TOY_DOMAINS; d++)
	{
		CHECK(plan->counts.domain_rows[d] == rows[d]);
		CHECK(plan->is_minor[d] == ((double) rows[d] < config->minor_share * (double) total));
		CHECK(plan->is_major[d] == ((double) rows[d] > config->major_share * (double) total));
		CHECK(plan->is_minor[d] || plan->rows_to_add[d] == 0);
		planned += plan->rows_to_add[d];
	}
	CHECK(plan->is_minor[TOY_DOMAINS - 1] && plan->is_major[0]);
	CHECK(fabs((double) planned - config->augment_ratio * (double) total) <= TOY_DOMAINS);
}

static void
test_rows(const Dataset *data, const AugmentPlan *plan, const AugmentedRows *rows)
{
	int			bad = 0;

	for (uint32_t d = 0; d < TOY_DOMAINS; d++)
	{
		CHECK(rows->start[d + 1] - rows->start[d] == plan->rows_to_add[d]);
		for (uint64_t i = rows->start[d]; i < rows->start[d + 1]; i++)
		{
			uint32_t	row = rows->rows[i];

			bad += row >= data->split_start[1] || !data->labels[row] ||
				!plan->is_major[dataset_domain(data, row)] ||
				!plan->is_unpopular[data->ids[row * TOY_FIELDS + 2]] ||
				is_negative_in(data, row, d);
		}
	}
	CHECK(bad == 0);
}

/* Rows drawn for a domain that holds their pair as a negative. */
static int
rejected(const Dataset *data, const AugmentedRows *rows)
{
	int			n = 0;

	for (uint32_t d = 0; d < TOY_DOMAINS; d++)
		for (uint64_t i = rows->start[d]; i < rows->start[d + 1]; i++)
			n += is_negative_in(data, rows->rows[i], d);
	return n;
}

int
main(void)
{
	Config		config = augment_config();
	EngineHost	host = toy_host();
	Arena		arena;
	Dataset    *data;
	AugmentCounts counts;
	AugmentPlan plan;
	AugmentedRows rows;
	AugmentedRows again;
	EngineError error;
	uint64_t	differ = 0;

	arena_init_malloc(&arena);
	test_shares(&arena);
	test_unpopular(&arena);
	test_quantiles(&arena);
	data = toy_dataset(&arena, ROWS);
	CHECK(augment_count(&arena, data, &counts, &error));
	CHECK(augment_plan(&arena, &config, &counts, &plan, &error));
	test_plan(data, &config, &plan);
	CHECK(augment_room(&arena, &plan, &rows, &error));
	CHECK(augment_room(&arena, &plan, &again, &error));
	CHECK(augment_draw(&arena, &config, data, &plan, &host, &rows, &error));
	test_rows(data, &plan, &rows);

	/* the seed decides */
	CHECK(augment_draw(&arena, &config, data, &plan, &host, &again, &error));
	for (uint64_t i = 0; i < rows.start[TOY_DOMAINS]; i++)
		differ += rows.rows[i] != again.rows[i];
	CHECK(differ == 0);
	config.seed++;
	CHECK(augment_draw(&arena, &config, data, &plan, &host, &again, &error));
	for (uint64_t i = 0; i < rows.start[TOY_DOMAINS]; i++)
		differ += rows.rows[i] != again.rows[i];
	CHECK(differ > 0);

	/* sampled negatives are no sign of popularity */
	config.negatives = 1;
	CHECK(augment_plan(&arena, &config, &counts, &plan, &error));
	for (uint32_t item = FIRST_ID; item < plan.counts.n_items; item++)
		CHECK(plan.popularity[item] == (double) plan.counts.item_positives[item]);
	config.negatives = 0;

	/* nor of what a domain rejects: as if every negative was sampled, rejected pairs are drawn */
	CHECK(rejected(data, &rows) == 0);
	data->train_sampled = data->split_start[1];
	CHECK(augment_plan(&arena, &config, &counts, &plan, &error));
	CHECK(augment_draw(&arena, &config, data, &plan, &host, &again, &error));
	data->train_sampled = 0;
	CHECK(rejected(data, &again) > 0);

	/* a threshold of its own */
	config.unpopular_threshold = 0.5;
	CHECK(augment_plan(&arena, &config, &counts, &plan, &error));
	CHECK(augment_draw(&arena, &config, data, &plan, &host, &rows, &error));
	CHECK(rows.start[TOY_DOMAINS] == 0);
	arena_free_all(&arena);
	return unit_summary();
}
