/*
 * test_entities.c
 *	  Tables of items and users: what goes with them, counted again in plain loops,
 *	  and limits.
 */
#include <string.h>

#include "entity_rows.h"
#include "failing.h"
#include "toy.h"
#include "unit.h"

static bool
has_fields(const EntityTable *table, int n, const uint32_t *fields)
{
	return table->n_fields == (uint32_t) n &&
		memcmp(table->fields, fields, n * sizeof(uint32_t)) == 0;
}

static bool
same_list(const EntityTable *table, uint32_t list, const uint32_t *members, uint32_t n)
{
	return table->list_start[list + 1] - table->list_start[list] == n &&
		memcmp(table->list_members + table->list_start[list], members, n * sizeof(uint32_t)) == 0;
}

/* Rows up to "to" of an entity, and another id in another field (0: any); *positives. */
static uint32_t
count_rows(const EntityRows *rows, size_t to, int field, uint32_t id, int other, uint32_t other_id,
		   uint32_t *positives)
{
	uint32_t	n = 0;

	*positives = 0;
	for (size_t row = 0; row < to; row++)
		if (rows->ids[row][field] == id && (other_id == 0 || rows->ids[row][other] == other_id))
		{
			n++;
			*positives += rows->labels[row];
		}
	return n;
}

static void
check_items(const EntityRows *rows, const EntityTable *items)
{
	static const uint32_t fields[] = {BRAND, TAGS, VECTOR};

	CHECK(items->kind == ENTITY_ITEMS && items->n == ITEMS && has_fields(items, 3, fields));
	for (uint32_t i = 0; i < items->n; i++)
	{
		const uint32_t *values = items->values + i * 3;
		uint32_t	members[LENGTH + 1];
		uint64_t	link = items->link_start[i];

		CHECK(values[0] == FIRST_ID + (FIRST_ID + i) % VALUES);
		CHECK(same_list(items, values[1], members, tags_of(FIRST_ID + i, members)));
		CHECK(same_list(items, values[2], members, vector_of(FIRST_ID + i, members)));
		for (uint32_t d = 0; d < DOMAINS; d++)
		{
			uint32_t	positives;

			if (count_rows(rows, N_TRAIN, ITEM, FIRST_ID + i, DOMAIN, FIRST_ID + d,
						   &positives) == 0)
				continue;
			CHECK(items->links[link] == FIRST_ID + d && items->counts[link] == positives);
			link++;
		}
		CHECK(link == items->link_start[i + 1]);
	}
	/* the last one is in one domain */
	CHECK(items->link_start[ITEMS] - items->link_start[ITEMS - 1] == 1);
}

/* The items of a user's last rows, the last one first, each once -> items; returns how many. */
static uint32_t
last_items(const EntityRows *rows, uint32_t user, uint32_t most, uint32_t *items)
{
	uint32_t	n = 0;

	for (size_t row = N_ROWS; row > 0 && n < most; row--)
	{
		uint32_t	id = rows->ids[row - 1][ITEM];
		bool		known = id < FIRST_ID || rows->ids[row - 1][USER] != user;

		for (uint32_t i = 0; i < n; i++)
			known |= items[i] == id;
		if (!known)
			items[n++] = id;
	}
	return n;
}

static void
check_users(const EntityRows *rows, const EntityTable *users, uint32_t most)
{
	static const uint32_t fields[] = {AGE};

	CHECK(users->kind == ENTITY_USERS && users->n == USERS && has_fields(users, 1, fields));
	CHECK(!users->counts);
	for (uint32_t u = 0; u < users->n; u++)
	{
		uint32_t	items[ITEMS];
		uint32_t	n = last_items(rows, FIRST_ID + u, most, items);
		uint64_t	end = users->link_start[u + 1];

		/* without a row there is no value */
		CHECK(users->values[u] == (u == USERS - 2 ? NULL_ID : FIRST_ID + (FIRST_ID + u) % VALUES));
		CHECK(end - users->link_start[u] == n && (n > 0) == (u != USERS - 2));
		for (uint32_t i = 0; i < n; i++)
			CHECK(users->links[end - 1 - i] == items[i]);
	}
}

static void
check_tables(const EntityRows *rows, const Entities *entities)
{
	check_items(rows, entities->items);
	check_users(rows, entities->users, 1000);
}

static void
test_tables(Arena *arena)
{
	EntityRows *rows = entity_rows(arena, 71);
	Entities	entities = entity_rows_build(arena, rows, bonds_by_rows, &no_entity_limits);

	check_tables(rows, &entities);
	CHECK(entity_number(entities.items, FIRST_ID) == 0);
	CHECK(entity_number(entities.items, FIRST_ID + ITEMS - 1) == ITEMS - 1);
	CHECK(entity_number(entities.items, FIRST_ID + ITEMS) == -1);
	CHECK(entity_number(entities.items, RARE_ID) == -1 && entity_number(NULL, FIRST_ID) == -1);
}

/* Bonds say otherwise of items; a column that rows often disagree on is nobody's. */
static void
test_bonds(Arena *arena)
{
	static const FieldBond bonds[N_COLUMNS] = {[BRAND] = BOND_ROW,[HOUR] = BOND_ITEM,
		[AGE] = BOND_ITEM};
	static const uint32_t fields[] = {AGE, HOUR, TAGS, VECTOR};
	static const uint32_t without_brand[] = {TAGS, VECTOR};
	EntityRows *rows = entity_rows(arena, 72);
	Entities	entities = entity_rows_build(arena, rows, bonds, &no_entity_limits);

	CHECK(has_fields(entities.items, 4, fields) && entities.users->n_fields == 0);
	/* every tenth row has another brand */
	for (size_t row = 0; row < N_ROWS; row += 10)
		rows->ids[row][BRAND] = FIRST_ID + row / 10 % VALUES;
	entities = entity_rows_build(arena, rows, bonds_by_rows, &no_entity_limits);
	CHECK(has_fields(entities.items, 2, without_brand));
	/* a column of one value goes with the item, not with both */
	for (size_t row = 0; row < N_ROWS; row++)
		rows->ids[row][HOUR] = NULL_ID;
	entities = entity_rows_build(arena, rows, bonds_by_rows, &no_entity_limits);
	CHECK(entities.items->n_fields == 3 && entities.items->fields[0] == HOUR);
	CHECK(entities.users->n_fields == 1 && entities.users->fields[0] == AGE);
}

/* Training rows of an item whose hour, or tags, are those of a row. */
static uint32_t
count_like(const EntityRows *rows, uint32_t item, size_t like, int field)
{
	const uint32_t *wanted;
	size_t		n_wanted = dataset_members(&rows->data, like, field, &wanted);
	uint32_t	n = 0;

	for (size_t row = 0; row < N_TRAIN; row++)
	{
		const uint32_t *members;
		size_t		n_members = dataset_members(&rows->data, row, field, &members);

		n += rows->ids[row][ITEM] == item && n_members == n_wanted &&
			memcmp(members, wanted, n_wanted * sizeof(uint32_t)) == 0;
	}
	return n;
}

/*
 * Most rows of an item with one value of a field -> *most; returns a row that has it, of as
 * many values the smallest.
 */
static size_t
find_mode(const EntityRows *rows, uint32_t item, int field, uint32_t *most)
{
	size_t		best = 0;

	*most = 0;
	for (size_t row = 0; row < N_TRAIN; row++)
	{
		uint32_t	n = rows->ids[row][ITEM] == item ? count_like(rows, item, row, field) : 0;

		if (n > *most || (n == *most && rows->ids[row][field] < rows->ids[best][field]))
			best = row;
		*most = n > *most ? n : *most;
	}
	return best;
}

/* Rows of an item that have the list of the table. */
static uint32_t
count_list(const EntityRows *rows, uint32_t item, const EntityTable *items, uint32_t list)
{
	uint32_t	n = 0;

	for (size_t row = 0; row < N_TRAIN; row++)
	{
		const uint32_t *members;
		size_t		n_members = dataset_members(&rows->data, row, TAGS, &members);

		n += rows->ids[row][ITEM] == item && same_list(items, list, members, (uint32_t) n_members);
	}
	return n;
}

/* Where no value has more than half of the rows, the one with the most is kept. */
static void
test_modes(Arena *arena)
{
	static const FieldBond bonds[N_COLUMNS] = {[HOUR] = BOND_ITEM,[TAGS] = BOND_ITEM};
	EntityRows *rows = entity_rows(arena, 77);
	const EntityTable *items;
	int			divided = 0;

	/* other lists, of which some have the same members */
	for (size_t row = 0; row < N_ROWS; row++)
		rows->ids[row][TAGS] = 2 * (row * 7 % 13);
	items = entity_rows_build(arena, rows, bonds, &no_entity_limits).items;
	CHECK(items->n_fields == 4 && items->fields[1] == HOUR && items->fields[2] == TAGS);
	for (uint32_t i = 0; i < items->n; i++)
	{
		uint32_t	item = FIRST_ID + i;
		uint32_t	positives;
		uint32_t	most;
		size_t		row = find_mode(rows, item, HOUR, &most);

		CHECK(items->values[i * 4 + 1] == rows->ids[row][HOUR]);
		divided += 2 * most < count_rows(rows, N_TRAIN, ITEM, item, 0, 0, &positives);
		find_mode(rows, item, TAGS, &most);
		CHECK(count_list(rows, item, items, items->values[i * 4 + 2]) == most);
	}
	CHECK(divided > ITEMS / 2);
}

/* Of the first n users those with more than so many items. */
static uint32_t
count_cut(const EntityRows *rows, uint32_t n, uint32_t most)
{
	uint32_t	cut = 0;

	for (uint32_t u = 0; u < n; u++)
	{
		uint32_t	items[ITEMS];

		cut += last_items(rows, FIRST_ID + u, ITEMS, items) > most;
	}
	return cut;
}

static void
test_limits(Arena *arena)
{
	EntityRows *rows = entity_rows(arena, 73);
	EntityLimits limits = no_entity_limits;
	Entities	all = entity_rows_build(arena, rows, bonds_by_rows, &limits);
	Entities	some;

	CHECK(all.cut_users == 0);
	limits.links = 7;
	some = entity_rows_build(arena, rows, bonds_by_rows, &limits);
	check_users(rows, some.users, 7);
	CHECK(some.cut_users == count_cut(rows, some.users->n, 7) && some.cut_users > 0);
	limits = (EntityLimits) {.items = 9,.users = 0,.links = 10,.bytes = 1 << 24};
	some = entity_rows_build(arena, rows, bonds_by_rows, &limits);
	CHECK(!some.users && some.items->n == 9);
	CHECK(memcmp(some.items->links, all.items->links,
				 all.items->link_start[9] * sizeof(uint32_t)) == 0);
	limits = (EntityLimits) {.items = 0,.users = 3,.links = 0,.bytes = 1 << 24};
	some = entity_rows_build(arena, rows, bonds_by_rows, &limits);
	CHECK(!some.items && some.users->n == 3 && some.users->link_start[3] == 0);
	/* bytes are what the first ones take */
	limits = no_entity_limits;
	limits.bytes = 1000;
	some = entity_rows_build(arena, rows, bonds_by_rows, &limits);
	CHECK(some.items->n > 5 && some.items->n < ITEMS && some.items->n_bytes < 1000 + 300);
	CHECK(some.users->n > 2 && some.users->n < USERS && some.users->n_bytes < 1000 + 300);
	limits.links = 7;
	some = entity_rows_build(arena, rows, bonds_by_rows, &limits);
	CHECK(some.users->n < USERS && some.cut_users == count_cut(rows, some.users->n, 7));
	limits = (EntityLimits) {.bytes = 1 << 24};
	some = entity_rows_build(arena, rows, bonds_by_rows, &limits);
	CHECK(!some.items && !some.users);
}

static bool
stops(void *context)
{
	Failing    *failing = context;

	return ++failing->calls > failing->most;
}

/* Long vectors make the work that a host is asked about. */
static void
test_cancel(Arena *arena)
{
	EntityRows *rows = entity_rows(arena, 74);
	EngineHost	host = toy_host();
	Failing		failing = {.most = 0};
	int			stopped = 0;

	host.interrupted = stops;
	host.context = &failing;
	for (bool done = false; !done && failing.most < 100; failing.most++)
	{
		struct ArenaBlock *mark = arena_mark(arena);
		EngineError error = {0};
		Entities	entities;

		failing.calls = 0;
		done = entity_rows_try(arena, rows, bonds_by_rows, &no_entity_limits, &host, &entities,
							   &error);
		CHECK(done || error.code == ENGINE_INTERRUPTED);
		if (done)
			check_tables(rows, &entities);
		stopped += !done;
		arena_reset_to(arena, mark);
	}
	CHECK(stopped > 0 && failing.most < 100);
}

/* Whichever allocation fails is an error. */
static void
test_memory(Arena *arena)
{
	EntityRows *rows = entity_rows(arena, 75);
	EngineHost	host = toy_host();
	Failing		failing = {.most = 0};

	for (bool done = false; !done; failing.most++)
	{
		EngineError error = {0};
		Entities	entities;
		Arena		small;
		Arena		scratch;

		failing.calls = 0;
		arena_init(&small, scarce, give_back, &failing);
		arena_init(&scratch, scarce, give_back, &failing);
		done = entities_build(&small, &scratch, &rows->data, N_COLUMNS, bonds_by_rows,
							  &no_entity_limits, &host, &entities, &error);
		CHECK(done || error.code == ENGINE_OUT_OF_MEMORY);
		if (done)
			check_tables(rows, &entities);
		arena_free_all(&small);
		arena_free_all(&scratch);
	}
	CHECK(failing.most > 20);
}

int
main(void)
{
	Arena		arena;

	arena_init_malloc(&arena);
	test_tables(&arena);
	test_bonds(&arena);
	test_modes(&arena);
	test_limits(&arena);
	test_cancel(&arena);
	test_memory(&arena);
	arena_free_all(&arena);
	return unit_summary();
}
