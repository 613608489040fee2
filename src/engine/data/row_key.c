/*
 * row_key.c
 *	  Numbers that rows of the same values share, and the order that these give.
 */
#include "engine/data/row_key.h"

#include "engine/base/sort.h"

#define START 0x9e3779b97f4a7c15u

static uint64_t
mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * 0xff51afd7ed558ccdu;
	return hash ^ hash >> 32;
}

uint64_t
value_key(const Dataset *data, size_t row, int field, Watch *watch)
{
	const uint32_t *members;
	size_t		n = dataset_members(data, row, field, &members);
	uint64_t	hash = START + n;

	if (!data->shape.field_is_list[field])
		return members[0];
	for (size_t i = 0; i < n && !watch_worked(watch, 1); i++)
		hash = mix(hash, members[i]);
	return hash;
}

uint64_t
row_key(const Dataset *data, size_t row, uint64_t seed, Watch *watch)
{
	uint64_t	hash = seed + START;

	for (int f = 0; f < data->shape.n_fields; f++)
		hash = mix(hash, value_key(data, row, f, watch) + 1);
	return hash;
}

bool
rows_by_key(Arena *arena, const Dataset *data, size_t n, const EngineHost *host,
			uint32_t **order, EngineError *error)
{
	struct ArenaBlock *mark;
	uint64_t   *keys;
	SortRoom	room;
	Watch		watch = {.host = host};

	*order = ARENA_ARRAY(arena, uint32_t, n);
	mark = arena_mark(arena);
	keys = ARENA_ARRAY(arena, uint64_t, n);
	if (!arena_ok(arena, error) || !sort_room(&room, arena, n, true, error))
		return false;
	for (size_t row = 0; row < n; row++)
	{
		if (watch_worked(&watch, data->shape.n_fields))
			return watch_continue(&watch, error);
		keys[row] = row_key(data, row, 0, &watch);
		(*order)[row] = (uint32_t) row;
	}
	if (!watch_continue(&watch, error) || !sort_keys(keys, *order, n, &room, host, error))
		return false;
	arena_reset_to(arena, mark);
	return true;
}
