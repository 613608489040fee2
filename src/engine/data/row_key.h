/*
 * row_key.h
 *	  Numbers that rows of the same values share, and the order that these give: whatever
 *	  is found in it does not depend on how rows came.
 */
#ifndef AREAD_ENGINE_DATA_ROW_KEY_H
#define AREAD_ENGINE_DATA_ROW_KEY_H

#include "engine/data/dataset.h"

/*
 * A number that equal values of a field share: the id, or a hash of what a list has,
 * whatever its own number is.  The watch is over long lists.
 */
extern uint64_t value_key(const Dataset *data, size_t row, int field, Watch *watch);
/* A hash of all values of a row; another seed gives another order of rows. */
extern uint64_t row_key(const Dataset *data, size_t row, uint64_t seed, Watch *watch);
/*
 * Rows 0 .. n - 1 in the order of their keys -> *order [n], of the arena.  Errors: lack
 * of memory, ENGINE_INTERRUPTED.
 */
extern bool rows_by_key(Arena *arena, const Dataset *data, size_t n, const EngineHost *host,
						uint32_t **order, EngineError *error);

#endif							/* AREAD_ENGINE_DATA_ROW_KEY_H */
