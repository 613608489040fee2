/*
 * gates.c
 *	  How many gates and experts there are.
 */
#include "engine/model/gates.h"

int
gates_total(const IntList *experts)
{
	return gate_offset(experts, experts->n + 1);
}

int
experts_total(const IntList *experts)
{
	int			n = 0;

	for (int l = 0; l < experts->n; l++)
		n += experts->value[l];
	return n;
}
