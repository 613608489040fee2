/*
 * dataset.c
 *	  Bounds of encoded interactions, and what gives them back.
 */
#include "engine/data/dataset.h"

#include <math.h>

uint32_t
shape_domains(const Shape *shape)
{
	return shape_rows(shape, shape->domain_field) - FIRST_ID;
}

/* No vector, or a finite number for each component. */
static bool
vector_is_valid(const uint32_t *members, uint64_t n, uint32_t n_rows)
{
	if (n == 1)
		return members[0] < FIRST_ID;
	if (n != (uint64_t) n_rows - FIRST_ID + 1 || members[0] != UNSEEN_ID)
		return false;
	for (uint64_t i = 1; i < n; i++)
		if (!isfinite(vector_number(members[i])))
			return false;
	return true;
}

bool
members_are_valid(const Shape *shape, int field, const uint32_t *members, uint64_t n,
				  Watch *watch)
{
	uint32_t	n_rows = shape_rows(shape, field);

	if (shape_is_dense(shape, field))
		return vector_is_valid(members, n, n_rows);
	for (uint64_t i = 0; i < n; i++)
	{
		if (i % WATCH_MEMBERS == 0 &&
			watch_worked(watch, n - i < WATCH_MEMBERS ? n - i : WATCH_MEMBERS))
			return false;
		if (members[i] >= n_rows)
			return false;
	}
	return true;
}

bool
dataset_check(const Dataset *data, const EngineHost *host, EngineError *error)
{
	const Shape *shape = &data->shape;
	Watch		watch = {.host = host};

	for (size_t row = 0; row < data->split_start[3]; row++)
		for (int f = 0; f < shape->n_fields; f++)
		{
			const uint32_t *members;
			size_t		n = dataset_members(data, row, f, &members);
			bool		valid = members_are_valid(shape, f, members, n, &watch);

			if (watch.stopped)
				return watch_continue(&watch, error);
			if (!valid)
				return engine_fail(error, ENGINE_BAD_INPUT, NULL,
								   "id of field %d in row %zu is out of bounds", f, row);
		}
	return true;
}

void
dataset_free_ids(Dataset *data)
{
	if (data->free)
		data->free(data->owner, true);
	data->ids = NULL;
}

void
dataset_free(Dataset *data)
{
	if (data->free)
		data->free(data->owner, false);
}
