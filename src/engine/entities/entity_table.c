/*
 * entity_table.c
 *	  Tables of items and users to bytes and back.
 *
 * Reading: sizes are checked against the block before anything is looked at, then
 * fields against the model's shape, and then whatever is used as an index.  A list
 * is one value's, so that checking takes no longer than reading.
 */
#include "engine/entities/entity_table.h"

#include <string.h>

#include "engine/base/block.h"

const char *const entity_kind_names[N_ENTITY_KINDS] = {
	[ENTITY_ITEMS] = "items",[ENTITY_USERS] = "users",[ENTITY_HISTORIES] = "histories",
	[ENTITY_DISLIKES] = "dislikes",[ENTITY_SIDES] = "sides"
};

/* Another layout is another number. */
#define LAYOUT 1

typedef struct StoredHeader
{
	uint32_t	layout;
	uint32_t	kind;
	uint32_t	n;
	uint32_t	n_fields;
	uint32_t	n_lists;
	uint32_t	unused;			/* 0 */
	uint64_t	n_members;
	uint64_t	n_links;
} StoredHeader;

static void
put_table(const EntityTable *table, BlockWriter *writer)
{
	StoredHeader header = {
		.layout = LAYOUT,.kind = table->kind,.n = table->n,.n_fields = table->n_fields,
		.n_lists = table->n_lists,.n_members = table->list_start[table->n_lists],
		.n_links = table->link_start[table->n]
	};

	block_put(writer, &header, 1, sizeof(header));
	block_put(writer, table->fields, table->n_fields, sizeof(uint32_t));
	block_put(writer, table->values, (size_t) table->n * table->n_fields, sizeof(uint32_t));
	block_put(writer, table->list_start, (size_t) table->n_lists + 1, sizeof(uint64_t));
	block_put(writer, table->list_members, header.n_members, sizeof(uint32_t));
	block_put(writer, table->link_start, (size_t) table->n + 1, sizeof(uint64_t));
	block_put(writer, table->links, header.n_links, sizeof(uint32_t));
	if (table->counts)
		block_put(writer, table->counts, header.n_links, sizeof(uint32_t));
}

/* Do parts begin at 0, never before the one in front, and end at the end? */
static bool
starts_valid(const uint64_t *start, uint64_t n, uint64_t end)
{
	if (start[0] != 0 || start[n] != end)
		return false;
	for (uint64_t i = 0; i < n; i++)
		if (start[i] > start[i + 1])
			return false;
	return true;
}

/* What the roles say goes with no entity, or is the entity. */
static bool
field_valid(const Shape *shape, uint32_t field)
{
	return field < (uint32_t) shape->n_fields && (int) field != shape->domain_field &&
		(int) field != shape->user_field && (int) field != shape->item_field;
}

static bool
fields_valid(const EntityTable *table, const Shape *shape)
{
	for (uint32_t i = 0; i < table->n_fields; i++)
		if (!field_valid(shape, table->fields[i]) ||
			(i > 0 && table->fields[i] <= table->fields[i - 1]))
			return false;
	return true;
}

/* Values of all entities; lists come in their order. */
static bool
values_valid(const EntityTable *table, const Shape *shape, Watch *watch)
{
	const uint32_t *value = table->values;
	uint32_t	list = 0;

	for (uint32_t i = 0; i < table->n; i++)
		for (uint32_t k = 0; k < table->n_fields; k++, value++)
		{
			int			field = (int) table->fields[k];
			const uint32_t *members = value;
			uint64_t	n = 1;

			if (shape->field_is_list[field])
			{
				if (*value != list || list == table->n_lists)
					return false;
				members = table->list_members + table->list_start[list];
				n = table->list_start[list + 1] - table->list_start[list];
				list++;
			}
			if (watch_worked(watch, n + 1))
				return true;
			if (!members_are_valid(shape, field, members, n, watch))
				return watch && watch->stopped;
		}
	return list == table->n_lists;
}

/* Links are ids of values seen in training; an item's domains ascend. */
static bool
links_valid(const EntityTable *table, const Shape *shape, Watch *watch)
{
	uint32_t	n_rows = shape_rows(shape, entity_linked_field(shape, table->kind));

	for (uint32_t i = 0; i < table->n; i++)
	{
		uint64_t	first = table->link_start[i];
		uint64_t	end = table->link_start[i + 1];

		if (watch_worked(watch, end - first + 1))
			return true;
		for (uint64_t l = first; l < end; l++)
			if (table->links[l] < FIRST_ID || table->links[l] >= n_rows ||
				(entity_is_item(table->kind) && l > first &&
				 table->links[l] <= table->links[l - 1]))
				return false;
	}
	return true;
}

static bool
take_table(BlockReader *reader, const StoredHeader *header, EntityTable *table)
{
	uint64_t	n = header->n;

	table->fields = block_take(reader, header->n_fields, sizeof(uint32_t));
	table->values = block_take(reader, n * header->n_fields, sizeof(uint32_t));
	table->list_start = block_take(reader, (uint64_t) header->n_lists + 1, sizeof(uint64_t));
	table->list_members = block_take(reader, header->n_members, sizeof(uint32_t));
	table->link_start = block_take(reader, n + 1, sizeof(uint64_t));
	table->links = block_take(reader, header->n_links, sizeof(uint32_t));
	if (header->kind == ENTITY_ITEMS)
		table->counts = block_take(reader, header->n_links, sizeof(uint32_t));
	return !reader->too_short;
}

/* Is the header that of such a table of the model? */
static bool
header_valid(const BlockReader *reader, const StoredHeader *header, const Shape *shape,
			 EntityKind kind, EngineError *error)
{
	if (header->layout != LAYOUT)
		return block_corrupt(reader, "its layout is not known", error);
	if (entity_field(shape, kind) < 0 || entity_linked_field(shape, kind) < 0)
		return block_corrupt(reader, "the model has no such field", error);
	if (header->kind != (uint32_t) kind || header->unused != 0 ||
		header->n > shape_rows(shape, entity_field(shape, kind)) - FIRST_ID ||
		header->n_fields > (uint32_t) shape->n_fields)
		return block_corrupt(reader, "a size is out of range", error);
	return true;
}

static bool
table_valid(const BlockReader *reader, const EntityTable *table, const StoredHeader *header,
			const Shape *shape, Watch *watch, EngineError *error)
{
	if (!fields_valid(table, shape))
		return block_corrupt(reader, "a field is none that goes with it", error);
	if (!starts_valid(table->list_start, table->n_lists, header->n_members) ||
		!starts_valid(table->link_start, table->n, header->n_links))
		return block_corrupt(reader, "its parts are not in order", error);
	if (!values_valid(table, shape, watch))
		return block_corrupt(reader, "a value is out of range", error);
	if (!links_valid(table, shape, watch))
		return block_corrupt(reader, "a link is out of range", error);
	return !watch || !watch->stopped || watch_continue(watch, error);
}

EntityTable *
entity_table_get(Arena *arena, const void *bytes, size_t n, const Shape *shape, EntityKind kind,
				 bool checked, Watch *watch, EngineError *error)
{
	EntityTable *table = ARENA_ARRAY(arena, EntityTable, 1);
	BlockReader reader;
	const StoredHeader *header;

	if (!arena_ok(arena, error) ||
		!block_open(&reader, arena, bytes, n, sizeof(StoredHeader),
					"stored table of items or users is", error))
		return NULL;
	*table = (EntityTable) {.kind = kind,.bytes = reader.bytes,.n_bytes = n};
	header = block_take(&reader, 1, sizeof(StoredHeader));
	if (!header_valid(&reader, header, shape, kind, error))
		return NULL;
	table->n = header->n;
	table->n_fields = header->n_fields;
	table->n_lists = header->n_lists;
	if (!take_table(&reader, header, table) || reader.left > 0)
	{
		block_corrupt(&reader, "its length is not that of its parts", error);
		return NULL;
	}
	return checked || table_valid(&reader, table, header, shape, watch, error) ? table : NULL;
}

EntityTable *
entity_table_pack(Arena *arena, const EntityTable *table, EngineError *error)
{
	EntityTable *packed = ARENA_ARRAY(arena, EntityTable, 1);
	BlockWriter writer = {0};
	BlockReader reader;
	size_t		n;

	put_table(table, &writer);
	n = writer.at;
	writer = (BlockWriter) {.bytes = arena_array(arena, n, 1)};
	if (!arena_ok(arena, error))
		return NULL;
	put_table(table, &writer);
	reader = (BlockReader) {.bytes = writer.bytes,.left = n};
	*packed = *table;
	packed->bytes = writer.bytes;
	packed->n_bytes = n;
	packed->counts = NULL;
	take_table(&reader, block_take(&reader, 1, sizeof(StoredHeader)), packed);
	return packed;
}

EntityTable *
entity_table_of_history(Arena *arena, const History *history, EntityKind kind,
						EngineError *error)
{
	static const uint64_t no_lists[1] = {0};
	uint64_t	most = (uint64_t) history->length + 1;
	uint64_t   *start = ARENA_ARRAY(arena, uint64_t, (size_t) history->n + 1);
	uint32_t   *items = ARENA_ARRAY(arena, uint32_t, history->start[history->n]);
	EntityTable table = {.kind = kind,.n = history->n,.list_start = no_lists,
		.link_start = start,.links = items};

	if (!arena_ok(arena, error))
		return NULL;
	for (uint32_t i = 0; i < history->n; i++)
	{
		uint64_t	n = history->start[i + 1] - history->start[i];

		n = n < most ? n : most;
		memcpy(items + start[i], history->items + history->start[i + 1] - n,
			   n * sizeof(uint32_t));
		start[i + 1] = start[i] + n;
	}
	return entity_table_pack(arena, &table, error);
}

History
entity_table_history(const EntityTable *table, uint32_t length)
{
	return (History) {.length = length,.n = table->n,.start = table->link_start,
		.items = table->links};
}
