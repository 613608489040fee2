/*
 * sides.h
 *	  The columns of items that histories have beside the items themselves.
 */
#ifndef AREAD_ENGINE_ENTITIES_SIDES_H
#define AREAD_ENGINE_ENTITIES_SIDES_H

#include "engine/entities/entity_table.h"

/* Share of an item's rows that have to have the value of the one before them. */
#define LEAST_SIDE_AGREEMENT 0.95

/*
 * Which of the shape's sides go with items -> agrees [n_sides]: training rows of an item have
 * mostly the same value.  What it takes is scratch's.  Errors: lack of memory,
 * ENGINE_INTERRUPTED.
 */
extern bool sides_agree(Arena *scratch, const Dataset *data, const EngineHost *host, bool *agrees,
						EngineError *error);
/*
 * The table of every item's values in its training rows: the one that most of them have, if
 * more than half do.  In one block of "arena"; what else it takes is scratch's.
 * Errors: lack of memory, ENGINE_INTERRUPTED.
 */
extern EntityTable *sides_build(Arena *arena, Arena *scratch, const Dataset *data,
								const EngineHost *host, EngineError *error);

#endif							/* AREAD_ENGINE_ENTITIES_SIDES_H */
