/*
 * test_entities.c
 *	  Tables of items and users: what goes with them, counted again in plain loops,
 *	  limits, the stored form, damage.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/entities/entity_build.h"
#include "failing.h"
#include "pick.h"
#include "toy.h"
#include "unit.h"

enum
{
	DOMAIN, USER, ITEM, BRAND, AGE, HOUR, TAGS, VECTOR, COUNTS, N_FIELDS
};

#define N_COLUMNS COUNTS
#define N_ROWS 3000
#define DOMAINS 4
#define USERS 50
#define ITEMS 40
#define VALUES 6
#define LENGTH 3				/* of the vectors */

static uint32_t table_rows[N_FIELDS] = {FIRST_ID + DOMAINS, FIRST_ID + USERS, FIRST_ID + ITEMS,
	FIRST_ID + VALUES, FIRST_ID + VALUES, FIRST_ID + VALUES, FIRST_ID + VALUES, FIRST_ID + LENGTH,
	FIRST_ID + VALUES};
static uint32_t field_table[N_FIELDS] = {0, 1, 2, 3, 4, 5, 6, 7, 8};
static bool is_list[N_FIELDS] = {[TAGS] = true,[VECTOR] = true};
static bool is_dense[N_FIELDS] = {[VECTOR] = true};

typedef struct Rows
{
	Dataset		data;
	uint32_t	ids[N_ROWS][N_FIELDS];
	uint8_t		labels[N_ROWS];
	uint64_t	list_start[2 * N_ROWS + 1];
	uint32_t	members[2 * N_ROWS * (LENGTH + 1)];
} Rows;

static void
add_list(Rows *rows, size_t row, int field, const uint32_t *members, int n)
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

/* An item's tags and vector follow from its number. */
static uint32_t
tags_of(uint32_t item, uint32_t *members)
{
	for (uint32_t i = 0; i < item % 3; i++)
		members[i] = FIRST_ID + (item + i) % VALUES;
	return item % 3;
}

static uint32_t
vector_of(uint32_t item, uint32_t *members)
{
	members[0] = item % 5 == 0 ? NULL_ID : UNSEEN_ID;
	for (int i = 0; i < LENGTH; i++)
		members[1 + i] = bits_of((float) item / (i + 1));
	return item % 5 == 0 ? 1 : LENGTH + 1;
}

/*
 * Brand, tags and vector go with the item, a row in 50 has another brand; age goes
 * with the user; the hour with nothing.  Counts, which are no column, go with the
 * user.  Some ids are no entity's.
 */
static Rows *
draw_rows(Arena *arena, uint64_t seed)
{
	Rows	   *rows = ARENA_ARRAY(arena, Rows, 1);
	Random		random;

	random_start(&random, seed, RANDOM_NEGATIVES, 0);
	for (size_t row = 0; row < N_ROWS; row++)
	{
		uint32_t   *ids = rows->ids[row];
		uint32_t	members[LENGTH + 1];

		ids[DOMAIN] = FIRST_ID + up_to(&random, DOMAINS - 1);
		ids[USER] = up_to(&random, USERS + FIRST_ID - 1);
		ids[ITEM] = up_to(&random, ITEMS + FIRST_ID - 1);
		/* the last item is in one domain alone, and none of the rows has the user before the last */
		if (ids[ITEM] == FIRST_ID + ITEMS - 1)
			ids[DOMAIN] = FIRST_ID + 1;
		if (ids[USER] == FIRST_ID + USERS - 2)
			ids[USER] = UNSEEN_ID;
		ids[BRAND] = FIRST_ID + (row % 50 == 0 ? (uint32_t) up_to(&random, VALUES - 1) : ids[ITEM] % VALUES);
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
		.split_start = {0, N_ROWS - 600, N_ROWS - 300, N_ROWS},
		.ids = rows->ids[0],.labels = rows->labels,.list_start = rows->list_start,
		.list_members = rows->members
	};
	return rows;
}

static const FieldBond by_rows[N_COLUMNS];
static const EntityLimits no_limits = {.items = 1000,.users = 1000,.links = 1000,.bytes = 1 << 24};

static bool
try_build(Arena *arena, const Rows *rows, const FieldBond *bonds, const EntityLimits *limits,
		  const EngineHost *host, Entities *entities, EngineError *error)
{
	Arena		scratch;
	bool		ok;

	arena_init_malloc(&scratch);
	ok = entities_build(arena, &scratch, &rows->data, N_COLUMNS, bonds, limits, host, entities,
						error);
	arena_free_all(&scratch);
	return ok;
}

static Entities
build(Arena *arena, const Rows *rows, const FieldBond *bonds, const EntityLimits *limits)
{
	EngineHost	host = toy_host();
	Entities	entities = {0};
	EngineError error;

	CHECK(try_build(arena, rows, bonds, limits, &host, &entities, &error));
	return entities;
}

static bool
has_fields(const EntityTable *table, int n, const uint32_t *fields)
{
	return table->n_fields == (uint32_t) n && memcmp(table->fields, fields, n * sizeof(uint32_t)) == 0;
}

static bool
same_list(const EntityTable *table, uint32_t list, const uint32_t *members, uint32_t n)
{
	return table->list_start[list + 1] - table->list_start[list] == n &&
		memcmp(table->list_members + table->list_start[list], members, n * sizeof(uint32_t)) == 0;
}

/* Rows up to "to" of an entity, and another id in another field (0: any); *positives. */
static uint32_t
count_rows(const Rows *rows, size_t to, int field, uint32_t id, int other, uint32_t other_id,
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
check_items(const Rows *rows, const EntityTable *items)
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

			if (count_rows(rows, N_ROWS - 600, ITEM, FIRST_ID + i, DOMAIN, FIRST_ID + d,
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

/* The latest distinct items of a user, the last one first -> items; returns how many. */
static uint32_t
latest_items(const Rows *rows, uint32_t user, uint32_t most, uint32_t *items)
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
check_users(const Rows *rows, const EntityTable *users, uint32_t most)
{
	static const uint32_t fields[] = {AGE};

	CHECK(users->kind == ENTITY_USERS && users->n == USERS && has_fields(users, 1, fields));
	CHECK(!users->counts);
	for (uint32_t u = 0; u < users->n; u++)
	{
		uint32_t	items[ITEMS];
		uint32_t	n = latest_items(rows, FIRST_ID + u, most, items);
		uint64_t	end = users->link_start[u + 1];

		/* without a row there is no value */
		CHECK(users->values[u] == (u == USERS - 2 ? NULL_ID : FIRST_ID + (FIRST_ID + u) % VALUES));
		CHECK(end - users->link_start[u] == n && (n > 0) == (u != USERS - 2));
		for (uint32_t i = 0; i < n; i++)
			CHECK(users->links[end - 1 - i] == items[i]);
	}
}

static void
test_tables(Arena *arena)
{
	Rows	   *rows = draw_rows(arena, 71);
	Entities	entities = build(arena, rows, by_rows, &no_limits);

	check_items(rows, entities.items);
	check_users(rows, entities.users, 1000);
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
	Rows	   *rows = draw_rows(arena, 72);
	Entities	entities = build(arena, rows, bonds, &no_limits);

	CHECK(has_fields(entities.items, 4, fields) && entities.users->n_fields == 0);
	/* every tenth row has another brand */
	for (size_t row = 0; row < N_ROWS; row += 10)
		rows->ids[row][BRAND] = FIRST_ID + row / 10 % VALUES;
	entities = build(arena, rows, by_rows, &no_limits);
	CHECK(has_fields(entities.items, 2, without_brand));
	/* a column of one value goes with the item, not with both */
	for (size_t row = 0; row < N_ROWS; row++)
		rows->ids[row][HOUR] = NULL_ID;
	entities = build(arena, rows, by_rows, &no_limits);
	CHECK(entities.items->n_fields == 3 && entities.items->fields[0] == HOUR);
	CHECK(entities.users->n_fields == 1 && entities.users->fields[0] == AGE);
}

/* Training rows of an item whose hour, or tags, are those of a row. */
static uint32_t
count_like(const Rows *rows, uint32_t item, size_t like, int field)
{
	const uint32_t *wanted;
	size_t		n_wanted = dataset_members(&rows->data, like, field, &wanted);
	uint32_t	n = 0;

	for (size_t row = 0; row < N_ROWS - 600; row++)
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
find_mode(const Rows *rows, uint32_t item, int field, uint32_t *most)
{
	size_t		best = 0;

	*most = 0;
	for (size_t row = 0; row < N_ROWS - 600; row++)
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
count_list(const Rows *rows, uint32_t item, const EntityTable *items, uint32_t list)
{
	uint32_t	n = 0;

	for (size_t row = 0; row < N_ROWS - 600; row++)
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
	Rows	   *rows = draw_rows(arena, 77);
	const EntityTable *items;
	int			divided = 0;

	/* other lists, of which some have the same members */
	for (size_t row = 0; row < N_ROWS; row++)
		rows->ids[row][TAGS] = 2 * (row * 7 % 13);
	items = build(arena, rows, bonds, &no_limits).items;
	CHECK(items->n_fields == 4 && items->fields[1] == HOUR && items->fields[2] == TAGS);
	for (uint32_t i = 0; i < items->n; i++)
	{
		uint32_t	item = FIRST_ID + i;
		uint32_t	positives;
		uint32_t	most;
		size_t		row = find_mode(rows, item, HOUR, &most);

		CHECK(items->values[i * 4 + 1] == rows->ids[row][HOUR]);
		divided += 2 * most < count_rows(rows, N_ROWS - 600, ITEM, item, 0, 0, &positives);
		find_mode(rows, item, TAGS, &most);
		CHECK(count_list(rows, item, items, items->values[i * 4 + 2]) == most);
	}
	CHECK(divided > ITEMS / 2);
}

static void
test_limits(Arena *arena)
{
	Rows	   *rows = draw_rows(arena, 73);
	EntityLimits limits = no_limits;
	Entities	all = build(arena, rows, by_rows, &limits);
	Entities	some;

	limits.links = 7;
	check_users(rows, build(arena, rows, by_rows, &limits).users, 7);
	limits = (EntityLimits) {.items = 9,.users = 0,.links = 10,.bytes = 1 << 24};
	some = build(arena, rows, by_rows, &limits);
	CHECK(!some.users && some.items->n == 9);
	CHECK(memcmp(some.items->links, all.items->links, all.items->link_start[9] * sizeof(uint32_t)) == 0);
	limits = (EntityLimits) {.items = 0,.users = 3,.links = 0,.bytes = 1 << 24};
	some = build(arena, rows, by_rows, &limits);
	CHECK(!some.items && some.users->n == 3 && some.users->link_start[3] == 0);
	/* bytes are what the first ones take */
	limits = no_limits;
	limits.bytes = 1000;
	some = build(arena, rows, by_rows, &limits);
	CHECK(some.items->n > 5 && some.items->n < ITEMS && some.items->n_bytes < 1000 + 300);
	CHECK(some.users->n > 2 && some.users->n < USERS && some.users->n_bytes < 1000 + 300);
	limits = (EntityLimits) {.bytes = 1 << 24};
	some = build(arena, rows, by_rows, &limits);
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
	Rows	   *rows = draw_rows(arena, 74);
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
		done = try_build(arena, rows, by_rows, &no_limits, &host, &entities, &error);
		CHECK(done || error.code == ENGINE_INTERRUPTED);
		stopped += !done;
		arena_reset_to(arena, mark);
	}
	CHECK(stopped > 0 && failing.most < 100);
}

/* Whichever allocation fails is an error. */
static void
test_memory(Arena *arena)
{
	Rows	   *rows = draw_rows(arena, 75);
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
		done = entities_build(&small, &scratch, &rows->data, N_COLUMNS, by_rows, &no_limits, &host,
							  &entities, &error);
		CHECK(done || error.code == ENGINE_OUT_OF_MEMORY);
		arena_free_all(&small);
		arena_free_all(&scratch);
	}
	CHECK(failing.most > 20);
}

static bool
same_table(const EntityTable *a, const EntityTable *b)
{
	return a->kind == b->kind && a->n == b->n && a->n_fields == b->n_fields &&
		a->n_bytes == b->n_bytes && memcmp(a->bytes, b->bytes, a->n_bytes) == 0;
}

/* All that scoring would look at is within bounds. */
static void
walk(const Shape *shape, const EntityTable *table)
{
	uint64_t	sum = 0;
	uint32_t	linked = table_rows[entity_linked_field(shape, table->kind)];

	for (uint32_t i = 0; i < table->n; i++)
	{
		for (uint32_t k = 0; k < table->n_fields; k++)
		{
			uint32_t	f = table->fields[k];
			uint32_t	value = table->values[i * table->n_fields + k];

			CHECK(is_list[f] || value < table_rows[f]);
			for (uint64_t m = is_list[f] ? table->list_start[value] : 0;
				 is_list[f] && m < table->list_start[value + 1]; m++)
				CHECK(is_dense[f] ? m == table->list_start[value] || isfinite(vector_number(table->list_members[m])) :
					  table->list_members[m] < table_rows[f]);
		}
		for (uint64_t l = table->link_start[i]; l < table->link_start[i + 1]; l++)
		{
			CHECK(table->links[l] >= FIRST_ID && table->links[l] < linked);
			sum += table->counts ? table->counts[l] : 0;
		}
	}
	CHECK(sum < UINT64_MAX);
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
		walk(shape, table);
	free(copy);
	arena_reset_to(arena, mark);
	return !table;
}

static void
test_stored(Arena *arena, const Rows *rows, const EntityTable *table)
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
	walk(&rows->data.shape, again);
}

static void
test_damaged(Arena *arena, const Rows *rows, const EntityTable *table)
{
	static const uint32_t words[] = {0, 1, 2, 3, 7, 1000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x7FC00000};
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
	CHECK(is_refused(arena, shape, table->kind == ENTITY_ITEMS ? ENTITY_USERS : ENTITY_ITEMS, bytes, n));
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

int
main(void)
{
	Arena		arena;
	Rows	   *rows;
	Entities	entities;

	arena_init_malloc(&arena);
	test_tables(&arena);
	test_bonds(&arena);
	test_modes(&arena);
	test_limits(&arena);
	test_cancel(&arena);
	test_memory(&arena);
	rows = draw_rows(&arena, 76);
	entities = build(&arena, rows, by_rows, &no_limits);
	test_stored(&arena, rows, entities.items);
	test_stored(&arena, rows, entities.users);
	test_damaged(&arena, rows, entities.items);
	test_damaged(&arena, rows, entities.users);
	arena_free_all(&arena);
	return unit_summary();
}
