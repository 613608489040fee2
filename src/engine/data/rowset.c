/*
 * rowset.c
 *	  Rows by the values of a few fields: open addressing over row numbers.
 */
#include "engine/data/rowset.h"

bool
rowset_init(RowSet *set, Arena *arena, const Dataset *data, const int *fields, int n_fields,
			size_t max_rows, EngineError *error)
{
	size_t		slots = 16;

	*set = (RowSet) {.data = data};
	for (int i = 0; i < n_fields; i++)
		if (fields[i] >= 0)
			set->fields[set->n_fields++] = fields[i];
	while (slots < 2 * max_rows)
		slots *= 2;
	set->mask = slots - 1;
	set->slots = ARENA_ARRAY(arena, uint32_t, slots);
	return arena_ok(arena, error);
}

/* The values that tell a row apart -> key [ROWSET_MAX_FIELDS]. */
static void
row_values(const RowSet *set, size_t row, uint32_t *key)
{
	for (int i = 0; i < set->n_fields; i++)
		key[i] = dataset_id(set->data, row, set->fields[i]);
}

/* The key's slot, or the empty one where it would go. */
static size_t
find_slot(const RowSet *set, const uint32_t *key)
{
	uint64_t	hash = 0;
	size_t		slot;

	for (int i = 0; i < set->n_fields; i++)
	{
		hash = (hash ^ key[i]) * 0x9E3779B97F4A7C15u;
		hash ^= hash >> 29;
	}
	for (slot = hash & set->mask; set->slots[slot] != 0; slot = (slot + 1) & set->mask)
	{
		uint32_t	other[ROWSET_MAX_FIELDS];
		bool		same = true;

		row_values(set, set->slots[slot] - 1, other);
		for (int i = 0; i < set->n_fields; i++)
			same = same && other[i] == key[i];
		if (same)
			break;
	}
	return slot;
}

bool
rowset_add(RowSet *set, size_t row)
{
	uint32_t	key[ROWSET_MAX_FIELDS];
	size_t		slot;

	row_values(set, row, key);
	slot = find_slot(set, key);
	if (set->slots[slot] != 0)
		return false;
	set->slots[slot] = row + 1;
	return true;
}

bool
rowset_contains(const RowSet *set, const uint32_t *key)
{
	return set->slots[find_slot(set, key)] != 0;
}
