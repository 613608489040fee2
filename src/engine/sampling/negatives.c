/*
 * negatives.c
 *	  Sampled negatives.
 *
 * Phases: which fields go with the item, as far as that is not given; the pool of
 * each domain, which are the training rows whose items may be drawn (item_draws.h); then,
 * split after split, for each positive row so many draws from its domain's pool.
 * Negatives come before the split's own rows.
 *
 * One stream of random numbers serves all rows in their order.
 *
 * Memory: labels and weights of all rows to come.  Their ids lie in the arena or,
 * where the dataset's store has no room, go to a file some thousand at a time.
 * Pools and pairs of user and item are given back at the end.
 *
 * Time: 0.6 s for a million negatives of 12 columns.  However much users have taken, a
 * negative is a limited number of draws.
 */
#include "engine/sampling/negatives.h"

#include <string.h>

#include "engine/data/crosses.h"
#include "engine/sampling/bonds.h"
#include "engine/sampling/item_draws.h"

/* Rows between two looks at the host. */
#define CHECK_ROWS 65536
/* Rows that are gathered before they go to a file. */
#define FILE_ROWS 4096

typedef struct Sampler
{
	const Config *config;
	const Dataset *data;
	const EngineHost *host;
	NegativeReport *report;
	ItemDraws	draws;
	bool	   *has_negatives;	/* [D + 1] of their own, in the split at hand */
	uint8_t    *left_out;		/* [rows of data] */
	uint32_t   *n_drawn;		/* [training rows of data] negatives */
	uint32_t   *starts;			/* [own training rows that stay + 1], as the dataset has them */
	size_t		n_starts;
	uint32_t   *ids;			/* [all rows, or the latest FILE_ROWS, n_fields] */
	void	   *stored;			/* where the rows before those are; NULL: all are in ids */
	size_t		n_stored;
	uint8_t    *labels;			/* [all rows] */
	float	   *weights;		/* NULL: none */
	int64_t    *times;			/* [all training rows]; NULL: none */
	size_t		n_rows;			/* placed so far */
	bool		traced;
	RowOrigin  *origins;		/* of test rows, if it is traced */
	size_t		n_origins;
} Sampler;

/* Is it time to look, and does the host want to stop? */
static bool
stopped(const EngineHost *host, size_t row, size_t interval, EngineError *error)
{
	return row % interval == 0 && !host_continue(host, error);
}

/* How a split's negatives are drawn: those that measure scores against uniform draws, so. */
static NegativeSampling
sampling_of(const Sampler *sampler, Split split)
{
	const Config *config = sampler->config;

	return split != SPLIT_TRAIN && config->popularity_offset ? NEGATIVES_UNIFORM :
		config->negative_sampling;
}

/* Rows in ids go to the file. */
static void
store_rows(Sampler *sampler)
{
	const Store *store = sampler->data->store;

	store->append(store->context, sampler->stored, sampler->ids,
				  (sampler->n_rows - sampler->n_stored) *
				  (size_t) sampler->data->shape.n_fields * sizeof(uint32_t));
	sampler->n_stored = sampler->n_rows;
}

/* Row "row" again, label as given, its item's fields from row "from". */
static void
place_row(Sampler *sampler, size_t row, size_t from, uint8_t label)
{
	const Dataset *data = sampler->data;
	size_t		n_fields = data->shape.n_fields;

	row_with_item(data, row, from, sampler->report->with_item,
				  sampler->ids + (sampler->n_rows - sampler->n_stored) * n_fields);
	sampler->labels[sampler->n_rows] = label;
	if (sampler->weights)
		sampler->weights[sampler->n_rows] = data->weights[row];
	if (sampler->times && row < data->split_start[SPLIT_VALID])
		sampler->times[sampler->n_rows] = data->times[row];
	if (sampler->traced && row >= data->split_start[SPLIT_TEST])
		sampler->origins[sampler->n_origins++] = (RowOrigin) {(uint32_t) row, (uint32_t) from};
	sampler->n_rows++;
	if (sampler->stored && sampler->n_rows - sampler->n_stored == FILE_ROWS)
		store_rows(sampler);
}

/* What a split's own rows say: positive ones count as taken. */
static bool
look_at_own(Sampler *sampler, Split split, EngineError *error)
{
	const Dataset *data = sampler->data;

	memset(sampler->has_negatives, 0, (size_t) shape_domains(&data->shape) + 1);
	for (size_t row = data->split_start[split]; row < data->split_start[split + 1]; row++)
	{
		if (stopped(sampler->host, row, CHECK_ROWS, error))
			return false;
		if (!data->labels[row])
			sampler->has_negatives[item_pool_of(data, row)] = true;
		else
			taken_add(&sampler->draws.taken, row);
	}
	return true;
}

/*
 * The negatives of a positive row.  A row without any, in a domain that has
 * none of its own, is left out: such rows would say that all is positive there.
 */
static bool
place_negatives(Sampler *sampler, Split split, size_t row, EngineError *error)
{
	NegativeReport *report = sampler->report;
	const ItemPool *pool = NULL;
	uint64_t	n = 0;

	for (int k = 0; k < sampler->config->negatives; k++)
	{
		uint32_t	from;
		bool		found;

		pool = item_draws_pool(&sampler->draws, sampling_of(sampler, split));
		if (!item_draws_next(&sampler->draws, pool, row, &from, &found, error))
			return false;
		if (found)
			place_row(sampler, row, from, 0);
		n += found;
	}
	report->drawn[split] += n;
	if (split == SPLIT_TRAIN)
		sampler->n_drawn[row] = (uint32_t) n;
	if (n > 0 || sampler->has_negatives[item_pool_of(sampler->data, row)])
		report->missing += sampler->config->negatives - n;
	else
	{
		sampler->left_out[row] = 1;
		report->left_out[split]++;
		report->without_items += pool && !item_draws_any(&sampler->draws, pool, row);
	}
	return true;
}

/* An own training row is placed next: its negatives follow those of the one before. */
static void
note_negatives(Sampler *sampler, size_t row)
{
	size_t		n = sampler->n_starts++;

	sampler->starts[n + 1] = sampler->starts[n] + sampler->n_drawn[row];
	sampler->report->alone += sampler->n_drawn[row] == 0;
}

/* A split's negatives, then its own rows, but for those left out. */
static bool
sample_split(Sampler *sampler, Split split, EngineError *error)
{
	const Dataset *data = sampler->data;
	size_t		end = data->split_start[split + 1];

	if (!look_at_own(sampler, split, error))
		return false;
	for (size_t row = data->split_start[split]; row < end; row++)
		if (stopped(sampler->host, row, CHECK_ROWS, error) ||
			(data->labels[row] && !place_negatives(sampler, split, row, error)))
			return false;
	for (size_t row = data->split_start[split]; row < end; row++)
	{
		if (stopped(sampler->host, row, CHECK_ROWS, error))
			return false;
		if (sampler->left_out[row])
			continue;
		if (split == SPLIT_TRAIN)
			note_negatives(sampler, row);
		place_row(sampler, row, row, data->labels[row]);
	}
	return true;
}

/* Room for all rows to come, in a file if memory has none. */
static bool
sampler_init(Sampler *sampler, Arena *arena, EngineError *error)
{
	const Dataset *data = sampler->data;
	const Store *store = data->store;
	size_t		row_size = (size_t) data->shape.n_fields * sizeof(uint32_t);
	uint64_t	n = data->split_start[3];
	uint64_t	n_test = data->split_start[3] - data->split_start[SPLIT_TEST];
	bool		in_memory;

	for (size_t row = 0; row < data->split_start[3]; row++)
	{
		uint64_t	drawn = data->labels[row] ? sampler->config->negatives : 0;

		n += drawn;
		n_test += row >= data->split_start[SPLIT_TEST] ? drawn : 0;
	}
	if (n >= UINT32_MAX)
		return engine_fail(error, ENGINE_BAD_INPUT, "Set option \"negatives\" lower.",
						   "the source and its sampled negatives are more than %u rows",
						   UINT32_MAX - 1);
	random_start(&sampler->draws.random, sampler->config->seed, RANDOM_NEGATIVES, 0);
	in_memory = store_has_room(store, n * row_size);
	if (!in_memory)
		sampler->stored = store->begin(store->context);
	sampler->ids = arena_array(arena, in_memory ? n : FILE_ROWS, row_size);
	sampler->labels = ARENA_ARRAY(arena, uint8_t, n);
	sampler->weights = data->weights ? ARENA_ARRAY(arena, float, n) : NULL;
	sampler->times = data->times ? ARENA_ARRAY(arena, int64_t, n) : NULL;
	sampler->starts = ARENA_ARRAY(arena, uint32_t, data->split_start[SPLIT_VALID] + 1);
	if (sampler->traced)
		sampler->origins = ARENA_ARRAY(arena, RowOrigin, n_test);
	return arena_ok(arena, error);
}

/* All splits, one after the other; what this needs beside the rows is freed again. */
static bool
sample(Sampler *sampler, Arena *arena, size_t *split_start, EngineError *error)
{
	const Dataset *data = sampler->data;
	const NegativeSampling ways[] = {sampling_of(sampler, SPLIT_TRAIN),
		sampling_of(sampler, SPLIT_VALID)};
	struct ArenaBlock *mark = arena_mark(arena);

	sampler->has_negatives = ARENA_ARRAY(arena, bool, (size_t) shape_domains(&data->shape) + 1);
	sampler->left_out = ARENA_ARRAY(arena, uint8_t, data->split_start[3]);
	sampler->n_drawn = ARENA_ARRAY(arena, uint32_t, data->split_start[SPLIT_VALID]);
	if (!arena_ok(arena, error))
		return false;
	if (!item_draws_init(&sampler->draws, arena, data, ways, 2, sampler->host, error))
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

static bool
check_rows_left(const Dataset *data, const Dataset *sampled, EngineError *error)
{
	if (sampled->split_start[SPLIT_VALID] > 0 || data->split_start[SPLIT_VALID] == 0)
		return true;
	return engine_fail(error, ENGINE_BAD_INPUT,
					   "Negatives are other items of the same domain: no domain has one that its users have not taken.",
					   "no negative row was found for any of %zu training rows",
					   data->split_start[SPLIT_VALID]);
}

static const uint32_t *
finish_ids(Sampler *sampler)
{
	const Store *store = sampler->data->store;

	if (!sampler->stored)
		return sampler->ids;
	store_rows(sampler);
	return store->finish(store->context, sampler->stored);
}

Dataset *
negatives_draw_traced(Arena *arena, const Config *config, const Dataset *data,
					  const FieldBond *bonds, const EngineHost *host, NegativeReport *report,
					  RowOrigin **origins, EngineError *error)
{
	Sampler		sampler = {.config = config,.data = data,.host = host,.report = report,
	.traced = origins != NULL};
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
		!bonds_find(arena, data, NULL, bonds, host, report->with_item, NULL, error) ||
		!sampler_init(&sampler, arena, error))
		return NULL;
	*sampled = *data;
	sampled->free = NULL;
	sampled->owner = NULL;
	if (!sample(&sampler, arena, sampled->split_start, error) ||
		!check_rows_left(data, sampled, error))
		return NULL;
	if (sampler.weights)
		scale_weights(&sampler, sampled->split_start[SPLIT_VALID]);
	sampled->with_item = report->with_item;
	sampled->train_sampled = report->drawn[SPLIT_TRAIN];
	sampled->sampled_start = sampler.starts;
	sampled->ids = finish_ids(&sampler);
	sampled->labels = sampler.labels;
	sampled->weights = sampler.weights;
	sampled->times = sampler.times;
	if (origins)
		*origins = sampler.origins;
	return sampled;
}

Dataset *
negatives_draw(Arena *arena, const Config *config, const Dataset *data, const FieldBond *bonds,
			   const EngineHost *host, NegativeReport *report, EngineError *error)
{
	return negatives_draw_traced(arena, config, data, bonds, host, report, NULL, error);
}
