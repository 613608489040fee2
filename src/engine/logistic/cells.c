/*
 * cells.c
 *	  Sorting training rows by value and domain.
 *
 * A counting sort for each field: a first walk over the rows counts cells, a
 * second one places the rows.  Fields with pairs are walked domain by domain: so
 * each value meets its pairs in their order, and none has to be searched for.
 *
 * Memory: a row number for each row and field, and for each member of a list.  They
 * go to files of the dataset's store where memory has no room for all of them; then
 * as many fields are sorted at a time as there are threads.
 *
 * Threads: a field is one task.
 */
#include "engine/logistic/cells.h"

#include <string.h>

/* Rows between two looks at the watch. */
#define CHECK_ROWS 50000

/* What the fields' tasks share. */
typedef struct Build
{
	const Dataset *data;
	Cells	   *cells;
	RowsByDomain by_domain;		/* if any field has pairs */
	int			first_field;	/* that the tasks at hand are for */
	uint32_t  **rows;			/* [n_fields] to fill */
	/* scratch of a thread, of fields with pairs */
	uint32_t   *next[MAX_THREADS];	/* [values] a value's present cell */
	uint32_t   *column[MAX_THREADS];	/* [n_rows] */
	Watch		watches[MAX_THREADS];
} Build;

/*
 * The cell of a row of a value.  Rows come by domain and pairs lie by domain, so that
 * the pair looked for is the value's present one or one after it.
 */
static uint32_t
cell_of(const Cells *cells, uint32_t *next, uint32_t value, int64_t domain)
{
	if (domain < 0)
		return cells_first(cells, value);
	while (cells->pairs->domain[next[value]] < domain)
		next[value]++;
	return next[value] + value + 1;
}

/* Count a row of a cell in start[cell + 2], or put it in its place. */
static inline void
add_row(Build *build, int field, uint32_t cell, uint32_t row, bool place)
{
	uint32_t   *start = build->cells[field].start;

	if (place)
		build->rows[field][start[cell + 1]++] = row;
	else
		start[cell + 2]++;
}

/* A field with pairs, domain by domain. */
static bool
walk_pairs(Build *build, int field, int thread, bool place)
{
	const RowsByDomain *by_domain = &build->by_domain;
	Cells	   *cells = &build->cells[field];
	uint32_t   *next = build->next[thread];
	size_t		i = 0;

	memcpy(next, cells->pairs->start, cells->n_values * sizeof(uint32_t));
	for (uint32_t d = 0; d <= by_domain->n_domains; d++)
		for (; i < by_domain->end[d]; i++)
		{
			uint32_t	row = by_domain->rows[i];
			uint32_t	value = build->column[thread][row];

			if (i % CHECK_ROWS == 0 && watch_stopped(&build->watches[thread]))
				return false;
			add_row(build, field, cell_of(cells, next, value, (int64_t) d - 1), row, place);
		}
	return true;
}

/* A field without: a value or member is a cell. */
static bool
walk_values(Build *build, int field, int thread, bool place)
{
	const Dataset *data = build->data;

	if (shape_is_dense(&data->shape, field))
		return true;
	for (size_t row = 0; row < data->split_start[SPLIT_VALID]; row++)
	{
		const uint32_t *members;
		size_t		n = dataset_members(data, row, field, &members);

		if (row % CHECK_ROWS == 0 && watch_stopped(&build->watches[thread]))
			return false;
		for (size_t m = 0; m < n; m++)
		{
			if (m % WATCH_MEMBERS == 0 && watch_worked(&build->watches[thread], WATCH_MEMBERS))
				return false;
			add_row(build, field, members[m], (uint32_t) row, place);
		}
	}
	return true;
}

/* A counting sort: places are counted two cells further on, and shift back as they fill. */
static void
build_field(void *context, int number, int thread)
{
	Build	   *build = context;
	int			field = build->first_field + number;
	Cells	   *cells = &build->cells[field];
	bool		(*walk) (Build *, int, int, bool) = cells->pairs ? walk_pairs : walk_values;

	if (cells->pairs &&
		!column_copy(build->data, field, &build->watches[thread], build->column[thread]))
		return;
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
	if (shape_is_dense(&data->shape, field))
		return 0;
	for (size_t row = 0; row < data->split_start[SPLIT_VALID]; row++)
	{
		const uint32_t *members;

		sum += dataset_members(data, row, field, &members);
	}
	return sum;
}

/* Sizes of all fields -> n_members [n_fields], and *total of them. */
static bool
init_cells(Build *build, Arena *arena, const DomainPairs *pairs, size_t *n_members,
		   size_t *total, EngineError *error)
{
	const Dataset *data = build->data;

	*total = 0;
	for (int f = 0; f < data->shape.n_fields; f++)
	{
		Cells	   *cells = &build->cells[f];
		size_t		n_cells;

		*cells = (Cells) {.n_values = shape_rows(&data->shape, f)};
		cells->pairs = pairs && pairs[f].n_pairs > 0 ? &pairs[f] : NULL;
		n_cells = (size_t) cells->n_values + (cells->pairs ? pairs[f].n_pairs : 0);
		n_members[f] = count_members(data, f);
		if (n_members[f] >= UINT32_MAX || n_cells >= UINT32_MAX)
			return engine_fail(error, ENGINE_BAD_INPUT,
							   "Set \"domain_weights\" to false, leave out long lists or use fewer rows.",
							   "too many values and pairs of value and domain");
		cells->n_cells = (uint32_t) n_cells;
		cells->start = ARENA_ARRAY(arena, uint32_t, n_cells + 2);
		*total += n_members[f];
	}
	return true;
}

/* What is freed once cells are built. */
static bool
init_scratch(Build *build, Arena *arena, Team *team, Watch *watch, EngineError *error)
{
	uint32_t	most_values = 0;
	bool		any_pairs = false;

	for (int f = 0; f < build->data->shape.n_fields; f++)
	{
		any_pairs |= build->cells[f].pairs != NULL;
		if (build->cells[f].n_values > most_values)
			most_values = build->cells[f].n_values;
	}
	for (int t = 0; t < team_size(team); t++)
	{
		build->next[t] = ARENA_ARRAY(arena, uint32_t, any_pairs ? most_values : 0);
		build->column[t] = ARENA_ARRAY(arena, uint32_t, any_pairs ?
									   build->data->split_start[SPLIT_VALID] : 0);
		build->watches[t].host = watch->host;
		build->watches[t].leader = watch;
	}
	/* the caller's watch is the one that asks */
	build->watches[0].leader = NULL;
	return arena_ok(arena, error) &&
		(!any_pairs || rows_by_domain(arena, build->data, watch->host, &build->by_domain, error));
}

static bool
run(Build *build, Team *team, Watch *watch, int n, EngineError *error)
{
	team_run(team, watch, build_field, build, n);
	watch->stopped |= build->watches[0].stopped;
	return watch_continue(watch, error);
}

/* All fields in files: as many at a time as there are threads. */
static bool
build_in_store(Build *build, Arena *arena, const size_t *n_members, Team *team, Watch *watch,
			   EngineError *error)
{
	const Store *store = build->data->store;
	int			n_fields = build->data->shape.n_fields;

	for (; build->first_field < n_fields; build->first_field += team_size(team))
	{
		int			end = build->first_field + team_size(team);
		struct ArenaBlock *mark = arena_mark(arena);

		end = end < n_fields ? end : n_fields;
		for (int f = build->first_field; f < end; f++)
			build->rows[f] = ARENA_ARRAY(arena, uint32_t, n_members[f]);
		if (!arena_ok(arena, error) ||
			!run(build, team, watch, end - build->first_field, error))
			return false;
		for (int f = build->first_field; f < end; f++)
		{
			build->cells[f].stored = store->begin(store->context);
			store->append(store->context, build->cells[f].stored, build->rows[f],
						  n_members[f] * sizeof(uint32_t));
			build->cells[f].rows = store->finish(store->context, build->cells[f].stored);
		}
		arena_reset_to(arena, mark);
	}
	return true;
}

bool
cells_build(Arena *arena, const Dataset *data, const DomainPairs *pairs, Team *team,
			Watch *watch, Cells *cells, EngineError *error)
{
	int			n_fields = data->shape.n_fields;
	Build		build = {.data = data,.cells = cells,.rows = ARENA_ARRAY(arena, uint32_t *, n_fields)};
	size_t	   *n_members = ARENA_ARRAY(arena, size_t, n_fields);
	struct ArenaBlock *mark;
	bool		in_memory;
	size_t		total;

	if (!arena_ok(arena, error) ||
		!init_cells(&build, arena, pairs, n_members, &total, error))
		return false;
	in_memory = store_has_room(data->store, total * sizeof(uint32_t));
	for (int f = 0; f < n_fields && in_memory; f++)
		cells[f].rows = build.rows[f] = ARENA_ARRAY(arena, uint32_t, n_members[f]);
	mark = arena_mark(arena);
	if (!init_scratch(&build, arena, team, watch, error) ||
		!(in_memory ? run(&build, team, watch, n_fields, error) :
		  build_in_store(&build, arena, n_members, team, watch, error)))
		return false;
	arena_reset_to(arena, mark);
	return true;
}

void
cells_free(const Dataset *data, Cells *cells)
{
	for (int f = 0; f < data->shape.n_fields; f++)
		if (cells[f].stored)
			data->store->drop(data->store->context, cells[f].stored);
}
