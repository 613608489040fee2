/*
 * bonds.c
 *	  Which fields go with the item, and which with the user.
 *
 * Where that is not given, the training rows tell: how often rows of one item agree
 * on a field, rows of one user, and rows of one domain, which is chance.
 */
#include "engine/sampling/bonds.h"

/* A field goes with its owner if the owner's rows agree on it that much beyond chance. */
#define LEAST_BEYOND_CHANCE 0.5

static bool
is_beyond_chance(double agreement, double chance)
{
	return agreement - chance > LEAST_BEYOND_CHANCE * (1 - chance);
}

bool
bonds_find(Arena *arena, const Dataset *data, const uint32_t *order, const FieldBond *bonds,
		   const EngineHost *host, bool *with_item, bool *with_user, EngineError *error)
{
	const Shape *shape = &data->shape;
	struct ArenaBlock *mark = arena_mark(arena);
	double	   *by_item = ARENA_ARRAY(arena, double, shape->n_fields);
	double	   *by_user = ARENA_ARRAY(arena, double, shape->n_fields);
	double	   *chance = ARENA_ARRAY(arena, double, shape->n_fields);

	if (!arena_ok(arena, error) ||
		!measure_agreement(arena, data, order, host, shape->item_field, by_item, error) ||
		!measure_agreement(arena, data, order, host, shape->domain_field, chance, error) ||
		(shape->user_field >= 0 &&
		 !measure_agreement(arena, data, order, host, shape->user_field, by_user, error)))
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
