/*
 * crosses.c
 *	  Crosses: fields whose values are combinations of other fields' values, hashed.
 *
 * The hash is part of a stored model's meaning: it must not change.
 */
#include "engine/data/crosses.h"

#include <string.h>

/* The finalizer of splitmix64: every bit hangs on all. */
static inline uint64_t
mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

uint32_t
cross_id(const uint32_t *ids, const uint32_t *parts, int n, uint32_t buckets)
{
	uint64_t	hash = 0;
	bool		unseen = false;

	for (int i = 0; i < n; i++)
	{
		uint32_t	id = ids[parts[i]];

		if (id == NULL_ID)
			return NULL_ID;
		unseen = unseen || id == UNSEEN_ID;
		hash = mix(hash + 0x9e3779b97f4a7c15u + id);
	}
	return unseen ? UNSEEN_ID : FIRST_ID + (uint32_t) (hash % buckets);
}

void
crosses_fill(const Shape *shape, uint32_t *ids)
{
	for (int i = 0; i < shape->n_crosses; i++)
	{
		const FieldCross *cross = &shape->crosses[i];

		ids[cross->field] = cross_id(ids, cross->parts, cross->n_parts,
									 shape->table_rows[shape->field_table[cross->field]] - FIRST_ID);
	}
}

void
row_with_item(const Dataset *data, size_t row, size_t from, const bool *with_item, uint32_t *ids)
{
	const Shape *shape = &data->shape;
	size_t		n_fields = (size_t) shape->n_fields;
	const uint32_t *item = data->ids + from * n_fields;

	memcpy(ids, data->ids + row * n_fields, n_fields * sizeof(uint32_t));
	if (from == row)
		return;
	for (size_t f = 0; f < n_fields; f++)
		if (with_item[f])
			ids[f] = item[f];
	crosses_fill(shape, ids);
}
