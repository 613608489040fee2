/*
 * entity_rows.c
 *	  Rows for tests of tables of items and users.
 */
#include "entity_rows.h"

#include <stdlib.h>
#include <string.h>

#include "pick.h"
#include "toy.h"

static const uint32_t table_rows[N_FIELDS] = {FIRST_ID + DOMAINS, FIRST_ID + USERS,
	FIRST_ID + ITEMS, FIRST_ID + VALUES, FIRST_ID + VALUES, FIRST_ID + VALUES, FIRST_ID + VALUES,
	FIRST_ID + LENGTH, FIRST_ID + VALUES};
static const uint32_t field_table[N_FIELDS] = {0, 1, 2, 3, 4, 5, 6, 7, 8};
static const bool is_list[N_FIELDS] = {[TAGS] = true,[VECTOR] = true};
static const bool is_dense[N_FIELDS] = {[VECTOR] = true};

const FieldBond bonds_by_rows[N_COLUMNS];
const EntityLimits no_entity_limits = {.items = 1000,.users = 1000,.links = 1000,.bytes = 1 << 24};

static void
add_list(EntityRows *rows, size_t row, int field, const uint32_t *members, int n)
{
	uint32_t	list = 2 * row + (field == VECTOR);
	uint64_t	start = rows->list_start[list];

	memcpy(rows->members + start, members, n * sizeof(uint32_t));
	rows->list_start[list + 1] = start + n;
	rows->ids[row][field] = list;
}

static uint32_t
bits_of(float number)
{
	uint32_t	bits;

	memcpy(&bits, &number, sizeof(bits));
	return bits;
}

uint32_t
tags_of(uint32_t item, uint32_t *members)
{
	for (uint32_t i = 0; i < item % 3; i++)
		members[i] = FIRST_ID + (item + i) % VALUES;
	return item % 3;
}

uint32_t
vector_of(uint32_t item, uint32_t *members)
{
	members[0] = item % 5 == 0 ? NULL_ID : UNSEEN_ID;
	for (int i = 0; i < LENGTH; i++)
		members[1 + i] = bits_of((float) item / (i + 1));
	return item % 5 == 0 ? 1 : LENGTH + 1;
}

EntityRows *
entity_rows(Arena *arena, uint64_t seed)
{
	EntityRows *rows = ARENA_ARRAY(arena, EntityRows, 1);
	Random		random;

	random_start(&random, seed, RANDOM_NEGATIVES, 0);
	for (size_t row = 0; row < N_ROWS; row++)
	{
		uint32_t   *ids = rows->ids[row];
		uint32_t	members[LENGTH + 1];

		ids[DOMAIN] = FIRST_ID + up_to(&random, DOMAINS - 1);
		ids[USER] = up_to(&random, USERS + FIRST_ID - 1);
		ids[ITEM] = up_to(&random, ITEMS + FIRST_ID - 1);
		if (ids[ITEM] == FIRST_ID + ITEMS - 1)
			ids[DOMAIN] = FIRST_ID + 1;
		if (ids[USER] == FIRST_ID + USERS - 2)
			ids[USER] = UNSEEN_ID;
		ids[BRAND] = FIRST_ID + ids[ITEM] % VALUES;
		if (row % 50 == 0)
			ids[BRAND] = FIRST_ID + up_to(&random, VALUES - 1);
		ids[AGE] = FIRST_ID + ids[USER] % VALUES;
		ids[COUNTS] = ids[AGE];
		ids[HOUR] = FIRST_ID + up_to(&random, VALUES - 1);
		add_list(rows, row, TAGS, members, tags_of(ids[ITEM], members));
		add_list(rows, row, VECTOR, members, vector_of(ids[ITEM], members));
		rows->labels[row] = up_to(&random, 1);
	}
	rows->data = (Dataset) {
		.shape = {
			.n_tables = N_FIELDS,.table_rows = table_rows,.n_fields = N_FIELDS,
			.field_table = field_table,.field_is_list = is_list,.field_is_dense = is_dense,
			.domain_field = DOMAIN,.user_field = USER,.item_field = ITEM
		},
		.split_start = {0, N_TRAIN, N_TRAIN + 300, N_ROWS},
		.ids = rows->ids[0],.labels = rows->labels,.list_start = rows->list_start,
		.list_members = rows->members
	};
	return rows;
}

bool
entity_rows_try(Arena *arena, const EntityRows *rows, const FieldBond *bonds,
				const EntityLimits *limits, const EngineHost *host, Entities *entities,
				EngineError *error)
{
	Arena		scratch;
	bool		ok;

	arena_init_malloc(&scratch);
	ok = entities_build(arena, &scratch, &rows->data, N_COLUMNS, bonds, limits, host, entities,
						error);
	arena_free_all(&scratch);
	return ok;
}

Entities
entity_rows_build(Arena *arena, const EntityRows *rows, const FieldBond *bonds,
				  const EntityLimits *limits)
{
	EngineHost	host = toy_host();
	Entities	entities = {0};
	EngineError error;

	if (!entity_rows_try(arena, rows, bonds, limits, &host, &entities, &error))
		abort();
	return entities;
}
