/*
 * bonds.c
 *	  Which fields go with the item, and which with the user.
 *
 * Where that is not given, the training rows tell: how often rows of one item agree
 * on a field, rows of one user, and rows of one domain, which is chance.
 */
#include "engine/sampling/bonds.h"

#include <string.h>

/* A field goes with its owner if the owner's rows agree on it that much beyond chance. */
#define MIN_AGREEMENT 0.5

static uint32_t
id_of(const Dataset *data, size_t row, int field)
{
	return data->ids[row * (size_t) data->shape.n_fields + field];
}

static bool
same_list(const Dataset *data, uint32_t a, uint32_t b, Watch *watch)
{
	uint64_t	n = data->list_start[a + 1] - data->list_start[a];

	return data->list_start[b + 1] - data->list_start[b] == n && !watch_worked(watch, n) &&
		memcmp(data->list_members + data->list_start[a],
			   data->list_members + data->list_start[b], n * sizeof(uint32_t)) == 0;
}

static bool
same_value(const Dataset *data, size_t a, size_t b, int field, Watch *watch)
{
	uint32_t	x = id_of(data, a, field);
	uint32_t	y = id_of(data, b, field);

	return x == y || (data->shape.field_is_list[field] && same_list(data, x, y, watch));
}

/*
 * How often a row agrees with the one before it of the same owner (an item, a
 * user, a domain) -> agreement [n_fields]; 0 if no owner has two rows.  Rows
 * lie in the order of a hash, so that neighbours of a domain meet by chance.
 */
static bool
measure_agreement(Arena *arena, const Dataset *data, const EngineHost *host, int owner,
				  double *agreement, EngineError *error)
{
	const Shape *shape = &data->shape;
	struct ArenaBlock *mark = arena_mark(arena);
	uint32_t   *last = ARENA_ARRAY(arena, uint32_t, shape->table_rows[shape->field_table[owner]]);
	uint64_t   *same = ARENA_ARRAY(arena, uint64_t, shape->n_fields);
	uint64_t	n = 0;
	Watch		watch = {.host = host};

	if (!arena_ok(arena, error))
		return false;
	for (size_t row = 0; row < data->split_start[SPLIT_VALID]; row++)
	{
		uint32_t	id = id_of(data, row, owner);

		if (watch_worked(&watch, shape->n_fields))
			return watch_continue(&watch, error);
		if (id < FIRST_ID)
			continue;
		for (int f = 0; last[id] > 0 && f < shape->n_fields; f++)
			same[f] += same_value(data, row, last[id] - 1, f, &watch);
		n += last[id] > 0;
		last[id] = row + 1;
	}
	for (int f = 0; f < shape->n_fields; f++)
		agreement[f] = n > 0 ? (double) same[f] / n : 0;
	arena_reset_to(arena, mark);
	return true;
}

static bool
is_beyond_chance(double agreement, double chance)
{
	return agreement - chance > MIN_AGREEMENT * (1 - chance);
}

bool
bonds_find(Arena *arena, const Dataset *data, const FieldBond *bonds, const EngineHost *host,
		   bool *with_item, bool *with_user, EngineError *error)
{
	const Shape *shape = &data->shape;
	struct ArenaBlock *mark = arena_mark(arena);
	double	   *by_item = ARENA_ARRAY(arena, double, shape->n_fields);
	double	   *by_user = ARENA_ARRAY(arena, double, shape->n_fields);
	double	   *chance = ARENA_ARRAY(arena, double, shape->n_fields);

	if (!arena_ok(arena, error) ||
		!measure_agreement(arena, data, host, shape->item_field, by_item, error) ||
		!measure_agreement(arena, data, host, shape->domain_field, chance, error) ||
		(shape->user_field >= 0 &&
		 !measure_agreement(arena, data, host, shape->user_field, by_user, error)))
		return false;
	for (int f = 0; f < shape->n_fields; f++)
	{
		bool		has_role = f == shape->domain_field || f == shape->user_field ||
			f == shape->item_field;

		with_item[f] = f == shape->item_field ||
			(!has_role && (bonds[f] == BOND_ITEM ||
						   (bonds[f] == BOND_BY_ROWS && by_item[f] > by_user[f] &&
							is_beyond_chance(by_item[f], chance[f]))));
		if (with_user)
			with_user[f] = f == shape->user_field ||
				(!has_role && !with_item[f] &&
				 (shape->field_is_list[f] ||
				  (by_user[f] > by_item[f] && is_beyond_chance(by_user[f], chance[f]))));
	}
	arena_reset_to(arena, mark);
	return true;
}
