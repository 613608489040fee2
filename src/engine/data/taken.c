/*
 * taken.c
 *	  Pairs of user and item, by the rows that they are of.
 */
#include "engine/data/taken.h"

bool
taken_init(Taken *taken, Arena *arena, const Dataset *data, size_t max_rows, EngineError *error)
{
	const int	pair[] = {data->shape.user_field, data->shape.item_field};

	taken->known = data->shape.user_field >= 0;
	return rowset_init(&taken->pairs, arena, data, pair, 2, taken->known ? max_rows : 0, error);
}

void
taken_add(Taken *taken, size_t row)
{
	if (taken->known)
		(void) rowset_add(&taken->pairs, row);
}

bool
taken_has(const Taken *taken, size_t row, size_t from)
{
	const Dataset *data = taken->pairs.data;
	uint32_t	key[ROWSET_MAX_FIELDS] = {0};

	if (!taken->known)
		return false;
	key[0] = dataset_id(data, row, data->shape.user_field);
	key[1] = dataset_id(data, from, data->shape.item_field);
	return key[0] >= FIRST_ID && key[1] >= FIRST_ID && rowset_contains(&taken->pairs, key);
}
