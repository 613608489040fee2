/*
 * entity_rows.h
 *	  Rows for tests of tables of items and users.
 *
 * Brand, tags and vector go with the item, a row in 50 has another brand; age goes
 * with the user; the hour with nothing.  Counts, which are no column, go with the
 * user.  Some ids are no entity's.  The last item is in one domain alone, and none of
 * the rows has the user before the last.
 */
#ifndef AREAD_TEST_ENTITY_ROWS_H
#define AREAD_TEST_ENTITY_ROWS_H

#include "engine/entities/entity_build.h"

enum
{
	DOMAIN, USER, ITEM, BRAND, AGE, HOUR, TAGS, VECTOR, COUNTS, N_FIELDS
};

#define N_COLUMNS COUNTS
#define N_ROWS 3000
#define N_TRAIN 2400			/* the first ones */
#define DOMAINS 4
#define USERS 50
#define ITEMS 40
#define VALUES 6
#define LENGTH 3				/* of the vectors */

typedef struct EntityRows
{
	Dataset		data;
	uint32_t	ids[N_ROWS][N_FIELDS];
	uint8_t		labels[N_ROWS];
	uint64_t	list_start[2 * N_ROWS + 1];
	uint32_t	members[2 * N_ROWS * (LENGTH + 1)];
} EntityRows;

/* Bonds of all columns, and limits that nothing meets. */
extern const FieldBond bonds_by_rows[N_COLUMNS];
extern const EntityLimits no_entity_limits;

extern EntityRows *entity_rows(Arena *arena, uint64_t seed);
/* An item's tags and vector, which follow from its id -> members [LENGTH + 1]; returns how many. */
extern uint32_t tags_of(uint32_t item, uint32_t *members);
extern uint32_t vector_of(uint32_t item, uint32_t *members);

/* entities_build() with a scratch arena of its own. */
extern bool entity_rows_try(Arena *arena, const EntityRows *rows, const FieldBond *bonds,
					  const EntityLimits *limits, const EngineHost *host, Entities *entities,
					  EngineError *error);
/* The same with a host that never stops; it goes well. */
extern Entities entity_rows_build(Arena *arena, const EntityRows *rows, const FieldBond *bonds,
					  const EntityLimits *limits);

#endif							/* AREAD_TEST_ENTITY_ROWS_H */
