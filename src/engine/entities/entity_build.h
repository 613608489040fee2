/*
 * entity_build.h
 *	  Tables of a model's items and users, out of the rows that it is trained on.
 *
 * A column goes with an item if nearly all of an item's training rows agree on it,
 * as often as a user's do at least; with a user, if nearly all of a user's rows do
 * and it does not go with the item.  An entity's value is the one that most of its
 * training rows have; of as many the one of the smallest id, which has the most rows in
 * all, and of lists the one of the smallest hash.
 */
#ifndef AREAD_ENGINE_ENTITIES_ENTITY_BUILD_H
#define AREAD_ENGINE_ENTITIES_ENTITY_BUILD_H

#include "engine/data/agreement.h"
#include "engine/entities/entity_table.h"

typedef struct EntityLimits
{
	uint32_t	items;			/* at most; 0: no table of them */
	uint32_t	users;
	uint32_t	links;			/* items of a user: those of the last rows stay */
	size_t		bytes;			/* of a table; entities with fewer rows are left out */
} EntityLimits;

typedef struct Entities
{
	EntityTable *items;			/* NULL: none were asked for */
	EntityTable *users;
	uint32_t	cut_users;		/* users in the table who have more items than links */
} Entities;

/*
 * Tables over the rows of "data", in which no negatives have been sampled, in
 * blocks of "arena"; what is needed on the way lies in "scratch".  Of fields only
 * the first n_columns may go with an entity; bonds [n_columns] overrule what rows
 * say of items.  Of items links are domains of training rows, of users the items
 * of all rows, whatever their label.  Entities are in the order of ids, so that
 * limits keep those with the most rows.
 *
 * The shape must have a user and an item field.  Errors: lack of memory,
 * ENGINE_INTERRUPTED.
 */
extern bool entities_build(Arena *arena, Arena *scratch, const Dataset *data, int n_columns,
						   const FieldBond *bonds, const EntityLimits *limits,
						   const EngineHost *host, Entities *entities, EngineError *error);

#endif							/* AREAD_ENGINE_ENTITIES_ENTITY_BUILD_H */
