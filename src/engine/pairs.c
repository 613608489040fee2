/*
 * pairs.c
 *	  Collecting the pairs of value and domain.
 */
#include "pairs.h"

#include <stdlib.h>
#include <string.h>

/* A field whose values have fewer pairs than that, on average, has none. */
#define MIN_PAIRS_PER_VALUE 1.1

static int
compare_domain(const void *a, const void *b)
{
	uint32_t	x = *(const uint32_t *) a;
	uint32_t	y = *(const uint32_t *) b;

	return (x > y) - (x < y);
}

/* Training rows' domains by value -> domains, those of value v from start[v]. */
static void
group_by_value(const Dataset *data, int field, uint32_t n_values, uint32_t *start,
			   uint32_t *next, uint32_t *domains)
{
	size_t		n = data->split_start[SPLIT_VALID];

	for (size_t row = 0; row < n; row++)
		if (dataset_domain(data, row) >= 0)
			start[data->ids[row * (size_t) data->shape.n_fields + field] + 1]++;
	for (uint32_t v = 0; v < n_values; v++)
		start[v + 1] += start[v];
	memcpy(next, start, n_values * sizeof(uint32_t));
	for (size_t row = 0; row < n; row++)
		if (dataset_domain(data, row) >= 0)
			domains[next[data->ids[row * (size_t) data->shape.n_fields + field]]++] =
				(uint32_t) dataset_domain(data, row);
}

/* Sort and keep one of each; start moves along.  Returns the number of values that have any. */
static uint32_t
keep_distinct(uint32_t n_values, uint32_t *start, uint32_t *domains)
{
	uint32_t	kept = 0;
	uint32_t	from = 0;
	uint32_t	n_seen = 0;

	for (uint32_t v = 0; v < n_values; v++)
	{
		uint32_t	to = start[v + 1];
		uint32_t	first = kept;

		qsort(domains + from, to - from, sizeof(uint32_t), compare_domain);
		for (uint32_t i = from; i < to; i++)
			if (kept == first || domains[kept - 1] != domains[i])
				domains[kept++] = domains[i];
		n_seen += to > from;
		from = to;
		start[v + 1] = kept;
	}
	return n_seen;
}

static bool
build_field(Arena *arena, Arena *scratch, const Dataset *data, int field, DomainPairs *pairs,
			EngineError *error)
{
	struct ArenaBlock *mark = arena_mark(arena);
	uint32_t	n_values = data->shape.table_rows[data->shape.field_table[field]];
	uint32_t   *start = ARENA_ARRAY(arena, uint32_t, (size_t) n_values + 1);
	uint32_t   *next = ARENA_ARRAY(scratch, uint32_t, n_values);
	uint32_t   *domains = ARENA_ARRAY(scratch, uint32_t, data->split_start[SPLIT_VALID]);
	uint32_t	n_seen;

	if (!arena_ok(arena, error) || !arena_ok(scratch, error))
		return false;
	group_by_value(data, field, n_values, start, next, domains);
	n_seen = keep_distinct(n_values, start, domains);
	if (start[n_values] == 0 || start[n_values] < MIN_PAIRS_PER_VALUE * n_seen)
	{
		arena_reset_to(arena, mark);
		return true;
	}
	*pairs = (DomainPairs) {.n_pairs = start[n_values],.n_values = n_values,.start = start,
		.domain = ARENA_ARRAY(arena, uint32_t, start[n_values])};
	if (!arena_ok(arena, error))
		return false;
	memcpy(pairs->domain, domains, pairs->n_pairs * sizeof(uint32_t));
	return true;
}

bool
pairs_build(Arena *arena, const Dataset *data, const EngineHost *host, DomainPairs *pairs,
			EngineError *error)
{
	Arena		scratch;
	bool		ok = true;

	arena_init(&scratch, arena->allocate, arena->release, arena->context);
	for (int f = 0; f < data->shape.n_fields && ok; f++)
	{
		pairs[f] = (DomainPairs) {0};
		if (f == data->shape.domain_field || data->shape.field_is_list[f])
			continue;
		ok = host_continue(host, error) &&
			build_field(arena, &scratch, data, f, &pairs[f], error);
		arena_free_all(&scratch);
	}
	return ok;
}

bool
pairs_valid(const DomainPairs *pairs, uint32_t n_values, uint32_t n_domains)
{
	if (pairs->n_values != n_values || pairs->start[0] != 0 ||
		pairs->start[n_values] != pairs->n_pairs)
		return false;
	for (uint32_t v = 0; v < n_values; v++)
		if (pairs->start[v] > pairs->start[v + 1])
			return false;
	for (uint32_t i = 0; i < pairs->n_pairs; i++)
		if (pairs->domain[i] >= n_domains)
			return false;
	return true;
}
