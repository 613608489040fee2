/*
 * test_augment.c
 *	  Counterfactual rows: only what equation (5) allows, shares as planned.
 */
#include <math.h>

#include "engine/augment.h"
#include "toy.h"
#include "unit.h"

#define ROWS 4000

static Config
augment_config(void)
{
	Config		config;

	toy_config(&config, ARCH_AREAD);
	config.minor_share = 0.07;
	config.major_share = 0.2;
	config.augment_ratio = 0.2;
	return config;
}

/* Does domain d hold the pair of that row as a negative training row, and not a sampled one? */
static bool
is_negative_in(const Dataset *data, uint32_t row, uint32_t domain)
{
	for (size_t other = 0; other < data->split_start[1] - data->train_sampled; other++)
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
	CHECK(plan->n_domains == TOY_DOMAINS);
	for (int d = 0; d < TOY_DOMAINS; d++)
	{
		CHECK(plan->domain_rows[d] == rows[d]);
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
	AugmentPlan plan;
	AugmentedRows rows;
	AugmentedRows again;
	EngineError error;
	uint64_t	differ = 0;

	arena_init_malloc(&arena);
	data = toy_dataset(&arena, ROWS);
	CHECK(augment_plan(&arena, &config, data, &plan, &error));
	test_plan(data, &config, &plan);
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
	CHECK(augment_plan(&arena, &config, data, &plan, &error));
	for (uint32_t item = FIRST_ID; item < plan.n_items; item++)
		CHECK(plan.popularity[item] == plan.item_positives[item]);
	config.negatives = 0;

	/* nor of what a domain rejects: as if every negative was sampled, rejected pairs are drawn */
	CHECK(rejected(data, &rows) == 0);
	data->train_sampled = data->split_start[1];
	CHECK(augment_plan(&arena, &config, data, &plan, &error));
	CHECK(augment_draw(&arena, &config, data, &plan, &host, &again, &error));
	data->train_sampled = 0;
	CHECK(rejected(data, &again) > 0);

	/* a threshold of its own */
	config.unpopular_threshold = 0.5;
	CHECK(augment_plan(&arena, &config, data, &plan, &error));
	CHECK(augment_draw(&arena, &config, data, &plan, &host, &rows, &error));
	CHECK(rows.start[TOY_DOMAINS] == 0);
	arena_free_all(&arena);
	return unit_summary();
}
