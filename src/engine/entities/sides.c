/*
 * sides.c
 *	  Values of items by their training rows, in one walk over these.
 *
 * A vote by majority needs no list of an item's rows (Boyer and Moore 1991): a row with the
 * value at hand counts for it, another one against it, and takes its place at 0.  What more
 * than half of the rows have is left at the end.
 */
#include "engine/entities/sides.h"

#include "engine/data/agreement.h"

#define CHUNK_ROWS 65536

bool
sides_agree(Arena *scratch, const Dataset *data, const EngineHost *host, bool *agrees,
			EngineError *error)
{
	const Shape *shape = &data->shape;
	double	   *agreement = ARENA_ARRAY(scratch, double, shape->n_fields);

	if (!arena_ok(scratch, error) ||
		!measure_agreement(scratch, data, NULL, host, shape->item_field, agreement, error))
		return false;
	for (int k = 0; k < shape->n_sides; k++)
		agrees[k] = agreement[shape->sides[k]] >= LEAST_SIDE_AGREEMENT;
	return true;
}

static void
vote(uint32_t *value, uint32_t *votes, uint32_t id)
{
	if (*votes == 0)
		*value = id;
	if (*value == id)
		++*votes;
	else
		--*votes;
}

EntityTable *
sides_build(Arena *arena, Arena *scratch, const Dataset *data, const EngineHost *host,
			EngineError *error)
{
	static const uint64_t no_lists[1] = {0};
	const Shape *shape = &data->shape;
	size_t		n_sides = shape->n_sides;
	uint32_t	n = shape_rows(shape, shape->item_field) - FIRST_ID;
	uint32_t   *values = ARENA_ARRAY(scratch, uint32_t, n * n_sides);
	uint32_t   *votes = ARENA_ARRAY(scratch, uint32_t, n * n_sides);
	EntityTable table = {.kind = ENTITY_SIDES,.n = n,.n_fields = shape->n_sides,
		.fields = shape->sides,.values = values,.list_start = no_lists,
		.link_start = ARENA_ARRAY(scratch, uint64_t, (size_t) n + 1)};

	if (!arena_ok(scratch, error))
		return NULL;
	for (size_t row = data->train_sampled; row < data->split_start[SPLIT_VALID]; row++)
	{
		int64_t		i = entity_number(&table, dataset_id(data, row, shape->item_field));

		if (row % CHUNK_ROWS == 0 && !host_continue(host, error))
			return NULL;
		for (size_t k = 0; i >= 0 && k < n_sides; k++)
			vote(&values[i * n_sides + k], &votes[i * n_sides + k],
				 dataset_id(data, row, (int) shape->sides[k]));
	}
	return entity_table_pack(arena, &table, error);
}
