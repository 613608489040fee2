/*
 * gates.h
 *	  The gates between HEI layers by number: how many there are, and where.
 *
 * Gate (l, i, n) feeds expert i of layer l - 1 into expert n of layer l.  Gate
 * order is by layer l = 2 .. L, then by lower expert i, then by upper expert n.
 * "experts" is N_1 .. N_L, the experts of each layer.
 */
#ifndef AREAD_ENGINE_MODEL_GATES_H
#define AREAD_ENGINE_MODEL_GATES_H

#include "engine/base/limits.h"

/* First gate of HEI layer l (2 <= l <= L) in gate order. */
static inline int
gate_offset(const IntList *experts, int layer)
{
	int			offset = 0;

	for (int l = 2; l < layer; l++)
		offset += experts->value[l - 2] * experts->value[l - 1];
	return offset;
}

/* Gate (l, i, n) in gate order; i and n from 0. */
static inline int
gate_at(const IntList *experts, int l, int i, int n)
{
	return gate_offset(experts, l) + i * experts->value[l - 1] + n;
}

/* Gates of all layers, G. */
extern int	gates_total(const IntList *experts);
/* Experts of all layers, sum over l of N_l. */
extern int	experts_total(const IntList *experts);

#endif							/* AREAD_ENGINE_MODEL_GATES_H */
