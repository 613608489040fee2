/*
 * agreement.c
 *	  How often rows of one item, user or domain agree on a column.
 */
#include "engine/data/agreement.h"

#include <string.h>

static bool
same_list(const Dataset *data, uint32_t a, uint32_t b, Watch *watch)
{
	uint64_t	n = data->list_start[a + 1] - data->list_start[a];

	return data->list_start[b + 1] - data->list_start[b] == n && !watch_worked(watch, n) &&
		memcmp(data->list_members + data->list_start[a],
			   data->list_members + data->list_start[b], n * sizeof(uint32_t)) == 0;
}

bool
same_value(const Dataset *data, size_t a, size_t b, int field, Watch *watch)
{
	uint32_t	x = dataset_id(data, a, field);
	uint32_t	y = dataset_id(data, b, field);

	return x == y || (data->shape.field_is_list[field] && same_list(data, x, y, watch));
}

bool
measure_agreement(Arena *arena, const Dataset *data, const uint32_t *order,
				  const EngineHost *host, int owner, double *agreement, EngineError *error)
{
	const Shape *shape = &data->shape;
	struct ArenaBlock *mark = arena_mark(arena);
	uint32_t   *last = ARENA_ARRAY(arena, uint32_t, shape_rows(shape, owner));
	uint64_t   *same = ARENA_ARRAY(arena, uint64_t, shape->n_fields);
	uint64_t	n = 0;
	Watch		watch = {.host = host};

	if (!arena_ok(arena, error))
		return false;
	for (size_t i = 0; i < data->split_start[SPLIT_VALID]; i++)
	{
		size_t		row = order ? order[i] : i;
		uint32_t	id = dataset_id(data, row, owner);

		if (watch_worked(&watch, shape->n_fields))
			return watch_continue(&watch, error);
		if (id < FIRST_ID)
			continue;
		for (int f = 0; last[id] > 0 && f < shape->n_fields; f++)
			same[f] += same_value(data, row, last[id] - 1, f, &watch);
		n += last[id] > 0;
		last[id] = row + 1;
	}
	for (int f = 0; f < shape->n_fields; f++)
		agreement[f] = n > 0 ? (double) same[f] / n : 0;
	arena_reset_to(arena, mark);
	return true;
}
