/*
 * rowset.h
 *	  A set of a dataset's rows, told apart by the values of a few fields: is
 *	  there a row of this user and item?
 */
#ifndef AREAD_ENGINE_DATA_ROWSET_H
#define AREAD_ENGINE_DATA_ROWSET_H

#include "engine/data/dataset.h"

#define ROWSET_MAX_FIELDS 3

typedef struct RowSet
{
	const Dataset *data;
	int			n_fields;
	int			fields[ROWSET_MAX_FIELDS];
	size_t		mask;			/* slots - 1 */
	uint32_t   *slots;			/* row + 1; 0: empty */
} RowSet;

/* An empty set for up to max_rows rows; negative fields (roles that no column has) do not count. */
extern bool rowset_init(RowSet *set, Arena *arena, const Dataset *data, const int *fields,
						int n_fields, size_t max_rows, EngineError *error);
/* Add a row; false: there was one like it. */
extern bool rowset_add(RowSet *set, size_t row);
/* Is there a row of these values [ROWSET_MAX_FIELDS], in the order of the set's fields? */
extern bool rowset_contains(const RowSet *set, const uint32_t *key);

#endif							/* AREAD_ENGINE_DATA_ROWSET_H */
