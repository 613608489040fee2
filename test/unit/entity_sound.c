/*
 * entity_sound.c
 *	  A walk over a table of items, users or histories, as those who recommend walk.
 */
#include "entity_sound.h"

#include <math.h>

static bool
is_member(const Shape *shape, int field, uint64_t place, uint32_t member)
{
	if (shape_is_dense(shape, field) && place > 0)
		return isfinite(vector_number(member));
	return member < shape_rows(shape, field);
}

/* A value, or the members of its list. */
static bool
is_value(const Shape *shape, const EntityTable *table, int field, uint32_t value)
{
	if (!shape->field_is_list[field])
		return value < shape_rows(shape, field);
	if (value >= table->n_lists)
		return false;
	for (uint64_t i = table->list_start[value]; i < table->list_start[value + 1]; i++)
		if (!is_member(shape, field, i - table->list_start[value], table->list_members[i]))
			return false;
	return true;
}

bool
entity_table_is_sound(const Shape *shape, const EntityTable *table)
{
	uint32_t	n_linked = shape_rows(shape, entity_linked_field(shape, table->kind));
	uint64_t	sum = 0;

	for (uint32_t i = 0; i < table->n; i++)
	{
		for (uint32_t k = 0; k < table->n_fields; k++)
			if (!is_value(shape, table, (int) table->fields[k],
						  table->values[(size_t) i * table->n_fields + k]))
				return false;
		for (uint64_t l = table->link_start[i]; l < table->link_start[i + 1]; l++)
		{
			if (table->links[l] < FIRST_ID || table->links[l] >= n_linked)
				return false;
			sum += table->counts ? table->counts[l] : 0;
		}
	}
	return sum < UINT64_MAX;
}
