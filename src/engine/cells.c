/*
 * cells.c
 *	  Sorting training rows by value and domain.
 */
#include "cells.h"

#include <string.h>

/* Rows between two looks at the watch. */
#define CHECK_ROWS 50000

/* What the fields' tasks share. */
typedef struct Build
{
	const Dataset *data;
	Cells	   *cells;
	const uint32_t *by_domain;	/* training rows by domain, then number; NULL: no pairs */
	uint32_t   *next[MAX_THREADS];	/* [values] scratch of a thread: a value's present cell */
	Watch		watches[MAX_THREADS];
} Build;

/*
 * The cell of a row of a value.  Rows come by domain and pairs lie by domain, so that
 * the pair looked for is the value's present one or one after it.
 */
static uint32_t
cell_of(const Cells *cells, uint32_t *next, uint32_t value, int64_t domain)
{
	const DomainPairs *pairs = cells->pairs;

	if (!pairs)
		return value;
	if (domain < 0)
		return cells_first(cells, value);
	while (pairs->domain[next[value]] < domain)
		next[value]++;
	return next[value] + value + 1;
}

/* Walk a field's rows: count those of each cell in start[cell + 2], or put them in their places. */
static bool
walk(Build *build, int field, int thread, bool place)
{
	const Dataset *data = build->data;
	Cells	   *cells = &build->cells[field];
	uint32_t   *next = build->next[thread];
	size_t		n = data->split_start[SPLIT_VALID];

	if (cells->pairs)
		memcpy(next, cells->pairs->start, cells->n_values * sizeof(uint32_t));
	for (size_t i = 0; i < n; i++)
	{
		size_t		row = cells->pairs ? build->by_domain[i] : i;
		int64_t		domain = cells->pairs ? dataset_domain(data, row) : -1;
		const uint32_t *members;
		size_t		n_members = dataset_members(data, row, field, &members);

		if (i % CHECK_ROWS == 0 && watch_stopped(&build->watches[thread]))
			return false;
		for (size_t m = 0; m < n_members; m++)
		{
			uint32_t	cell = cell_of(cells, next, members[m], domain);

			if (place)
				cells->rows[cells->start[cell + 1]++] = (uint32_t) row;
			else
				cells->start[cell + 2]++;
		}
	}
	return true;
}

/* A counting sort: places are counted two cells further on, and shift back as they fill. */
static void
build_field(void *context, int field, int thread)
{
	Build	   *build = context;
	Cells	   *cells = &build->cells[field];

	if (!walk(build, field, thread, false))
		return;
	for (uint32_t c = 0; c < cells->n_cells; c++)
		cells->start[c + 2] += cells->start[c + 1];
	(void) walk(build, field, thread, true);
}

/* Members of all training rows, or their number. */
static size_t
count_members(const Dataset *data, int field)
{
	size_t		sum = 0;

	if (!data->shape.field_is_list[field])
		return data->split_start[SPLIT_VALID];
	for (size_t row = 0; row < data->split_start[SPLIT_VALID]; row++)
	{
		const uint32_t *members;

		sum += dataset_members(data, row, field, &members);
	}
	return sum;
}

bool
cells_build(Arena *arena, const Dataset *data, const DomainPairs *pairs, Team *team,
			Watch *watch, Cells *cells, EngineError *error)
{
	Build		build = {.data = data,.cells = cells};
	int			n_fields = data->shape.n_fields;
	uint32_t	most_values = 0;
	bool		any_pairs = false;
	struct ArenaBlock *mark;

	for (int f = 0; f < n_fields; f++)
	{
		size_t		n_cells;
		size_t		n_members;

		cells[f].n_values = data->shape.table_rows[data->shape.field_table[f]];
		cells[f].pairs = pairs && pairs[f].n_pairs > 0 ? &pairs[f] : NULL;
		n_cells = (size_t) cells[f].n_values + (cells[f].pairs ? pairs[f].n_pairs : 0);
		n_members = count_members(data, f);
		if (n_members >= UINT32_MAX || n_cells >= UINT32_MAX)
			return engine_fail(error, ENGINE_BAD_INPUT,
							   "Set \"domain_weights\" to false, leave out long lists or use fewer rows.",
							   "too many values and pairs of value and domain");
		cells[f].n_cells = (uint32_t) n_cells;
		cells[f].start = ARENA_ARRAY(arena, uint32_t, n_cells + 2);
		cells[f].rows = ARENA_ARRAY(arena, uint32_t, n_members);
		any_pairs |= cells[f].pairs != NULL;
		if (cells[f].n_values > most_values)
			most_values = cells[f].n_values;
	}
	mark = arena_mark(arena);
	for (int t = 0; t < team_size(team); t++)
	{
		build.next[t] = ARENA_ARRAY(arena, uint32_t, any_pairs ? most_values : 0);
		build.watches[t].host = watch->host;
		build.watches[t].of = watch;
	}
	if (any_pairs && !rows_by_domain(arena, data, watch->host, &build.by_domain, error))
		return false;
	if (!arena_ok(arena, error))
		return false;
	/* the caller's watch is the one that asks */
	build.watches[0].of = NULL;
	team_run(team, watch, build_field, &build, n_fields);
	watch->stopped |= build.watches[0].stopped;
	arena_reset_to(arena, mark);
	return watch_continue(watch, error);
}
