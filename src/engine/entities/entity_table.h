/*
 * entity_table.h
 *	  What a model keeps of its items, or of its users, so that it can recommend
 *	  without its source: values of the columns that go with them, and what they
 *	  were seen with.
 *
 * Entities are ids of the item's or the user's field: FIRST_ID and those that
 * follow, which are the ones with the most training rows.  Links lead an item to
 * the domains that it has training rows in, a user to the items of his rows.
 *
 * The stored form is one block (engine/base/block.h), little-endian:
 *
 *	  a header: whose table it is, sizes
 *	  fields, values; start of each list, members
 *	  start of each entity's links, links, counts (of items)
 */
#ifndef AREAD_ENGINE_ENTITIES_ENTITY_TABLE_H
#define AREAD_ENGINE_ENTITIES_ENTITY_TABLE_H

#include "engine/data/history.h"

typedef enum EntityKind
{
	ENTITY_ITEMS,				/* linked to domains */
	ENTITY_USERS,				/* linked to items */
	ENTITY_HISTORIES,			/* users, linked to the items of their histories */
	ENTITY_DISLIKES,			/* users, linked to items of negative rows */
	ENTITY_SIDES,				/* items, by all the fields that histories have of them; not linked */
	N_ENTITY_KINDS
} EntityKind;

/* What users and stored models call them. */
extern const char *const entity_kind_names[N_ENTITY_KINDS];

typedef struct EntityTable
{
	EntityKind	kind;
	uint32_t	n;				/* entities: ids FIRST_ID .. FIRST_ID + n - 1 */
	uint32_t	n_fields;
	const uint32_t *fields;		/* [n_fields] fields that go with an entity, ascending */
	const uint32_t *values;		/* [n, n_fields] an id; of a list field the number of a list */
	uint32_t	n_lists;		/* numbered in the order of values: each is one value's */
	const uint64_t *list_start; /* [n_lists + 1] */
	const uint32_t *list_members;	/* ids, or bits of numbers (dataset.h) */
	const uint64_t *link_start; /* [n + 1] */
	/* ids from FIRST_ID on: an item's domains, ascending; a user's items, in the order of rows; a history, the newest last */
	const uint32_t *links;
	const uint32_t *counts;		/* of items, beside links: positive training rows; else NULL */
	const void *bytes;			/* the stored form that all of it lies in; NULL: none */
	size_t		n_bytes;
} EntityTable;

static inline bool
entity_is_item(EntityKind kind)
{
	return kind == ENTITY_ITEMS || kind == ENTITY_SIDES;
}

/* The field whose ids entities are; the one whose ids their links are.  -1: the model has none. */
static inline int
entity_field(const Shape *shape, EntityKind kind)
{
	return entity_is_item(kind) ? shape->item_field : shape->user_field;
}

static inline int
entity_linked_field(const Shape *shape, EntityKind kind)
{
	return entity_is_item(kind) ? shape->domain_field : shape->item_field;
}

/* Number of an id's entity; -1: the table (NULL: there is none) does not have it. */
static inline int64_t
entity_number(const EntityTable *table, uint32_t id)
{
	return table && id >= FIRST_ID && id - FIRST_ID < table->n ? (int64_t) id - FIRST_ID : -1;
}

/*
 * The table of a stored form of n bytes, for a model of this shape; NULL on errors.
 * Of an aligned block arrays stay in it, and it has to live as long as they are
 * used; else they are the arena's.
 *
 * Nothing is trusted, unless it was checked before.  Errors: ENGINE_CORRUPT,
 * lack of memory, ENGINE_INTERRUPTED by the watch (NULL: none).
 */
extern EntityTable *entity_table_get(Arena *arena, const void *bytes, size_t n, const Shape *shape,
									 EntityKind kind, bool checked, Watch *watch,
									 EngineError *error);
/* The same table in one block of the arena; NULL: no memory. */
extern EntityTable *entity_table_pack(Arena *arena, const EntityTable *table, EngineError *error);

/*
 * The table of a history: of each user the newest entries, which are the last ones, one more
 * than a history has members, for a row's own item is none.  NULL: no memory.
 */
extern EntityTable *entity_table_of_history(Arena *arena, const History *history,
											EntityKind kind, EngineError *error);
/* The reverse, in the table's arrays. */
extern History entity_table_history(const EntityTable *table, uint32_t length);

#endif							/* AREAD_ENGINE_ENTITIES_ENTITY_TABLE_H */
