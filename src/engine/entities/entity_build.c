/*
 * entity_build.c
 *	  Tables of a model's items and users, out of the rows that it is trained on.
 *
 * For each of the two: fields are chosen by how often an entity's rows agree on
 * them; rows of each entity are put together; its value of a field is the one that most
 * of them have, found by sorting them; its links come from a walk over its rows.
 * Entities are added until a limit is met.  The table is then packed into one block.
 *
 * Memory: some words for each row and each value, in the scratch arena.
 */
#include "engine/entities/entity_build.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/search.h"
#include "engine/base/sort.h"
#include "engine/data/row_key.h"

/* Share of an entity's rows that have the value of the one before them, of what goes with it. */
#define LEAST_SAME 0.95

typedef struct Builder
{
	Arena	   *scratch;
	const Dataset *data;
	Watch		watch;
	EntityTable table;			/* its arrays grow as entities are added */
	int			owner;			/* field whose ids entities are */
	int			linked;
	size_t		n_rows;			/* the rows that links are of: from the first one on */
	uint32_t   *fields;			/* [table.n_fields] */
	/* rows of each entity: rows[start[i] .. start[i + 1] - 1], ascending */
	uint64_t   *start;			/* [n + 1] */
	uint32_t   *rows;
	uint32_t   *winner;			/* [n, n_fields] a row whose value it is, plus 1; 0: no training row */
	uint32_t   *values;
	uint64_t   *list_start;
	uint32_t   *list_members;
	uint64_t   *link_start;
	uint32_t   *links;
	uint32_t   *counts;
	uint32_t   *seen;			/* [rows of the linked table] entity that met the id last, plus 1 */
	uint32_t   *met;			/* [the same] positive rows of the entity at hand */
	uint32_t	cut;			/* entities with more links than wanted */
} Builder;

/* goes [n_columns]: does a field go with that kind of entity? */
static bool
choose_fields(Arena *scratch, const Dataset *data, int n_columns, const FieldBond *bonds,
			  const EngineHost *host, bool *goes_with_item, bool *goes_with_user,
			  EngineError *error)
{
	const Shape *shape = &data->shape;
	double	   *by_item = ARENA_ARRAY(scratch, double, shape->n_fields);
	double	   *by_user = ARENA_ARRAY(scratch, double, shape->n_fields);

	if (!arena_ok(scratch, error) ||
		!measure_agreement(scratch, data, NULL, host, shape->item_field, by_item, error) ||
		!measure_agreement(scratch, data, NULL, host, shape->user_field, by_user, error))
		return false;
	for (int f = 0; f < n_columns; f++)
	{
		if (f == shape->domain_field || f == shape->user_field || f == shape->item_field)
			continue;
		goes_with_item[f] = bonds[f] == BOND_ITEM ||
			(bonds[f] == BOND_BY_ROWS && by_item[f] >= LEAST_SAME && by_item[f] >= by_user[f]);
		goes_with_user[f] = !goes_with_item[f] && by_user[f] >= LEAST_SAME;
	}
	return true;
}

/* Entity of a row; -1: none of the table's. */
static int64_t
entity_of(const Builder *builder, size_t row)
{
	return entity_number(&builder->table, dataset_id(builder->data, row, builder->owner));
}

/* Rows of each entity, side by side: those that links are of. */
static bool
group_rows(Builder *builder, EngineError *error)
{
	uint32_t	n = builder->table.n;

	builder->start = ARENA_ARRAY(builder->scratch, uint64_t, (size_t) n + 2);
	if (!arena_ok(builder->scratch, error))
		return false;
	for (size_t row = 0; row < builder->n_rows && !watch_worked(&builder->watch, 1); row++)
	{
		int64_t		i = entity_of(builder, row);

		if (i >= 0)
			builder->start[i + 2]++;
	}
	for (uint32_t i = 0; i < n; i++)
		builder->start[i + 2] += builder->start[i + 1];
	builder->rows = ARENA_ARRAY(builder->scratch, uint32_t, builder->start[n + 1]);
	if (!arena_ok(builder->scratch, error))
		return false;
	/* start[i + 1] runs from where entity i begins to where it ends */
	for (size_t row = 0; row < builder->n_rows && !watch_worked(&builder->watch, 1); row++)
	{
		int64_t		i = entity_of(builder, row);

		if (i >= 0)
			builder->rows[builder->start[i + 1]++] = row;
	}
	return watch_continue(&builder->watch, error);
}

/* Training rows of an entity, which are the first of its rows. */
static uint64_t
training_rows(const Builder *builder, uint32_t i)
{
	uint32_t	end = (uint32_t) builder->data->split_start[SPLIT_VALID];

	return sorted_place(builder->rows, builder->start[i], builder->start[i + 1], end) -
		builder->start[i];
}

/* Room for the training rows of one entity. */
typedef struct VoteRoom
{
	uint64_t   *keys;
	uint32_t   *rows;
	SortRoom	sort;
} VoteRoom;

/* The row whose value most training rows have; of as many values the one of the smallest key. */
static bool
vote(Builder *builder, uint32_t i, uint32_t k, VoteRoom *room, EngineError *error)
{
	const Dataset *data = builder->data;
	int			field = (int) builder->fields[k];
	uint64_t	n = training_rows(builder, i);
	uint64_t	most = 0;
	uint64_t	first = 0;

	for (uint64_t r = 0; r < n; r++)
	{
		room->rows[r] = builder->rows[builder->start[i] + r];
		room->keys[r] = value_key(data, room->rows[r], field, &builder->watch);
	}
	if (!sort_keys(room->keys, room->rows, n, &room->sort, builder->watch.host, error))
		return false;
	for (uint64_t r = 0; r < n; r++)
	{
		if (room->keys[r] != room->keys[first] ||
			!same_value(data, room->rows[r], room->rows[first], field, &builder->watch))
			first = r;
		if (r + 1 - first <= most)
			continue;
		most = r + 1 - first;
		builder->winner[(size_t) i * builder->table.n_fields + k] = room->rows[first] + 1;
	}
	return !watch_worked(&builder->watch, n + 1) || watch_continue(&builder->watch, error);
}

static bool
vote_all(Builder *builder, EngineError *error)
{
	const EntityTable *table = &builder->table;
	struct ArenaBlock *mark;
	VoteRoom	room;
	uint64_t	most = 0;

	for (uint32_t i = 0; i < table->n; i++)
	{
		uint64_t	n = training_rows(builder, i);

		most = n > most ? n : most;
	}
	builder->winner = ARENA_ARRAY(builder->scratch, uint32_t, (size_t) table->n * table->n_fields);
	mark = arena_mark(builder->scratch);
	room.keys = ARENA_ARRAY(builder->scratch, uint64_t, most);
	room.rows = ARENA_ARRAY(builder->scratch, uint32_t, most);
	if (!arena_ok(builder->scratch, error) ||
		!sort_room(&room.sort, builder->scratch, most, true, error))
		return false;
	for (uint32_t i = 0; i < table->n; i++)
		for (uint32_t k = 0; k < table->n_fields; k++)
			if (!vote(builder, i, k, &room, error))
				return false;
	arena_reset_to(builder->scratch, mark);
	return true;
}

/* Members of an entity's value of a list field; without a training row it is missing. */
static size_t
winning_members(const Builder *builder, uint32_t i, uint32_t k, const uint32_t **members)
{
	static const uint32_t missing = NULL_ID;
	uint32_t	winner = builder->winner[(size_t) i * builder->table.n_fields + k];

	if (winner > 0)
		return dataset_members(builder->data, winner - 1, (int) builder->fields[k], members);
	*members = &missing;
	return 1;
}

static bool
is_list(const Builder *builder, uint32_t k)
{
	return builder->data->shape.field_is_list[builder->fields[k]];
}

/* Bytes of an entity's values, its lists' members included. */
static size_t
value_bytes(const Builder *builder, uint32_t i)
{
	size_t		bytes = builder->table.n_fields * sizeof(uint32_t);
	const uint32_t *members;

	for (uint32_t k = 0; k < builder->table.n_fields; k++)
		if (is_list(builder, k))
			bytes += sizeof(uint64_t) +
				winning_members(builder, i, k, &members) * sizeof(uint32_t);
	return bytes;
}

/* Room for values of n entities. */
static bool
allocate_values(Builder *builder, EngineError *error)
{
	const EntityTable *table = &builder->table;
	uint64_t	n_members = 0;
	uint32_t	n_lists = 0;
	const uint32_t *members;

	for (uint32_t k = 0; k < table->n_fields; k++)
		for (uint32_t i = 0; is_list(builder, k) && i < table->n; i++)
		{
			n_members += winning_members(builder, i, k, &members);
			n_lists++;
		}
	builder->values = ARENA_ARRAY(builder->scratch, uint32_t, (size_t) table->n * table->n_fields);
	builder->list_start = ARENA_ARRAY(builder->scratch, uint64_t, (size_t) n_lists + 1);
	builder->list_members = ARENA_ARRAY(builder->scratch, uint32_t, n_members);
	return arena_ok(builder->scratch, error);
}

static bool
place_values(Builder *builder, EngineError *error)
{
	EntityTable *table = &builder->table;

	if (!allocate_values(builder, error))
		return false;
	for (uint32_t i = 0; i < table->n; i++)
		for (uint32_t k = 0; k < table->n_fields; k++)
		{
			size_t		at = (size_t) i * table->n_fields + k;
			uint64_t	start = builder->list_start[table->n_lists];
			const uint32_t *members;
			size_t		n = winning_members(builder, i, k, &members);

			if (watch_worked(&builder->watch, n))
				return watch_continue(&builder->watch, error);
			if (!is_list(builder, k))
			{
				builder->values[at] = members[0];
				continue;
			}
			memcpy(builder->list_members + start, members, n * sizeof(uint32_t));
			builder->values[at] = table->n_lists++;
			builder->list_start[table->n_lists] = start + n;
		}
	return true;
}

static int
compare_ids(const void *a, const void *b)
{
	uint32_t	x = *(const uint32_t *) a;
	uint32_t	y = *(const uint32_t *) b;

	return (x > y) - (x < y);
}

/* Is the id new to entity i? */
static bool
meet(Builder *builder, uint32_t i, uint32_t id)
{
	if (id < FIRST_ID || builder->seen[id] == i + 1)
		return false;
	builder->seen[id] = i + 1;
	builder->met[id] = 0;
	return true;
}

/* An item's domains, and its positive rows in each. */
static void
link_item(Builder *builder, uint32_t i)
{
	uint64_t	first = builder->link_start[i];
	uint64_t	n = first;

	for (uint64_t r = builder->start[i]; r < builder->start[i + 1]; r++)
	{
		uint32_t	row = builder->rows[r];
		uint32_t	id = dataset_id(builder->data, row, builder->linked);

		if (meet(builder, i, id))
			builder->links[n++] = id;
		if (id >= FIRST_ID)
			builder->met[id] += builder->data->labels[row];
	}
	qsort(builder->links + first, n - first, sizeof(uint32_t), compare_ids);
	for (uint64_t l = first; l < n; l++)
		builder->counts[l] = builder->met[builder->links[l]];
	builder->link_start[i + 1] = n;
}

/*
 * A user's items, each once, in the order of their last rows; of more than wanted the last ones,
 * and he is cut.
 */
static void
link_user(Builder *builder, uint32_t i, uint32_t most)
{
	uint64_t	first = builder->link_start[i];
	uint64_t	n = 0;

	for (uint64_t r = builder->start[i + 1]; r > builder->start[i]; r--)
	{
		uint32_t	id = dataset_id(builder->data, builder->rows[r - 1], builder->linked);

		if (!meet(builder, i, id))
			continue;
		if (n == most)
		{
			builder->cut++;
			break;
		}
		builder->links[first + n++] = id;
	}
	for (uint64_t k = 0; k < n / 2; k++)
	{
		uint32_t	id = builder->links[first + k];

		builder->links[first + k] = builder->links[first + n - 1 - k];
		builder->links[first + n - 1 - k] = id;
	}
	builder->link_start[i + 1] = first + n;
}

/*
 * Links of one entity after the other, until the limits are met: table.n becomes how many
 * they are.
 */
static bool
place_links(Builder *builder, const EntityLimits *limits, EngineError *error)
{
	EntityTable *table = &builder->table;
	bool		of_items = table->kind == ENTITY_ITEMS;
	uint32_t	n_linked = shape_rows(&builder->data->shape, builder->linked);
	uint64_t	n_links = builder->start[table->n];
	size_t		bytes = 0;
	uint32_t	n;

	builder->link_start = ARENA_ARRAY(builder->scratch, uint64_t, (size_t) table->n + 1);
	builder->links = ARENA_ARRAY(builder->scratch, uint32_t, n_links);
	builder->counts = of_items ? ARENA_ARRAY(builder->scratch, uint32_t, n_links) : NULL;
	builder->seen = ARENA_ARRAY(builder->scratch, uint32_t, n_linked);
	builder->met = ARENA_ARRAY(builder->scratch, uint32_t, n_linked);
	if (!arena_ok(builder->scratch, error))
		return false;
	for (n = 0; n < table->n; n++)
	{
		uint32_t	cut = builder->cut;

		if (watch_worked(&builder->watch, builder->start[n + 1] - builder->start[n] + 1))
			return watch_continue(&builder->watch, error);
		if (of_items)
			link_item(builder, n);
		else
			link_user(builder, n, limits->links);
		bytes += value_bytes(builder, n) + sizeof(uint64_t) +
			(builder->link_start[n + 1] - builder->link_start[n]) * sizeof(uint32_t) *
			(of_items ? 2 : 1);
		if (bytes > limits->bytes)
		{
			builder->cut = cut;
			break;
		}
	}
	table->n = n;
	return true;
}

/* The table of one kind; goes [n_columns]; cut (NULL: not wanted): entities with more links than kept. */
static EntityTable *
build_table(Arena *arena, Arena *scratch, const Dataset *data, EntityKind kind, uint32_t most,
			int n_columns, const bool *goes, const EntityLimits *limits, const EngineHost *host,
			uint32_t *cut, EngineError *error)
{
	struct ArenaBlock *mark = arena_mark(scratch);
	Builder		builder = {.scratch = scratch,.data = data,.watch = {.host = host},
		.owner = entity_field(&data->shape, kind),
		.linked = entity_linked_field(&data->shape, kind),
		.n_rows = data->split_start[kind == ENTITY_ITEMS ? SPLIT_VALID : 3],
		.fields = ARENA_ARRAY(scratch, uint32_t, n_columns)
	};
	EntityTable *table = &builder.table;
	EntityTable *packed;
	uint32_t	n = shape_rows(&data->shape, builder.owner) - FIRST_ID;

	if (!arena_ok(scratch, error))
		return NULL;
	table->kind = kind;
	table->n = n < most ? n : most;
	for (int f = 0; f < n_columns; f++)
		if (goes[f])
			builder.fields[table->n_fields++] = f;
	if (!group_rows(&builder, error) || !vote_all(&builder, error) ||
		!place_links(&builder, limits, error) || !place_values(&builder, error))
		return NULL;
	table->fields = builder.fields;
	table->values = builder.values;
	table->list_start = builder.list_start;
	table->list_members = builder.list_members;
	table->link_start = builder.link_start;
	table->links = builder.links;
	table->counts = builder.counts;
	if (cut)
		*cut = builder.cut;
	packed = entity_table_pack(arena, table, error);
	arena_reset_to(scratch, mark);
	return packed;
}

bool
entities_build(Arena *arena, Arena *scratch, const Dataset *data, int n_columns,
			   const FieldBond *bonds, const EntityLimits *limits, const EngineHost *host,
			   Entities *entities, EngineError *error)
{
	bool	   *with_item = ARENA_ARRAY(scratch, bool, n_columns);
	bool	   *with_user = ARENA_ARRAY(scratch, bool, n_columns);

	*entities = (Entities) {0};
	if (limits->items == 0 && limits->users == 0)
		return true;
	if (!arena_ok(scratch, error) ||
		!choose_fields(scratch, data, n_columns, bonds, host, with_item, with_user, error))
		return false;
	if (limits->items > 0 &&
		!(entities->items = build_table(arena, scratch, data, ENTITY_ITEMS, limits->items,
										n_columns, with_item, limits, host, NULL, error)))
		return false;
	return limits->users == 0 ||
		(entities->users = build_table(arena, scratch, data, ENTITY_USERS, limits->users,
									   n_columns, with_user, limits, host,
									   &entities->cut_users, error)) != NULL;
}
