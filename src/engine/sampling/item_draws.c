/*
 * item_draws.c
 *	  Pools of training rows by domain, and draws from them.
 *
 * There are up to two pools of a domain, for draws by popularity and uniform ones.  A draw
 * that the user has taken is drawn again, a limited number of times.
 */
#include "engine/sampling/item_draws.h"

#include "engine/data/rowset.h"

/* Rows or tries between two looks at the host; tries at an item that the user has not taken. */
#define CHECK_ROWS 65536
#define MAX_TRIES 100

static uint32_t
item_of(const Dataset *data, size_t row)
{
	return dataset_id(data, row, data->shape.item_field);
}

/*
 * Are the items of two rows told apart?  Ids below FIRST_ID are no item's own:
 * rare items share one, NULL is none at all.  There only the row itself is
 * sure to have the same; ruling out more would make them a sign of label 1.
 */
static bool
items_differ(const Dataset *data, size_t a, size_t b)
{
	return a != b && (item_of(data, a) < FIRST_ID || item_of(data, a) != item_of(data, b));
}

/* Is it time to look, and does the host want to stop? */
static bool
stopped(const EngineHost *host, size_t row, size_t interval, EngineError *error)
{
	return row % interval == 0 && !host_continue(host, error);
}

/*
 * Marks the rows that items are drawn from: positive ones; uniformly, one of
 * each item.  Rare items have few rows each: every row counts as one.
 */
static bool
mark_drawable(ItemDraws *draws, Arena *arena, bool uniform, uint8_t *drawable, size_t *counts,
			  EngineError *error)
{
	const Dataset *data = draws->data;
	const int	fields[] = {data->shape.domain_field, data->shape.item_field};
	size_t		n_train = data->split_start[SPLIT_VALID];
	RowSet		seen;

	if (!rowset_init(&seen, arena, data, fields, 2, uniform ? n_train : 0, error))
		return false;
	for (size_t row = 0; row < n_train; row++)
	{
		if (stopped(draws->host, row, CHECK_ROWS, error))
			return false;
		if (!data->labels[row] || (uniform && item_of(data, row) == NULL_ID))
			continue;
		if (uniform && !rowset_add(&seen, row) && item_of(data, row) != RARE_ID)
			continue;
		drawable[row] = 1;
		counts[item_pool_of(data, row)]++;
	}
	return true;
}

/*
 * NULL is no item: drawn as one it would tell taken rows from sampled ones.
 * Uniformly too it is drawn as often as it is taken.  Rows lie in an order of
 * no meaning: the first ones stand for all.
 */
static bool
mark_nulls(ItemDraws *draws, Arena *arena, uint8_t *drawable, size_t *counts,
		   EngineError *error)
{
	const Dataset *data = draws->data;
	size_t		n_train = data->split_start[SPLIT_VALID];
	size_t		n_pools = (size_t) shape_domains(&data->shape) + 1;
	uint64_t   *items = ARENA_ARRAY(arena, uint64_t, n_pools);	/* positive rows with one */
	uint64_t   *nulls = ARENA_ARRAY(arena, uint64_t, n_pools);	/* and without; then to mark */

	if (!arena_ok(arena, error))
		return false;
	for (size_t row = 0; row < n_train; row++)
	{
		if (stopped(draws->host, row, CHECK_ROWS, error))
			return false;
		if (data->labels[row])
			(item_of(data, row) == NULL_ID ? nulls : items)[item_pool_of(data, row)]++;
	}
	for (size_t p = 0; p < n_pools; p++)
		if (items[p] > 0)
			nulls[p] = (counts[p] * nulls[p] + items[p] - 1) / items[p];
	for (size_t row = 0; row < n_train; row++)
	{
		size_t		p = item_pool_of(data, row);

		if (stopped(draws->host, row, CHECK_ROWS, error))
			return false;
		if (!data->labels[row] || item_of(data, row) != NULL_ID || nulls[p] == 0)
			continue;
		drawable[row] = 1;
		nulls[p]--;
		counts[p]++;
	}
	return true;
}

static bool
fill_pool(ItemDraws *draws, Arena *arena, NegativeSampling sampling, EngineError *error)
{
	bool		uniform = sampling == NEGATIVES_UNIFORM;
	ItemPool   *pool = &draws->pools[sampling];
	const Dataset *data = draws->data;
	size_t		n_train = data->split_start[SPLIT_VALID];
	size_t		n_pools = (size_t) shape_domains(&data->shape) + 1;
	size_t	   *start = ARENA_ARRAY(arena, size_t, n_pools + 2);
	uint8_t    *drawable = ARENA_ARRAY(arena, uint8_t, n_train);
	uint32_t   *rows;

	if (!arena_ok(arena, error) ||
		!mark_drawable(draws, arena, uniform, drawable, start + 2, error) ||
		(uniform && !mark_nulls(draws, arena, drawable, start + 2, error)))
		return false;
	for (size_t p = 0; p < n_pools; p++)
		start[p + 2] += start[p + 1];
	rows = ARENA_ARRAY(arena, uint32_t, start[n_pools + 1]);
	if (!arena_ok(arena, error))
		return false;
	/* start[p + 1] runs from where pool p begins to where it ends */
	for (size_t row = 0; row < n_train; row++)
	{
		if (stopped(draws->host, row, CHECK_ROWS, error))
			return false;
		if (drawable[row])
			rows[start[item_pool_of(data, row) + 1]++] = row;
	}
	*pool = (ItemPool) {.start = start,.rows = rows,.varied = ARENA_ARRAY(arena, bool, n_pools)};
	if (!arena_ok(arena, error))
		return false;
	for (size_t p = 0; p < n_pools; p++)
		for (size_t i = start[p]; i < start[p + 1] && !pool->varied[p]; i++)
			pool->varied[p] = items_differ(data, rows[i], rows[start[p]]);
	return true;
}

bool
item_draws_init(ItemDraws *draws, Arena *arena, const Dataset *data, const NegativeSampling *ways,
				int n, const EngineHost *host, EngineError *error)
{
	bool		wanted[3] = {false};

	draws->data = data;
	draws->host = host;
	for (int i = 0; i < n; i++)
		wanted[ways[i]] = true;
	if (!taken_init(&draws->taken, arena, data, data->split_start[3], error))
		return false;
	for (int i = 0; i < 2; i++)
		if ((wanted[i] || wanted[NEGATIVES_MIXED]) && !fill_pool(draws, arena, i, error))
			return false;
	return true;
}

const ItemPool *
item_draws_pool(ItemDraws *draws, NegativeSampling way)
{
	if (way == NEGATIVES_MIXED)
		way = random_below(&draws->random, 2) == 0 ? NEGATIVES_POPULARITY : NEGATIVES_UNIFORM;
	return &draws->pools[way];
}

bool
item_draws_any(const ItemDraws *draws, const ItemPool *pool, size_t row)
{
	size_t		p = item_pool_of(draws->data, row);
	size_t		first = pool->start[p];

	return pool->varied[p] || (pool->start[p + 1] > first &&
							   items_differ(draws->data, row, pool->rows[first]));
}

bool
item_draws_next(ItemDraws *draws, const ItemPool *pool, size_t row, uint32_t *from, bool *found,
		  EngineError *error)
{
	size_t		p = item_pool_of(draws->data, row);
	size_t		first = pool->start[p];
	size_t		n = pool->start[p + 1] - first;

	*found = false;
	if (!item_draws_any(draws, pool, row))
		return true;
	for (int tries = 0; !*found && tries < MAX_TRIES; tries++)
	{
		if (stopped(draws->host, draws->tries++, CHECK_ROWS, error))
			return false;
		*from = pool->rows[first + random_below(&draws->random, n)];
		*found = items_differ(draws->data, row, *from) &&
			!taken_has(&draws->taken, row, *from);
	}
	return true;
}
