/*
 * drawn_rows.c
 *	  Rows for tests of encodings and trees.
 */
#include "drawn_rows.h"

#include <string.h>

#include "engine/base/random.h"
#include "engine/trees/trees_bytes.h"

DrawnRows *
drawn_rows(Arena *arena, size_t n_train, size_t n_valid, int n_fields, const uint32_t *n_values,
		   uint64_t seed)
{
	DrawnRows  *rows = ARENA_ARRAY(arena, DrawnRows, 1);
	uint32_t   *field_table = ARENA_ARRAY(arena, uint32_t, n_fields);
	size_t		n = n_train + n_valid;
	Random		random;

	random_start(&random, seed, RANDOM_SIMULATE, 0);
	rows->table_rows = ARENA_ARRAY(arena, uint32_t, n_fields);
	rows->is_list = ARENA_ARRAY(arena, bool, n_fields);
	rows->ids = ARENA_ARRAY(arena, uint32_t, n * (size_t) n_fields);
	rows->labels = ARENA_ARRAY(arena, uint8_t, n);
	rows->weights = ARENA_ARRAY(arena, float, n);
	for (int f = 0; f < n_fields; f++)
	{
		field_table[f] = (uint32_t) f;
		rows->table_rows[f] = FIRST_ID + n_values[f];
	}
	rows->data = (Dataset) {
		.shape = {
			.n_tables = n_fields,.table_rows = rows->table_rows,.n_fields = n_fields,
			.field_table = field_table,.field_is_list = rows->is_list,.domain_field = DRAWN_DOMAIN,
			.user_field = DRAWN_USER,.item_field = DRAWN_ITEM
		},
		.split_start = {0, n_train, n, n},.ids = rows->ids,.labels = rows->labels
	};
	for (size_t row = 0; row < n; row++)
	{
		rows->weights[row] = 1;
		for (int f = 0; f < n_fields; f++)
			*drawn_id(rows, row, f) = FIRST_ID + (uint32_t) random_below(&random, n_values[f]);
	}
	return rows;
}

void
make_lists(DrawnRows *rows, Arena *arena)
{
	size_t		n = drawn_n(rows) * (size_t) rows->data.shape.n_fields;
	uint64_t   *start = ARENA_ARRAY(arena, uint64_t, n + 1);
	uint32_t   *members = ARENA_ARRAY(arena, uint32_t, n);

	for (size_t i = 0; i < n; i++)
	{
		start[i + 1] = i + 1;
		members[i] = rows->ids[i];
		rows->ids[i] = (uint32_t) i;
	}
	for (int f = 0; f < rows->data.shape.n_fields; f++)
		rows->is_list[f] = true;
	rows->data.list_start = start;
	rows->data.list_members = members;
}

void
plant_noise(DrawnRows *rows, uint64_t seed)
{
	Random		random;

	random_start(&random, seed, RANDOM_SIMULATE, 1);
	for (size_t row = 0; row < drawn_n(rows); row++)
		rows->labels[row] = random_uniform(&random) < 0.3;
}

void
plant_pair(DrawnRows *rows, int a, int b, uint64_t seed)
{
	Random		random;

	random_start(&random, seed, RANDOM_SIMULATE, 2);
	for (size_t row = 0; row < drawn_n(rows); row++)
	{
		uint32_t	parity = (*drawn_id(rows, row, a) + *drawn_id(rows, row, b)) % 2;

		rows->labels[row] = random_uniform(&random) < (parity ? 0.6 : 0.1);
	}
}

bool
same_trees(Arena *arena, const Trees *one, const Trees *other)
{
	size_t		n = trees_bytes_size(one);
	struct ArenaBlock *mark = arena_mark(arena);
	char	   *bytes[2] = {ARENA_ARRAY(arena, char, n), ARENA_ARRAY(arena, char, n)};
	bool		same = trees_bytes_size(other) == n;

	if (same)
	{
		trees_put(one, bytes[0]);
		trees_put(other, bytes[1]);
		same = memcmp(bytes[0], bytes[1], n) == 0;
	}
	arena_reset_to(arena, mark);
	return same;
}
