/*
 * domain_pairs.c
 *	  Collecting the pairs of value and domain.
 */
#include "engine/data/domain_pairs.h"

#include <string.h>

/* A field whose values have fewer pairs than that, on average, has none. */
#define MIN_PAIRS_PER_VALUE 1.1

/* Rows between two looks at the host. */
#define CHECK_ROWS 50000

bool
rows_by_domain(Arena *arena, const Dataset *data, const EngineHost *host,
			   RowsByDomain *by_domain, EngineError *error)
{
	size_t		n = data->split_start[SPLIT_VALID];
	uint32_t	n_domains = shape_domains(&data->shape);
	uint32_t   *end = ARENA_ARRAY(arena, uint32_t, (size_t) n_domains + 2);
	uint32_t   *rows = ARENA_ARRAY(arena, uint32_t, n);

	if (!arena_ok(arena, error))
		return false;
	for (size_t row = 0; row < n; row++)
		end[dataset_domain(data, row) + 2]++;
	for (uint32_t d = 0; d <= n_domains; d++)
		end[d + 1] += end[d];
	/* where a domain's next row goes comes to be where they end */
	for (size_t row = 0; row < n; row++)
	{
		if (row % CHECK_ROWS == 0 && !host_continue(host, error))
			return false;
		rows[end[dataset_domain(data, row) + 1]++] = (uint32_t) row;
	}
	*by_domain = (RowsByDomain) {.n_domains = n_domains,.end = end,.rows = rows};
	return true;
}

bool
column_copy(const Dataset *data, int field, Watch *watch, uint32_t *column)
{
	for (size_t row = 0; row < data->split_start[SPLIT_VALID]; row++)
	{
		if (row % CHECK_ROWS == 0 && watch_stopped(watch))
			return false;
		column[row] = dataset_id(data, row, field);
	}
	return true;
}

/*
 * Rows come by domain, so a value's pairs turn up one after the other: count
 * them in start[value], or number their domains.  last[value]: its latest domain + 1.
 */
static bool
walk(const RowsByDomain *by_domain, const uint32_t *column, uint32_t *last, uint32_t *start,
	 uint32_t *domains, Watch *watch)
{
	size_t		i = 0;

	for (uint32_t d = 0; d <= by_domain->n_domains; d++)
		for (; i < by_domain->end[d]; i++)
		{
			uint32_t	value = column[by_domain->rows[i]];

			if (i % CHECK_ROWS == 0 && watch_stopped(watch))
				return false;
			/* the first ones are of domains never seen: they have no pairs */
			if (last[value] == d)
				continue;
			last[value] = d;
			if (domains)
				domains[start[value]] = d - 1;
			start[value]++;
		}
	return true;
}

/* Counts become the places of the first of each value.  Returns the number of values that have any. */
static uint32_t
add_up(uint32_t n_values, uint32_t *start)
{
	uint32_t	n_seen = 0;
	uint32_t	sum = 0;

	for (uint32_t v = 0; v <= n_values; v++)
	{
		uint32_t	count = v < n_values ? start[v] : 0;

		start[v] = sum;
		sum += count;
		n_seen += count > 0;
	}
	return n_seen;
}

static bool
build_field(Arena *arena, Arena *scratch, const Dataset *data, int field,
			const RowsByDomain *by_domain, Watch *watch, DomainPairs *pairs, EngineError *error)
{
	struct ArenaBlock *mark = arena_mark(arena);
	uint32_t	n_values = shape_rows(&data->shape, field);
	uint32_t   *start = ARENA_ARRAY(arena, uint32_t, (size_t) n_values + 1);
	uint32_t   *last = ARENA_ARRAY(scratch, uint32_t, n_values);
	uint32_t   *column = ARENA_ARRAY(scratch, uint32_t, data->split_start[SPLIT_VALID]);
	uint32_t   *domains;
	uint32_t	n_pairs;
	uint32_t	n_seen;

	if (!arena_ok(arena, error) || !arena_ok(scratch, error))
		return false;
	if (!column_copy(data, field, watch, column) ||
		!walk(by_domain, column, last, start, NULL, watch))
		return watch_continue(watch, error);
	n_seen = add_up(n_values, start);
	n_pairs = start[n_values];
	if (n_pairs == 0 || n_pairs < MIN_PAIRS_PER_VALUE * n_seen)
	{
		arena_reset_to(arena, mark);
		return true;
	}
	domains = ARENA_ARRAY(arena, uint32_t, n_pairs);
	if (!arena_ok(arena, error))
		return false;
	memset(last, 0, n_values * sizeof(uint32_t));
	if (!walk(by_domain, column, last, start, domains, watch))
		return watch_continue(watch, error);
	/* each start has moved to the next one's place */
	memmove(start + 1, start, n_values * sizeof(uint32_t));
	start[0] = 0;
	*pairs = (DomainPairs) {.n_pairs = n_pairs,.n_values = n_values,.start = start,
		.domain = domains};
	return true;
}

bool
pairs_build(Arena *arena, const Dataset *data, const EngineHost *host, DomainPairs *pairs,
			EngineError *error)
{
	Arena		scratch;
	RowsByDomain by_domain;
	struct ArenaBlock *mark;
	Watch		watch = {.host = host};
	bool		ok;

	arena_init(&scratch, arena->allocate, arena->release, arena->context);
	ok = rows_by_domain(&scratch, data, host, &by_domain, error);
	mark = arena_mark(&scratch);
	for (int f = 0; f < data->shape.n_fields && ok; f++)
	{
		pairs[f] = (DomainPairs) {0};
		if (f == data->shape.domain_field || data->shape.field_is_list[f])
			continue;
		ok = build_field(arena, &scratch, data, f, &by_domain, &watch, &pairs[f], error);
		arena_reset_to(&scratch, mark);
	}
	arena_free_all(&scratch);
	return ok;
}

bool
pairs_valid(const DomainPairs *pairs, uint32_t n_values, uint32_t n_domains)
{
	if (pairs->n_values != n_values || pairs->start[0] != 0 ||
		pairs->start[n_values] != pairs->n_pairs)
		return false;
	for (uint32_t v = 0; v < n_values; v++)
		if (pairs->start[v] > pairs->start[v + 1] || pairs->start[v + 1] > pairs->n_pairs)
			return false;
	for (uint32_t v = 0; v < n_values; v++)
		for (uint32_t i = pairs->start[v]; i < pairs->start[v + 1]; i++)
			if (pairs->domain[i] >= n_domains ||
				(i > pairs->start[v] && pairs->domain[i] <= pairs->domain[i - 1]))
				return false;
	return true;
}
