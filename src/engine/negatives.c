/*
 * negatives.c
 *	  Sampled negatives.
 */
#include "negatives.h"

#include <string.h>

#include "random.h"
#include "rowset.h"

/* Rows between two looks at the host; tries at an item that the user has not taken. */
#define CHECK_ROWS 65536
#define MAX_TRIES 100
/* A field goes with the item if this share of an item's rows agree on it. */
#define MIN_AGREEMENT 0.95

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
	RowSet		taken;			/* (user, item) of positive rows */
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

/*
 * How often rows of the same owner (an item, a user) agree with its first one
 * -> agreement [n_fields]; 0 if no owner has two rows.
 */
static bool
measure_agreement(Arena *arena, const Dataset *data, int owner, double *agreement,
				  EngineError *error)
{
	const Shape *shape = &data->shape;
	struct ArenaBlock *mark = arena_mark(arena);
	uint32_t   *first = ARENA_ARRAY(arena, uint32_t, shape->table_rows[shape->field_table[owner]]);
	uint64_t   *same = ARENA_ARRAY(arena, uint64_t, shape->n_fields);
	uint64_t	n = 0;

	if (!arena_ok(arena, error))
		return false;
	for (size_t row = 0; row < data->split_start[SPLIT_VALID]; row++)
	{
		uint32_t	id = id_of(data, row, owner);

		if (id < FIRST_ID)
			continue;
		if (first[id] == 0)
		{
			first[id] = row + 1;
			continue;
		}
		n++;
		for (int f = 0; f < shape->n_fields; f++)
			same[f] += same_value(data, row, first[id] - 1, f);
	}
	for (int f = 0; f < shape->n_fields; f++)
		agreement[f] = n > 0 ? (double) same[f] / n : 0;
	arena_reset_to(arena, mark);
	return true;
}

/*
 * Fields that go with the item: those whose values an item's rows agree on,
 * and more so than a user's rows do.
 */
static bool
find_bonds(Arena *arena, const Dataset *data, const FieldBond *bonds, bool *with_item,
		   EngineError *error)
{
	const Shape *shape = &data->shape;
	double	   *by_item = ARENA_ARRAY(arena, double, shape->n_fields);
	double	   *by_user = ARENA_ARRAY(arena, double, shape->n_fields);

	if (!arena_ok(arena, error) ||
		!measure_agreement(arena, data, shape->item_field, by_item, error) ||
		(shape->user_field >= 0 &&
		 !measure_agreement(arena, data, shape->user_field, by_user, error)))
		return false;
	for (int f = 0; f < shape->n_fields; f++)
		with_item[f] = bonds[f] == BOND_ITEM ||
			(bonds[f] == BOND_BY_ROWS && by_item[f] >= MIN_AGREEMENT && by_item[f] > by_user[f]);
	with_item[shape->item_field] = true;
	with_item[shape->domain_field] = false;
	if (shape->user_field >= 0)
		with_item[shape->user_field] = false;
	return true;
}

static size_t
pool_of(const Dataset *data, size_t row)
{
	return dataset_domain(data, row) + 1;
}

/* Rows that items are drawn from; uniformly, the first row of each item in the domain. */
static bool
fill_pool(Sampler *sampler, Arena *arena, EngineError *error)
{
	const Dataset *data = sampler->data;
	const int	fields[] = {data->shape.domain_field, data->shape.item_field};
	size_t		n_train = data->split_start[SPLIT_VALID];
	size_t		n_pools = (size_t) shape_domains(&data->shape) + 1;
	size_t	   *start = ARENA_ARRAY(arena, size_t, n_pools + 2);
	uint8_t    *drawable = ARENA_ARRAY(arena, uint8_t, n_train);
	RowSet		seen;
	uint32_t   *rows;

	if (!arena_ok(arena, error) ||
		!rowset_init(&seen, arena, data, fields, 2, n_train, error))
		return false;
	for (size_t row = 0; row < n_train; row++)
	{
		uint32_t	key[ROWSET_MAX_FIELDS];

		if (!data->labels[row] || item_of(data, row) == NULL_ID)
			continue;
		rowset_key(&seen, row, key);
		if (sampler->config->negative_sampling == NEGATIVES_UNIFORM)
		{
			if (rowset_contains(&seen, key))
				continue;
			rowset_add(&seen, row);
		}
		drawable[row] = 1;
		start[pool_of(data, row) + 2]++;
	}
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

/* A row whose item the user has not taken; false if none was found. */
static bool
draw_item(Sampler *sampler, size_t row, uint32_t *from)
{
	const Dataset *data = sampler->data;
	size_t		first = sampler->pool.start[pool_of(data, row)];
	size_t		n = sampler->pool.start[pool_of(data, row) + 1] - first;
	bool		has_user = data->shape.user_field >= 0;
	uint32_t	key[ROWSET_MAX_FIELDS];

	rowset_key(&sampler->taken, row, key);
	for (int tries = 0; n > 0 && tries < MAX_TRIES; tries++)
	{
		uint32_t	item;

		*from = sampler->pool.rows[first + random_below(&sampler->random, n)];
		item = item_of(data, *from);
		key[has_user] = item;
		if (item != item_of(data, row) &&
			!(has_user && rowset_contains(&sampler->taken, key)))
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

	for (size_t row = first; row < end; row++)
	{
		place_row(sampler, row, row, data->labels[row]);
		if (data->labels[row])
			rowset_add(&sampler->taken, row);
	}
	for (size_t row = first; row < end; row++)
	{
		if (row % CHECK_ROWS == 0 && !host_continue(sampler->host, error))
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

static bool
sampler_init(Sampler *sampler, Arena *arena, EngineError *error)
{
	const Dataset *data = sampler->data;
	const int	pair[] = {data->shape.user_field, data->shape.item_field};
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
	return rowset_init(&sampler->taken, arena, data, pair, 2, data->split_start[3], error) &&
		fill_pool(sampler, arena, error);
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
		!find_bonds(arena, data, bonds, report->with_item, error) ||
		!sampler_init(&sampler, arena, error))
		return NULL;
	*sampled = *data;
	for (int split = SPLIT_TRAIN; split <= SPLIT_TEST; split++)
	{
		if (!sample_split(&sampler, split, error))
			return NULL;
		sampled->split_start[split + 1] = sampler.n_rows;
	}
	sampled->ids = sampler.ids;
	sampled->labels = sampler.labels;
	sampled->weights = sampler.weights;
	return sampled;
}
