/*
 * test_pairs.c
 *	  Places of domain weights: all pairs of training rows, and no other.
 */
#include "engine/data/domain_pairs.h"
#include "toy.h"
#include "unit.h"

#define ROWS 2000

static bool
in_training(const Dataset *data, int field, uint32_t value, int64_t domain)
{
	for (size_t row = 0; row < data->split_start[SPLIT_VALID]; row++)
		if (data->ids[row * TOY_FIELDS + field] == value && dataset_domain(data, row) == domain)
			return true;
	return false;
}

static void
test_find(const Dataset *data, const DomainPairs *pairs, int field)
{
	uint32_t	n_values = shape_rows(&data->shape, field);
	uint32_t	found = 0;

	for (uint32_t value = 0; value < n_values; value++)
		for (int64_t domain = -1; domain < (int64_t) shape_domains(&data->shape); domain++)
		{
			uint32_t	pair = pairs_find(pairs, value, domain);
			bool		wanted = domain >= 0 && in_training(data, field, value, domain);

			CHECK((pair != NO_PAIR) == wanted);
			/* numbers ascend with value, then domain */
			if (pair != NO_PAIR)
				CHECK(pair == found++);
		}
	CHECK(found == pairs->n_pairs);
}

/* A field whose values keep to one domain has none. */
static void
test_dependent(Arena *arena, Dataset *data)
{
	uint32_t   *ids = (uint32_t *) data->ids;
	EngineHost	host = toy_host();
	DomainPairs pairs[TOY_FIELDS];
	EngineError error;

	for (size_t row = 0; row < data->split_start[3]; row++)
		ids[row * TOY_FIELDS + 1] = ids[row * TOY_FIELDS];
	CHECK(pairs_build(arena, data, &host, pairs, &error));
	CHECK(pairs[1].n_pairs == 0);
	CHECK(pairs_find(&pairs[1], FIRST_ID, 0) == NO_PAIR);
}

static void
test_valid(DomainPairs *pairs, uint32_t n_domains)
{
	uint32_t	kept = pairs->start[5];

	CHECK(pairs_valid(pairs, pairs->n_values, n_domains));
	CHECK(!pairs_valid(pairs, pairs->n_values + 1, n_domains));
	CHECK(!pairs_valid(pairs, pairs->n_values, 1));
	pairs->start[5] = pairs->n_pairs + 1;
	CHECK(!pairs_valid(pairs, pairs->n_values, n_domains));
	pairs->start[5] = kept;
	for (uint32_t v = 0; v < pairs->n_values; v++)
		if (pairs->start[v + 1] >= pairs->start[v] + 2)
		{
			uint32_t   *first = &pairs->domain[pairs->start[v]];
			uint32_t	second = first[1];

			/* twice the same, or not ascending: some would not be found */
			first[1] = first[0];
			CHECK(!pairs_valid(pairs, pairs->n_values, n_domains));
			first[1] = second;
			break;
		}
	pairs->n_pairs--;
	CHECK(!pairs_valid(pairs, pairs->n_values, n_domains));
}

int
main(void)
{
	Arena		arena;
	Dataset    *data;
	DomainPairs pairs[TOY_FIELDS];
	EngineHost	host = toy_host();
	EngineError error;

	arena_init_malloc(&arena);
	data = toy_dataset(&arena, ROWS);
	CHECK(pairs_build(&arena, data, &host, pairs, &error));
	test_find(data, &pairs[1], 1);
	test_find(data, &pairs[2], 2);
	test_valid(&pairs[1], shape_domains(&data->shape));
	test_dependent(&arena, data);
	arena_free_all(&arena);
	return unit_summary();
}
