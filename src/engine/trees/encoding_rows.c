/*
 * encoding_rows.c
 *	  Ids column by column, in memory or in the dataset's store.
 *
 * Encodings read the ids of a field or two in the order of their values.  In rows,
 * each of them would lie in a cache line of its own.
 */
#include "engine/trees/encoding_rows.h"

#include <math.h>

#include "engine/trees/encoding_folds.h"
#include "engine/trees/prior.h"

/* Rows between two looks at the host, and rows that go to the store together. */
#define CHUNK_ROWS 50000

/* One field's ids of the rows from .. to - 1. */
static void
copy_ids(const Dataset *data, int field, size_t from, size_t to, uint32_t *column)
{
	for (size_t row = from; row < to; row++)
		*column++ = dataset_id(data, row, field);
}

/* A column is filled, or what it has of each chunk goes to the store. */
static bool
fill_column(EncodingRows *rows, int field, uint32_t *column, const EngineHost *host,
			EngineError *error)
{
	const Store *store = rows->data->store;

	for (size_t from = 0; from < rows->n_rows; from += CHUNK_ROWS)
	{
		size_t		to = rows->n_rows - from < CHUNK_ROWS ? rows->n_rows : from + CHUNK_ROWS;
		uint32_t   *chunk = rows->stored ? column : column + from;

		if (!host_continue(host, error))
			return false;
		copy_ids(rows->data, field, from, to, chunk);
		if (rows->stored)
			store->append(store->context, rows->stored, chunk, (to - from) * sizeof(uint32_t));
	}
	return true;
}

static bool
fill_columns(EncodingRows *rows, Arena *arena, const EngineHost *host, EngineError *error)
{
	const Shape *shape = &rows->data->shape;
	const Store *store = rows->data->store;
	const uint32_t *all = NULL;
	uint32_t   *room;
	size_t		n = 0;			/* columns before this one */

	for (int f = 0; f < shape->n_fields; f++)
		n += shape_is_encodable(shape, f);
	if (!store_has_room(store, n * rows->n_rows * sizeof(uint32_t)))
		rows->stored = store->begin(store->context);
	room = ARENA_ARRAY(arena, uint32_t, rows->stored ? CHUNK_ROWS : n * rows->n_rows);
	if (!arena_ok(arena, error))
		return false;
	n = 0;
	for (int f = 0; f < shape->n_fields; f++)
		if (shape_is_encodable(shape, f) &&
			!fill_column(rows, f, rows->stored ? room : room + n++ * rows->n_rows, host, error))
			return false;
	all = rows->stored ? store->finish(store->context, rows->stored) : room;
	for (int f = 0; f < shape->n_fields; f++)
		if (shape_is_encodable(shape, f))
		{
			rows->columns[f] = all;
			all += rows->n_rows;
		}
	return true;
}

static bool
find_prior(EncodingRows *rows, EngineError *error)
{
	rows->prior = prior_rate(rows->data->labels, rows->data->weights, rows->n_train);
	return !isnan(rows->prior) ||
		engine_fail(error, ENGINE_BAD_INPUT, "Weights of training rows should be above 0.",
					"trees have no training rows of any weight");
}

bool
encoding_rows_init(EncodingRows *rows, Arena *arena, const Dataset *data, uint64_t seed,
				   const EngineHost *host, EngineError *error)
{
	Watch		watch = {.host = host};
	uint8_t    *folds = ARENA_ARRAY(arena, uint8_t, data->split_start[SPLIT_VALID]);

	*rows = (EncodingRows) {
		.data = data,.n_train = data->split_start[SPLIT_VALID],
		.n_rows = data->split_start[SPLIT_TEST],
		.columns = ARENA_ARRAY(arena, const uint32_t *, data->shape.n_fields),.folds = folds
	};
	if (!arena_ok(arena, error) || !find_prior(rows, error))
		return false;
	if (!encoding_folds(data, seed, &watch, folds))
		return watch_continue(&watch, error);
	return fill_columns(rows, arena, host, error);
}

void
encoding_rows_free(EncodingRows *rows)
{
	if (rows->stored)
		rows->data->store->drop(rows->data->store->context, rows->stored);
	rows->stored = NULL;
}
