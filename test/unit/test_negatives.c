/*
 * test_negatives.c
 *	  Sampled negatives: as many as asked for, of items that the user has not
 *	  taken, with the fields that go with them.
 */
#include <math.h>
#include <string.h>

#include "engine/networks/config_options.h"
#include "engine/data/taken.h"
#include "engine/sampling/bonds.h"
#include "engine/sampling/negatives.h"
#include "engine/base/random.h"
#include "toy.h"
#include "unit.h"

enum
{
	DOMAIN, USER, ITEM, CATEGORY, AGE, HOUR, PRICE, CHANNEL, FIELDS
};

#define ROWS 6000
#define USERS 200
#define ITEMS 90
#define DOMAINS 3

static const uint32_t table_rows[FIELDS] = {FIRST_ID + DOMAINS, FIRST_ID + USERS,
FIRST_ID + ITEMS, FIRST_ID + 5, FIRST_ID + 4, FIRST_ID + 24, FIRST_ID + 32, FIRST_ID + 2};
static const uint32_t field_table[FIELDS] = {0, 1, 2, 3, 4, 5, 6, 7};
static const bool field_is_list[FIELDS];

/* Positives only; low items are frequent; each domain has its own. */
static Dataset *
make_log(Arena *arena)
{
	Dataset    *data = ARENA_ARRAY(arena, Dataset, 1);
	uint32_t   *ids = ARENA_ARRAY(arena, uint32_t, ROWS * FIELDS);
	uint8_t    *labels = ARENA_ARRAY(arena, uint8_t, ROWS);
	float	   *weights = ARENA_ARRAY(arena, float, ROWS);
	Random		random;

	random_start(&random, 7, RANDOM_SIMULATE, 0);
	for (size_t row = 0; row < ROWS; row++)
	{
		uint32_t	domain = random_below(&random, DOMAINS);
		uint32_t	user = random_below(&random, USERS);
		double		u = random_uniform(&random);
		uint32_t	item = DOMAINS * (uint32_t) (u * u * ITEMS / DOMAINS) + domain;
		uint32_t   *to = ids + row * FIELDS;

		to[DOMAIN] = FIRST_ID + domain;
		to[USER] = FIRST_ID + user;
		to[ITEM] = FIRST_ID + item;
		/* now and then an item changes its category */
		to[CATEGORY] = FIRST_ID + (item + (random_below(&random, 100) == 0)) % 5;
		to[AGE] = FIRST_ID + user % 4;
		to[HOUR] = FIRST_ID + random_below(&random, 24);
		/* every fifth row has a discount, nearly all are from one channel */
		to[PRICE] = FIRST_ID + (item * 7 + random_below(&random, 5) / 4) % 32;
		to[CHANNEL] = FIRST_ID + (random_below(&random, 50) == 0);
		labels[row] = 1;
		weights[row] = 1 + (float) (user % 3);
	}
	ids[(ROWS - 1) * FIELDS + DOMAIN] = UNSEEN_ID;
	ids[5 * FIELDS + ITEM] = NULL_ID;
	*data = (Dataset) {.ids = ids,.labels = labels,.weights = weights};
	data->shape = (Shape) {.n_tables = FIELDS,.table_rows = table_rows,.n_fields = FIELDS,
		.field_table = field_table,.field_is_list = field_is_list,.domain_field = DOMAIN,
		.user_field = USER,.item_field = ITEM};
	data->split_start[1] = ROWS * 8 / 10;
	data->split_start[2] = ROWS * 9 / 10;
	data->split_start[3] = ROWS;
	return data;
}

/* Is there a positive row of that user and item before "end"?  NULL is no item. */
static bool
has_taken(const Dataset *data, size_t end, const uint32_t *ids)
{
	for (size_t row = 0; ids[ITEM] >= FIRST_ID && row < end; row++)
		if (data->labels[row] && data->ids[row * FIELDS + USER] == ids[USER] &&
			data->ids[row * FIELDS + ITEM] == ids[ITEM])
			return true;
	return false;
}

/* Does a positive training row of the domain have that item and category? */
static bool
is_sold(const Dataset *data, const uint32_t *ids)
{
	for (size_t row = 0; row < data->split_start[1]; row++)
		if (data->labels[row] && data->ids[row * FIELDS + DOMAIN] == ids[DOMAIN] &&
			data->ids[row * FIELDS + ITEM] == ids[ITEM] &&
			data->ids[row * FIELDS + CATEGORY] == ids[CATEGORY])
			return true;
	return false;
}

/* Everything but item and category is some positive row's of the split. */
static bool
is_of_split(const Dataset *data, int split, const uint32_t *ids, float weight)
{
	for (size_t row = data->split_start[split]; row < data->split_start[split + 1]; row++)
	{
		const uint32_t *own = data->ids + row * FIELDS;

		if (own[DOMAIN] == ids[DOMAIN] && own[USER] == ids[USER] && own[AGE] == ids[AGE] &&
			own[HOUR] == ids[HOUR] && fabs(data->weights[row] - weight) < 1e-5)
			return true;
	}
	return false;
}

static double
mean_weight(const Dataset *data)
{
	double		sum = 0;

	for (size_t row = 0; row < data->split_start[1]; row++)
		sum += data->weights[row];
	return sum / (double) data->split_start[1];
}

static void
check_rows(const Dataset *data, const Dataset *sampled, const Config *config,
		   const NegativeReport *report)
{
	int			bad = 0;
	uint64_t	total = report->missing;
	uint64_t	left_out = 0;
	float		scale = data->weights[0] / sampled->weights[0];

	CHECK(fabs(mean_weight(sampled) - 1) < 1e-6);

	for (int split = 0; split < 3; split++)
	{
		size_t		n = data->split_start[split + 1] - data->split_start[split] -
			report->left_out[split];
		size_t		first = sampled->split_start[split];

		size_t		own = first + report->drawn[split];

		/* the one left out is the last row of all */
		CHECK(sampled->split_start[split + 1] == own + n);
		CHECK(memcmp(sampled->ids + own * FIELDS, data->ids + data->split_start[split] * FIELDS,
					 n * FIELDS * sizeof(uint32_t)) == 0);
		for (size_t row = first; row < own; row++)
		{
			const uint32_t *ids = sampled->ids + row * FIELDS;

			bad += sampled->labels[row] != 0 || !is_sold(data, ids) ||
				has_taken(data, data->split_start[split + 1], ids) ||
				!is_of_split(data, split, ids, scale * sampled->weights[row]);
		}
		total += report->drawn[split];
		left_out += report->left_out[split];
	}
	CHECK(bad == 0);
	CHECK(report->missing == 0);
	CHECK(total == (ROWS - left_out) * (uint64_t) config->negatives);
	/* only the row whose domain has no items goes without */
	CHECK(left_out == 1 && report->left_out[SPLIT_TEST] == 1 && report->without_items == 1);
}

/* Each positive training row has its negatives: rows of its own user and context. */
static void
check_starts(const Dataset *sampled, const Config *config)
{
	size_t		n = sampled->split_start[1] - sampled->train_sampled;
	int			bad = 0;

	CHECK(sampled->sampled_start[0] == 0 && sampled->sampled_start[n] == sampled->train_sampled);
	for (size_t i = 0; i < n; i++)
	{
		size_t		row = sampled->train_sampled + i;
		uint32_t	first = sampled->sampled_start[i];
		uint32_t	end = sampled->sampled_start[i + 1];

		bad += end - first != (sampled->labels[row] ? (uint32_t) config->negatives : 0);
		for (uint32_t negative = first; negative < end; negative++)
			for (int f = 0; f < FIELDS; f++)
				bad += f != ITEM && f != CATEGORY && f != PRICE &&
					sampled->ids[negative * FIELDS + f] != sampled->ids[row * FIELDS + f];
	}
	CHECK(bad == 0);
}

/* Share of the drawn training rows whose item is among the more frequent half. */
static double
share_of_frequent(const Dataset *sampled, const NegativeReport *report)
{
	size_t		n = 0;

	for (size_t row = 0; row < report->drawn[0]; row++)
		n += sampled->ids[row * FIELDS + ITEM] < FIRST_ID + ITEMS / 2;
	return (double) n / (double) report->drawn[0];
}

/*
 * Users never seen in training share an id: together they have taken every
 * item, and still there are items for each of them.
 */
static void
check_unseen_users(Arena *arena, const Config *config, Dataset *data, const FieldBond *bonds)
{
	EngineHost	host = toy_host();
	EngineError error;
	NegativeReport report;
	const Dataset *sampled;
	uint32_t   *ids = (uint32_t *) data->ids + data->split_start[2] * FIELDS;
	size_t		n = data->split_start[3] - data->split_start[2];

	for (size_t i = 0; i < n; i++)
	{
		ids[i * FIELDS + DOMAIN] = FIRST_ID;
		ids[i * FIELDS + USER] = UNSEEN_ID;
		ids[i * FIELDS + ITEM] = FIRST_ID + DOMAINS * (uint32_t) (i % (ITEMS / DOMAINS));
	}
	sampled = negatives_draw(arena, config, data, bonds, &host, &report, &error);
	CHECK(sampled && report.drawn[2] == n * config->negatives);
	CHECK(report.missing == 0);
}

/* How many rows of [first, end) have that item. */
static double
share_of_item(const Dataset *data, size_t first, size_t end, uint32_t item)
{
	size_t		n = 0;

	for (size_t row = first; row < end; row++)
		n += data->ids[row * FIELDS + ITEM] == item;
	return (double) n / (double) (end - first);
}

/* Test rows are what their origins say; the rows are those of a draw that is not traced. */
static void
check_traced(Arena *arena, const Config *config, const Dataset *data, const FieldBond *bonds)
{
	EngineHost	host = toy_host();
	EngineError error;
	NegativeReport report;
	RowOrigin  *origins = NULL;
	const Dataset *plain = negatives_draw(arena, config, data, bonds, &host, &report, &error);
	const Dataset *traced = negatives_draw_traced(arena, config, data, bonds, &host, &report,
												  &origins, &error);
	size_t		first = traced->split_start[SPLIT_TEST];
	int			bad = 0;

	CHECK(memcmp(plain->ids, traced->ids, plain->split_start[3] * FIELDS * sizeof(uint32_t)) == 0);
	CHECK(traced->split_start[3] > first && report.drawn[SPLIT_TEST] > 0);
	for (size_t row = first; row < traced->split_start[3]; row++)
		for (int f = 0; f < FIELDS; f++)
		{
			RowOrigin	origin = origins[row - first];
			uint32_t	from = report.with_item[f] ? origin.item : origin.row;

			bad += traced->ids[row * FIELDS + f] != data->ids[(size_t) from * FIELDS + f];
		}
	CHECK(bad == 0);
}

/*
 * Rare items share an id, rows without an item another: neither must be a sign
 * of label 1.
 */
static void
check_shared_items(Arena *arena, Config *config, const FieldBond *bonds)
{
	EngineHost	host = toy_host();
	EngineError error;
	NegativeReport report;
	Dataset    *data = make_log(arena);
	uint32_t   *ids = (uint32_t *) data->ids;
	const Dataset *sampled;
	size_t		n_train = data->split_start[1];

	for (size_t row = 0; row < ROWS; row++)
		if (row % 5 < 2)
			ids[row * FIELDS + ITEM] = row % 5 == 0 ? RARE_ID : NULL_ID;
	config->negative_sampling = NEGATIVES_POPULARITY;
	sampled = negatives_draw(arena, config, data, bonds, &host, &report, &error);
	CHECK(share_of_item(sampled, 0, report.drawn[0], RARE_ID) > 0.2);
	CHECK(share_of_item(sampled, 0, report.drawn[0], NULL_ID) > 0.2);
	/* what users took leaves more room for these; without users they keep their share */
	data->shape.user_field = -1;
	sampled = negatives_draw(arena, config, data, bonds, &host, &report, &error);
	CHECK(sampled != NULL);
	for (uint32_t item = NULL_ID; item <= RARE_ID; item++)
	{
		double		drawn = share_of_item(sampled, 0, report.drawn[0], item);

		CHECK(fabs(drawn / share_of_item(data, 0, n_train, item) - 1) < 0.1);
	}
	/* each rare row is an item, NULL is none */
	config->negative_sampling = NEGATIVES_UNIFORM;
	sampled = negatives_draw(arena, config, data, bonds, &host, &report, &error);
	CHECK(share_of_item(sampled, 0, report.drawn[0], RARE_ID) > 0.6);
	CHECK(fabs(share_of_item(sampled, 0, report.drawn[0], NULL_ID) /
			   share_of_item(data, 0, n_train, NULL_ID) - 1) < 0.1);
}

/* Rows of a domain in a split, of either label. */
static size_t
domain_rows(const Dataset *data, int split, uint32_t domain)
{
	size_t		n = 0;

	for (size_t row = data->split_start[split]; row < data->split_start[split + 1]; row++)
		n += data->ids[row * FIELDS + DOMAIN] == domain;
	return n;
}

/* A domain with one item has no negatives: its positives go, but for a split that has its own. */
static void
check_left_out(Arena *arena, const Config *config, const FieldBond *bonds, uint32_t lonely)
{
	EngineHost	host = toy_host();
	EngineError error;
	NegativeReport report;
	Dataset    *data = make_log(arena);
	uint32_t   *ids = (uint32_t *) data->ids;
	const Dataset *sampled;
	size_t		rows[3];
	size_t		first = data->split_start[SPLIT_VALID];

	for (size_t row = 0; row < ROWS; row++)
		if (ids[row * FIELDS + DOMAIN] == lonely)
			ids[row * FIELDS + ITEM] = FIRST_ID + 1;
	while (ids[first * FIELDS + DOMAIN] != lonely)
		first++;
	((uint8_t *) data->labels)[first] = 0;
	for (int split = 0; split < 3; split++)
		rows[split] = domain_rows(data, split, lonely);
	sampled = negatives_draw(arena, config, data, bonds, &host, &report, &error);
	CHECK(sampled && rows[0] > 1000 && rows[1] > 100 && rows[2] > 100);
	CHECK(report.left_out[SPLIT_TRAIN] == rows[SPLIT_TRAIN]);
	CHECK(report.left_out[SPLIT_VALID] == 0);
	CHECK(report.left_out[SPLIT_TEST] == rows[SPLIT_TEST] + 1);
	CHECK(report.without_items == rows[SPLIT_TRAIN] + rows[SPLIT_TEST] + 1);
	CHECK(report.missing == (rows[SPLIT_VALID] - 1) * config->negatives);
	CHECK(domain_rows(sampled, SPLIT_TRAIN, lonely) == 0);
	CHECK(domain_rows(sampled, SPLIT_VALID, lonely) == rows[SPLIT_VALID]);
	CHECK(domain_rows(sampled, SPLIT_TEST, lonely) == 0);
	for (int split = 0; split < 3; split++)
		CHECK(sampled->split_start[split + 1] - sampled->split_start[split] ==
			  data->split_start[split + 1] - data->split_start[split] +
			  report.drawn[split] - report.left_out[split]);
	CHECK(fabs(mean_weight(sampled) - 1) < 1e-6);
}

static bool
count_calls(void *context)
{
	++*(int *) context;
	return false;
}

/* Of two items each user has taken both: tries in vain do not keep the host waiting. */
static void
check_all_taken(Arena *arena, Config *config, const FieldBond *bonds)
{
	EngineHost	host = toy_host();
	EngineError error;
	NegativeReport report;
	Dataset    *data = make_log(arena);
	uint32_t   *ids = (uint32_t *) data->ids;
	int			calls = 0;

	for (size_t row = 0; row < ROWS; row++)
	{
		ids[row * FIELDS + DOMAIN] = FIRST_ID + row / 2 % DOMAINS;
		ids[row * FIELDS + USER] = FIRST_ID + row / 2 % 8;
		ids[row * FIELDS + ITEM] = FIRST_ID + row % 2;
	}
	config->negatives = 1;
	host.interrupted = count_calls;
	host.context = &calls;
	CHECK(negatives_draw(arena, config, data, bonds, &host, &report, &error) == NULL);
	CHECK(error.code == ENGINE_BAD_INPUT && calls > ROWS * 100 / 65536);
	CHECK(report.left_out[0] + report.left_out[1] + report.left_out[2] == ROWS);
	CHECK(report.without_items == 0);
}

static bool
interrupted_after(void *context)
{
	return --*(int *) context < 0;
}

/* However early the host wants to stop. */
static void
check_interrupted(const Config *config, const Dataset *data, const FieldBond *bonds)
{
	EngineHost	host = toy_host();
	bool		done = false;
	int			calls = 0;

	host.interrupted = interrupted_after;
	for (; !done; calls++)
	{
		Arena		arena;
		EngineError error;
		NegativeReport report;
		int			left = calls;

		arena_init_malloc(&arena);
		host.context = &left;
		done = negatives_draw(&arena, config, data, bonds, &host, &report, &error) != NULL;
		CHECK(done || error.code == ENGINE_INTERRUPTED);
		arena_free_all(&arena);
	}
	CHECK(calls > 5 && calls < 100);
}

static void
check_without_user(Arena *arena, const Config *config, Dataset *data, const FieldBond *bonds)
{
	EngineHost	host = toy_host();
	EngineError error;
	NegativeReport report;
	const Dataset *sampled;
	int			same = 0;

	data->shape.user_field = -1;
	sampled = negatives_draw(arena, config, data, bonds, &host, &report, &error);
	CHECK(sampled != NULL);
	for (size_t i = 0; i < report.drawn[0]; i++)
	{
		same += sampled->ids[i * FIELDS + ITEM] ==
			data->ids[i / config->negatives * FIELDS + ITEM];
	}
	CHECK(same == 0);
	data->shape.item_field = -1;
	CHECK(negatives_draw(arena, config, data, bonds, &host, &report, &error) == NULL);
	CHECK(error.code == ENGINE_BAD_INPUT);
	data->shape.user_field = USER;
	data->shape.item_field = ITEM;
}

static void
count_freed(void *owner, bool ids_only)
{
	*(int *) owner += ids_only ? 1 : 10;
}

/* A dataset's owner is asked to free it; the rows sampled from it are the arena's. */
static void
check_owner(Arena *arena, const Config *config, const FieldBond *bonds)
{
	Dataset    *data = make_log(arena);
	EngineHost	host = toy_host();
	EngineError error = {0};
	NegativeReport report;
	int			freed = 0;
	Dataset    *sampled;

	data->free = count_freed;
	data->owner = &freed;
	sampled = negatives_draw(arena, config, data, bonds, &host, &report, &error);
	CHECK(sampled != NULL);
	dataset_free(sampled);
	CHECK(freed == 0);
	dataset_free_ids(data);
	CHECK(freed == 1 && data->ids == NULL);
	dataset_free(data);
	CHECK(freed == 11);
}

/* What a user took he took; users and items without an id of their own are many. */
static void
check_taken(Arena *arena)
{
	static const uint32_t pairs[][2] = {{FIRST_ID, FIRST_ID}, {FIRST_ID + 1, FIRST_ID + 1},
	{UNSEEN_ID, FIRST_ID + 1}, {FIRST_ID, RARE_ID}, {FIRST_ID, FIRST_ID}, {FIRST_ID, FIRST_ID + 1}};
	Dataset    *data = make_log(arena);
	EngineError error;
	Taken		taken;

	for (size_t row = 0; row < 6; row++)
		for (int k = 0; k < 2; k++)
			((uint32_t *) data->ids)[row * FIELDS + (k == 0 ? USER : ITEM)] = pairs[row][k];
	CHECK(taken_init(&taken, arena, data, 4, &error));
	CHECK(!taken_has(&taken, 0, 0));
	for (size_t row = 0; row < 4; row++)
		taken_add(&taken, row);
	CHECK(taken_has(&taken, 0, 0) && taken_has(&taken, 4, 4) && taken_has(&taken, 1, 5));
	CHECK(!taken_has(&taken, 5, 5) && !taken_has(&taken, 1, 0));
	CHECK(!taken_has(&taken, 2, 2) && !taken_has(&taken, 3, 3));
	data->shape.user_field = -1;
	CHECK(taken_init(&taken, arena, data, 4, &error));
	taken_add(&taken, 0);
	CHECK(!taken_has(&taken, 0, 0));
}

/* What goes with the user is not what goes with the item. */
static void
check_with_user(Arena *arena, const Dataset *data, const FieldBond *bonds)
{
	EngineHost	host = toy_host();
	EngineError error;
	bool		with_item[FIELDS];
	bool		with_user[FIELDS];

	CHECK(bonds_find(arena, data, NULL, bonds, &host, with_item, with_user, &error));
	for (int f = 0; f < FIELDS; f++)
		CHECK(with_user[f] == (f == USER || f == AGE) &&
			  with_item[f] == (f == ITEM || f == CATEGORY || f == PRICE));
}

int
main(void)
{
	FieldBond	bonds[FIELDS] = {0};
	EngineHost	host = toy_host();
	EngineError error;
	NegativeReport report;
	Config		config;
	Arena		arena;
	Dataset    *data;
	Dataset    *sampled;
	Dataset    *again;
	double		by_popularity;
	ToyStore	toy;

	arena_init_malloc(&arena);
	toy_store_init(&toy);
	config_defaults(&config);
	config.negatives = 3;
	data = make_log(&arena);
	sampled = negatives_draw(&arena, &config, data, bonds, &host, &report, &error);
	CHECK(sampled != NULL);
	CHECK(dataset_check(sampled, NULL, &error));
	CHECK(report.with_item[ITEM] && report.with_item[CATEGORY] && report.with_item[PRICE]);
	CHECK(!report.with_item[DOMAIN] && !report.with_item[USER] && !report.with_item[AGE] &&
		  !report.with_item[HOUR] && !report.with_item[CHANNEL]);
	check_with_user(&arena, data, bonds);
	check_rows(data, sampled, &config, &report);
	check_starts(sampled, &config);
	CHECK(report.alone == 0);
	CHECK(sampled->train_sampled == report.drawn[SPLIT_TRAIN]);
	by_popularity = share_of_frequent(sampled, &report);
	again = negatives_draw(&arena, &config, data, bonds, &host, &report, &error);
	CHECK(memcmp(sampled->ids, again->ids,
				 sampled->split_start[3] * FIELDS * sizeof(uint32_t)) == 0);
	data->store = &toy.store;
	again = negatives_draw(&arena, &config, data, bonds, &host, &report, &error);
	CHECK(toy.open == 1);
	CHECK(memcmp(sampled->ids, again->ids,
				 sampled->split_start[3] * FIELDS * sizeof(uint32_t)) == 0);
	data->store = NULL;
	toy.store.drop(toy.store.context, toy.last);
	config.seed = 2;
	again = negatives_draw(&arena, &config, data, bonds, &host, &report, &error);
	CHECK(memcmp(sampled->ids, again->ids,
				 sampled->split_start[3] * FIELDS * sizeof(uint32_t)) != 0);

	/* items each alike: half of them is half of the draws, but for those taken */
	config.negative_sampling = NEGATIVES_UNIFORM;
	sampled = negatives_draw(&arena, &config, data, bonds, &host, &report, &error);
	CHECK(by_popularity > 0.6 && share_of_frequent(sampled, &report) < 0.5);
	bonds[CATEGORY] = BOND_ROW;
	bonds[HOUR] = BOND_ITEM;
	again = negatives_draw(&arena, &config, data, bonds, &host, &report, &error);
	CHECK(again && !report.with_item[CATEGORY] && report.with_item[HOUR]);
	check_without_user(&arena, &config, data, bonds);
	check_interrupted(&config, data, bonds);
	check_unseen_users(&arena, &config, data, bonds);
	check_traced(&arena, &config, data, bonds);
	check_shared_items(&arena, &config, bonds);
	for (uint32_t domain = 0; domain < DOMAINS; domain++)
		check_left_out(&arena, &config, bonds, FIRST_ID + domain);
	check_all_taken(&arena, &config, bonds);
	check_owner(&arena, &config, bonds);
	check_taken(&arena);
	arena_free_all(&arena);
	return unit_summary();
}
