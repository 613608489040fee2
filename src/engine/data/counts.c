/*
 * counts.c
 *	  Training rows counted by id, and sorted by domain.
 */
#include "engine/data/counts.h"

/* Add one field's training occurrences. */
static void
count_field(const Dataset *data, int field, uint32_t *counts, Watch *watch)
{
	bool		dense = shape_is_dense(&data->shape, field);

	for (size_t row = data->split_start[SPLIT_TRAIN]; row < data->split_start[SPLIT_VALID]; row++)
	{
		const uint32_t *members;
		size_t		n = dataset_members(data, row, field, &members);

		for (size_t i = 0; i < n; i++)
		{
			if (i % WATCH_MEMBERS == 0 && watch_worked(watch, WATCH_MEMBERS))
				return;
			/* a vector's numbers are in the order of the components */
			counts[i > 0 && dense ? FIRST_ID + i - 1 : members[i]]++;
		}
	}
}

bool
counts_init(uint32_t ***counts, Arena *arena, const Dataset *data, const EngineHost *host,
			EngineError *error)
{
	const Shape *shape = &data->shape;
	Watch		watch = {.host = host};

	*counts = ARENA_ARRAY(arena, uint32_t *, shape->n_tables);
	if (!arena_ok(arena, error))
		return false;
	for (int t = 0; t < shape->n_tables; t++)
		(*counts)[t] = ARENA_ARRAY(arena, uint32_t, shape->table_rows[t]);
	if (!arena_ok(arena, error))
		return false;
	for (int f = 0; f < shape->n_fields; f++)
		count_field(data, f, (*counts)[shape->field_table[f]], &watch);
	return watch_continue(&watch, error);
}

bool
domain_rows_init(DomainRows *rows, Arena *arena, const Dataset *data, EngineError *error)
{
	uint32_t	n_domains = shape_domains(&data->shape);
	size_t		end = data->split_start[SPLIT_VALID];
	uint64_t   *next;

	rows->start = ARENA_ARRAY(arena, uint64_t, n_domains + 2);
	rows->positives = ARENA_ARRAY(arena, uint64_t, n_domains + 1);
	rows->rows = ARENA_ARRAY(arena, uint32_t, end);
	if (!arena_ok(arena, error))
		return false;
	/* start[d + 1] counts domain d, then marks where it begins, then ends */
	next = rows->start + 1;
	for (size_t row = 0; row < end; row++)
		if (dataset_domain(data, row) >= 0)
			next[dataset_domain(data, row) + 1]++;
	for (uint32_t d = 0; d < n_domains; d++)
		next[d + 1] += next[d];
	for (size_t row = 0; row < end; row++)
	{
		int64_t		domain = dataset_domain(data, row);

		if (domain < 0)
			continue;
		rows->rows[next[domain]++] = row;
		rows->positives[domain] += data->labels[row];
	}
	return true;
}
