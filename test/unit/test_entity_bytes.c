/*
 * test_entity_bytes.c
 *	  The stored form of tables of items, users and histories: what is put comes back,
 *	  and what is damaged is refused, or sound.
 */
#include <stdlib.h>
#include <string.h>

#include "entity_rows.h"
#include "entity_sound.h"
#include "toy.h"

#include "engine/entities/sides.h"
#include "unit.h"

static bool
same_table(const EntityTable *a, const EntityTable *b)
{
	return a->kind == b->kind && a->n == b->n && a->n_fields == b->n_fields &&
		a->n_bytes == b->n_bytes && memcmp(a->bytes, b->bytes, a->n_bytes) == 0;
}

/* A block that is refused, or gives a table that is sound; which one does the caller care? */
static bool
is_refused(Arena *arena, const Shape *shape, EntityKind kind, const char *bytes, size_t n)
{
	struct ArenaBlock *mark = arena_mark(arena);
	EngineError error = {0};
	/* beyond its end is nothing */
	char	   *copy = malloc(n > 0 ? n : 1);
	EntityTable *table;

	memcpy(copy, bytes, n);
	table = entity_table_get(arena, copy, n, shape, kind, false, NULL, &error);
	CHECK(table || error.code == ENGINE_CORRUPT);
	if (table)
		CHECK(entity_table_is_sound(shape, table));
	free(copy);
	arena_reset_to(arena, mark);
	return !table;
}

static void
test_stored(Arena *arena, const EntityRows *rows, const EntityTable *table)
{
	size_t		n = table->n_bytes;
	char	   *bytes = ARENA_ARRAY(arena, char, n + 1);
	EngineError error;
	EntityTable *again;

	CHECK(same_table(entity_table_pack(arena, table, &error), table));
	memcpy(bytes, table->bytes, n);
	again = entity_table_get(arena, bytes, n, &rows->data.shape, table->kind, false, NULL, &error);
	CHECK(again && same_table(table, again) && again->bytes == bytes);
	again = entity_table_get(arena, bytes, n, &rows->data.shape, table->kind, true, NULL, &error);
	CHECK(again && same_table(table, again));
	/* not aligned: a copy */
	memmove(bytes + 1, bytes, n);
	again = entity_table_get(arena, bytes + 1, n, &rows->data.shape, table->kind, false, NULL,
							 &error);
	CHECK(again && same_table(table, again) && again->bytes != bytes + 1);
	CHECK(entity_table_is_sound(&rows->data.shape, again));
}

static void
test_damaged(Arena *arena, const EntityRows *rows, const EntityTable *table)
{
	static const uint32_t words[] = {0, 1, 2, 3, 7, 1000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF,
	0x7FC00000};
	const Shape *shape = &rows->data.shape;
	size_t		n = table->n_bytes;
	char	   *bytes = ARENA_ARRAY(arena, char, n + 8);
	int			refused = 0;
	int			tried = 0;
	Shape		without = *shape;

	memcpy(bytes, table->bytes, n);
	CHECK(!is_refused(arena, shape, table->kind, bytes, n));
	/* any other length is none */
	for (size_t length = 0; length < n; length += length < 200 ? 1 : 8)
		CHECK(is_refused(arena, shape, table->kind, bytes, length));
	CHECK(is_refused(arena, shape, table->kind, bytes, n + 8));
	/* of another kind, or another model */
	CHECK(is_refused(arena, shape, (table->kind + 1) % N_ENTITY_KINDS, bytes, n));
	without.item_field = -1;
	CHECK(is_refused(arena, &without, table->kind, bytes, n));
	for (size_t at = 0; at < n; at += sizeof(uint32_t))
		for (size_t w = 0; w < sizeof(words) / sizeof(*words); w++)
		{
			uint32_t	before;

			memcpy(&before, bytes + at, sizeof(before));
			if (before == words[w])
				continue;
			memcpy(bytes + at, &words[w], sizeof(before));
			tried++;
			refused += is_refused(arena, shape, table->kind, bytes, n);
			memcpy(bytes + at, &before, sizeof(before));
		}
	/* a header of which a word can be changed is none; values and counts of another size can be */
	for (size_t at = 0; at < 40; at += sizeof(uint32_t))
	{
		bytes[at] ^= 1;
		CHECK(is_refused(arena, shape, table->kind, bytes, n));
		bytes[at] ^= 1;
	}
	CHECK(refused > tried / 3 && refused < tried);
}

/* What goes with items, in nearly all of their rows, is told from what does not. */
static EntityTable *
test_sides(Arena *arena, EntityRows *rows)
{
	Shape	   *shape = &rows->data.shape;
	EngineHost	host = toy_host();
	EngineError error;
	bool		agrees[MAX_SIDES];
	EntityTable *table;
	bool		same = true;

	shape->n_sides = 3;
	memcpy(shape->sides, (uint32_t[]) {BRAND, AGE, HOUR}, 3 * sizeof(uint32_t));
	CHECK(sides_agree(arena, &rows->data, &host, agrees, &error));
	CHECK(agrees[0] && !agrees[1] && !agrees[2]);
	shape->n_sides = 1;
	table = sides_build(arena, arena, &rows->data, &host, &error);
	CHECK(table && table->n == ITEMS && table->n_fields == 1 && table->fields[0] == BRAND);
	for (uint32_t i = 0; table && i < ITEMS; i++)
		same &= table->values[i] == FIRST_ID + (FIRST_ID + i) % VALUES;
	CHECK(same);
	return table;
}

int
main(void)
{
	Arena		arena;
	EntityRows *rows;
	EngineHost	host = toy_host();
	EngineError error;
	Entities	entities;
	const EntityTable *tables[N_ENTITY_KINDS];
	const History *history;

	arena_init_malloc(&arena);
	rows = entity_rows(&arena, 76);
	entities = entity_rows_build(&arena, rows, bonds_by_rows, &no_entity_limits);
	history = history_build(&arena, &arena, &rows->data, 5, HISTORY_ALL, &host, &error);
	tables[ENTITY_ITEMS] = entities.items;
	tables[ENTITY_USERS] = entities.users;
	tables[ENTITY_HISTORIES] = entity_table_of_history(&arena, history, ENTITY_HISTORIES, &error);
	tables[ENTITY_DISLIKES] = entity_table_of_history(&arena, history, ENTITY_DISLIKES, &error);
	tables[ENTITY_SIDES] = test_sides(&arena, rows);
	for (int kind = 0; kind < N_ENTITY_KINDS; kind++)
	{
		CHECK(tables[kind] && tables[kind]->kind == (EntityKind) kind);
		CHECK((tables[kind]->link_start[tables[kind]->n] > 0) == (kind != ENTITY_SIDES));
		test_stored(&arena, rows, tables[kind]);
		test_damaged(&arena, rows, tables[kind]);
	}
	arena_free_all(&arena);
	return unit_summary();
}
