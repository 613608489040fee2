/*
 * negatives.c
 *	  Sampled negatives.
 */
#include "negatives.h"

#include <string.h>

#include "random.h"
#include "rowset.h"

/* Rows or draws between two looks at the host; tries at an item that the user has not taken. */
#define CHECK_ROWS 65536
#define MAX_TRIES 100
/* A field goes with the item if an item's rows agree on it that much beyond chance. */
#define MIN_AGREEMENT 0.5

/* Positive training rows of each domain, those of domains without a number first. */
typedef struct ItemPool
{
	size_t	   *start;			/* [D + 2] */
	uint32_t   *rows;
} ItemPool;

typedef struct Sampler
{
	const Config *config;
	const Dataset *data;
	const EngineHost *host;
	NegativeReport *report;
	ItemPool	pool;
	RowSet		taken;			/* (user, item) of positive rows; unused without users */
	Random		random;
	uint32_t   *ids;			/* [all rows, n_fields] */
	uint8_t    *labels;
	float	   *weights;		/* NULL: none */
	size_t		n_rows;			/* placed so far */
} Sampler;

static uint32_t
id_of(const Dataset *data, size_t row, int field)
{
	return data->ids[row * (size_t) data->shape.n_fields + field];
}

static uint32_t
item_of(const Dataset *data, size_t row)
{
	return id_of(data, row, data->shape.item_field);
}

static bool
same_list(const Dataset *data, uint32_t a, uint32_t b)
{
	uint64_t	n = data->list_start[a + 1] - data->list_start[a];

	return data->list_start[b + 1] - data->list_start[b] == n &&
		memcmp(data->list_members + data->list_start[a],
			   data->list_members + data->list_start[b], n * sizeof(uint32_t)) == 0;
}

static bool
same_value(const Dataset *data, size_t a, size_t b, int field)
{
	uint32_t	x = id_of(data, a, field);
	uint32_t	y = id_of(data, b, field);

	return x == y || (data->shape.field_is_list[field] && same_list(data, x, y));
}

/* Is it time to look, and does the host want to stop? */
static bool
stopped(const EngineHost *host, size_t row, size_t interval, EngineError *error)
{
	return row % interval == 0 && !host_continue(host, error);
}

/*
 * How often a row agrees with the one before it of the same owner (an item, a
 * user, a domain) -> agreement [n_fields]; 0 if no owner has two rows.  Rows
 * lie in the order of a hash, so that neighbours of a domain meet by chance.
 */
static bool
measure_agreement(Arena *arena, const Dataset *data, const EngineHost *host, int owner,
				  double *agreement, EngineError *error)
{
	const Shape *shape = &data->shape;
	struct ArenaBlock *mark = arena_mark(arena);
	uint32_t   *last = ARENA_ARRAY(arena, uint32_t, shape->table_rows[shape->field_table[owner]]);
	uint64_t   *same = ARENA_ARRAY(arena, uint64_t, shape->n_fields);
	uint64_t	n = 0;

	if (!arena_ok(arena, error))
		return false;
	for (size_t row = 0; row < data->split_start[SPLIT_VALID]; row++)
	{
		uint32_t	id = id_of(data, row, owner);

		if (stopped(host, row, CHECK_ROWS, error))
			return false;
		if (id < FIRST_ID)
			continue;
		for (int f = 0; last[id] > 0 && f < shape->n_fields; f++)
			same[f] += same_value(data, row, last[id] - 1, f);
		n += last[id] > 0;
		last[id] = row + 1;
	}
	for (int f = 0; f < shape->n_fields; f++)
		agreement[f] = n > 0 ? (double) same[f] / n : 0;
	arena_reset_to(arena, mark);
	return true;
}

/*
 * Fields that go with the item: those whose values an item's rows agree on,
 * well beyond what rows of a domain do by chance, and more than a user's do.
 */
static bool
find_bonds(Arena *arena, const Dataset *data, const FieldBond *bonds, const EngineHost *host,
		   bool *with_item, EngineError *error)
{
	const Shape *shape = &data->shape;
	double	   *by_item = ARENA_ARRAY(arena, double, shape->n_fields);
	double	   *by_user = ARENA_ARRAY(arena, double, shape->n_fields);
	double	   *chance = ARENA_ARRAY(arena, double, shape->n_fields);

	if (!arena_ok(arena, error) ||
		!measure_agreement(arena, data, host, shape->item_field, by_item, error) ||
		!measure_agreement(arena, data, host, shape->domain_field, chance, error) ||
		(shape->user_field >= 0 &&
		 !measure_agreement(arena, data, host, shape->user_field, by_user, error)))
		return false;
	for (int f = 0; f < shape->n_fields; f++)
		with_item[f] = bonds[f] == BOND_ITEM ||
			(bonds[f] == BOND_BY_ROWS && by_item[f] > by_user[f] &&
			 by_item[f] - chance[f] > MIN_AGREEMENT * (1 - chance[f]));
	with_item[shape->domain_field] = false;
	if (shape->user_field >= 0)
		with_item[shape->user_field] = false;
	with_item[shape->item_field] = true;
	return true;
}

static size_t
pool_of(const Dataset *data, size_t row)
{
	return dataset_domain(data, row) + 1;
}

/* Marks the rows that items are drawn from: positive ones; uniformly, one of each item. */
static bool
mark_drawable(Sampler *sampler, Arena *arena, uint8_t *drawable, size_t *counts,
			  EngineError *error)
{
	const Dataset *data = sampler->data;
	const int	fields[] = {data->shape.domain_field, data->shape.item_field};
	bool		uniform = sampler->config->negative_sampling == NEGATIVES_UNIFORM;
	size_t		n_train = data->split_start[SPLIT_VALID];
	RowSet		seen;

	if (!rowset_init(&seen, arena, data, fields, 2, uniform ? n_train : 0, error))
		return false;
	for (size_t row = 0; row < n_train; row++)
	{
		uint32_t	key[ROWSET_MAX_FIELDS];

		if (stopped(sampler->host, row, CHECK_ROWS, error))
			return false;
		if (!data->labels[row] || item_of(data, row) == NULL_ID)
			continue;
		rowset_key(&seen, row, key);
		if (uniform && rowset_contains(&seen, key))
			continue;
		if (uniform)
			rowset_add(&seen, row);
		drawable[row] = 1;
		counts[pool_of(data, row)]++;
	}
	return true;
}

static bool
fill_pool(Sampler *sampler, Arena *arena, EngineError *error)
{
	const Dataset *data = sampler->data;
	size_t		n_train = data->split_start[SPLIT_VALID];
	size_t		n_pools = (size_t) shape_domains(&data->shape) + 1;
	size_t	   *start = ARENA_ARRAY(arena, size_t, n_pools + 2);
	uint8_t    *drawable = ARENA_ARRAY(arena, uint8_t, n_train);
	uint32_t   *rows;

	if (!arena_ok(arena, error) ||
		!mark_drawable(sampler, arena, drawable, start + 2, error))
		return false;
	for (size_t p = 0; p < n_pools; p++)
		start[p + 2] += start[p + 1];
	rows = ARENA_ARRAY(arena, uint32_t, start[n_pools + 1]);
	if (!arena_ok(arena, error))
		return false;
	/* start[p + 1] runs from where pool p begins to where it ends */
	for (size_t row = 0; row < n_train; row++)
		if (drawable[row])
			rows[start[pool_of(data, row) + 1]++] = row;
	sampler->pool = (ItemPool) {.start = start,.rows = rows};
	return true;
}

/*
 * A row whose item the user has not taken; false if none was found.  Users
 * without an id of their own (never seen in training, rare, NULL) are many:
 * what one of them took says nothing of the others.
 */
static bool
draw_item(Sampler *sampler, size_t row, uint32_t *from)
{
	const Dataset *data = sampler->data;
	size_t		first = sampler->pool.start[pool_of(data, row)];
	size_t		n = sampler->pool.start[pool_of(data, row) + 1] - first;
	int			user_field = data->shape.user_field;
	uint32_t	key[ROWSET_MAX_FIELDS] = {user_field < 0 ? UNSEEN_ID : id_of(data, row, user_field)};

	for (int tries = 0; n > 0 && tries < MAX_TRIES; tries++)
	{
		*from = sampler->pool.rows[first + random_below(&sampler->random, n)];
		key[1] = item_of(data, *from);
		if (key[1] != item_of(data, row) &&
			!(key[0] >= FIRST_ID && rowset_contains(&sampler->taken, key)))
			return true;
	}
	return false;
}

/* Row "row" again, label as given, its item's fields from row "from". */
static void
place_row(Sampler *sampler, size_t row, size_t from, uint8_t label)
{
	const Dataset *data = sampler->data;
	size_t		n_fields = data->shape.n_fields;
	uint32_t   *to = sampler->ids + sampler->n_rows * n_fields;

	memcpy(to, data->ids + row * n_fields, n_fields * sizeof(uint32_t));
	for (size_t f = 0; from != row && f < n_fields; f++)
		if (sampler->report->with_item[f])
			to[f] = id_of(data, from, f);
	sampler->labels[sampler->n_rows] = label;
	if (sampler->weights)
		sampler->weights[sampler->n_rows] = data->weights[row];
	sampler->n_rows++;
}

/* A split's own rows, then its negatives; what it holds as positive counts as taken. */
static bool
sample_split(Sampler *sampler, Split split, EngineError *error)
{
	const Dataset *data = sampler->data;
	size_t		first = data->split_start[split];
	size_t		end = data->split_start[split + 1];
	size_t		interval = 1 + CHECK_ROWS / sampler->config->negatives;

	for (size_t row = first; row < end; row++)
	{
		if (stopped(sampler->host, row, CHECK_ROWS, error))
			return false;
		place_row(sampler, row, row, data->labels[row]);
		if (data->labels[row] && data->shape.user_field >= 0)
			rowset_add(&sampler->taken, row);
	}
	for (size_t row = first; row < end; row++)
	{
		if (stopped(sampler->host, row, interval, error))
			return false;
		for (int k = 0; data->labels[row] && k < sampler->config->negatives; k++)
		{
			uint32_t	from;

			if (draw_item(sampler, row, &from))
			{
				place_row(sampler, row, from, 0);
				sampler->report->drawn[split]++;
			}
			else
				sampler->report->missing++;
		}
	}
	return true;
}

/* Room for all rows to come. */
static bool
sampler_init(Sampler *sampler, Arena *arena, EngineError *error)
{
	const Dataset *data = sampler->data;
	uint64_t	n = data->split_start[3];

	for (size_t row = 0; row < data->split_start[3]; row++)
		n += data->labels[row] ? sampler->config->negatives : 0;
	if (n >= UINT32_MAX)
		return engine_fail(error, ENGINE_BAD_INPUT, "Set option \"negatives\" lower.",
						   "the source and its sampled negatives are more than %u rows",
						   UINT32_MAX - 1);
	random_start(&sampler->random, sampler->config->seed, RANDOM_NEGATIVES, 0);
	sampler->ids = ARENA_ARRAY(arena, uint32_t, n * data->shape.n_fields);
	sampler->labels = ARENA_ARRAY(arena, uint8_t, n);
	sampler->weights = data->weights ? ARENA_ARRAY(arena, float, n) : NULL;
	return arena_ok(arena, error);
}

/* All splits, one after the other; what this needs beside the rows is freed again. */
static bool
sample(Sampler *sampler, Arena *arena, size_t *split_start, EngineError *error)
{
	const Dataset *data = sampler->data;
	const int	pair[] = {data->shape.user_field, data->shape.item_field};
	struct ArenaBlock *mark = arena_mark(arena);

	if (!rowset_init(&sampler->taken, arena, data, pair, 2,
					 data->shape.user_field >= 0 ? data->split_start[3] : 0, error) ||
		!fill_pool(sampler, arena, error))
		return false;
	for (int split = SPLIT_TRAIN; split <= SPLIT_TEST; split++)
	{
		if (!sample_split(sampler, split, error))
			return false;
		split_start[split + 1] = sampler->n_rows;
	}
	arena_reset_to(arena, mark);
	return true;
}

/* Weights are 1 on average over training rows, as before. */
static void
scale_weights(Sampler *sampler, size_t n_train)
{
	double		sum = 0;

	for (size_t row = 0; row < n_train; row++)
		sum += sampler->weights[row];
	for (size_t row = 0; sum > 0 && row < sampler->n_rows; row++)
		sampler->weights[row] *= n_train / sum;
}

Dataset *
negatives_draw(Arena *arena, const Config *config, const Dataset *data, const FieldBond *bonds,
			   const EngineHost *host, NegativeReport *report, EngineError *error)
{
	Sampler		sampler = {.config = config,.data = data,.host = host,.report = report};
	Dataset    *sampled = ARENA_ARRAY(arena, Dataset, 1);

	*report = (NegativeReport) {.with_item = ARENA_ARRAY(arena, bool, data->shape.n_fields)};
	if (data->shape.item_field < 0)
	{
		engine_fail(error, ENGINE_BAD_INPUT,
					"Name the item's column by argument \"item_id\".",
					"sampled negatives need an item column");
		return NULL;
	}
	if (!arena_ok(arena, error) ||
		!find_bonds(arena, data, bonds, host, report->with_item, error) ||
		!sampler_init(&sampler, arena, error))
		return NULL;
	*sampled = *data;
	if (!sample(&sampler, arena, sampled->split_start, error))
		return NULL;
	if (sampler.weights)
		scale_weights(&sampler, sampled->split_start[SPLIT_VALID]);
	sampled->ids = sampler.ids;
	sampled->labels = sampler.labels;
	sampled->weights = sampler.weights;
	return sampled;
}
