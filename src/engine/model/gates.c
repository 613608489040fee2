/*
 * gates.c
 *	  Numbers of gates and experts.
 */
#include "engine/model/gates.h"

int
gate_offset(const IntList *experts, int layer)
{
	int			offset = 0;

	for (int l = 2; l < layer; l++)
		offset += experts->value[l - 2] * experts->value[l - 1];
	return offset;
}

int
gate_at(const IntList *experts, int l, int i, int n)
{
	return gate_offset(experts, l) + i * experts->value[l - 1] + n;
}

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
