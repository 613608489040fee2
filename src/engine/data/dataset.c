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

static bool
check_list(const Dataset *data, uint32_t list, uint32_t n_rows, Watch *watch)
{
	const uint32_t *members = data->list_members + data->list_start[list];
	size_t		n = data->list_start[list + 1] - data->list_start[list];

	for (size_t i = 0; i < n; i++)
	{
		if (i % WATCH_MEMBERS == 0 && watch_worked(watch, WATCH_MEMBERS))
			return false;
		if (members[i] >= n_rows)
			return false;
	}
	return true;
}

/* No vector, or as many numbers as the table has rows for. */
static bool
check_vector(const Dataset *data, uint32_t list, uint32_t n_rows)
{
	const uint32_t *members = data->list_members + data->list_start[list];
	uint64_t	n = data->list_start[list + 1] - data->list_start[list];

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
dataset_check(const Dataset *data, const EngineHost *host, EngineError *error)
{
	const Shape *shape = &data->shape;
	Watch		watch = {.host = host};

	for (size_t row = 0; row < data->split_start[3]; row++)
		for (int f = 0; f < shape->n_fields; f++)
		{
			uint32_t	id = dataset_id(data, row, f);
			uint32_t	n_rows = shape_rows(shape, f);
			bool		ok = shape_is_dense(shape, f) ? check_vector(data, id, n_rows) :
				shape->field_is_list[f] ? check_list(data, id, n_rows, &watch) : id < n_rows;

			if (watch.stopped)
				return watch_continue(&watch, error);
			if (!ok)
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
