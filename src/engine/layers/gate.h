/*
 * gate.h
 *	  Softmax gates over x0.
 */
#ifndef AREAD_ENGINE_LAYERS_GATE_H
#define AREAD_ENGINE_LAYERS_GATE_H

#include "engine/layers/plan.h"

/*
 * Gates (B, groups, n): each group's add up to 1.  Tensors "<name>.weight"
 * (groups, n, W) and "<name>.bias"; returns the slot.
 */
extern int	plan_gate(NetworkPlan *plan, const char *name, int x0, int groups, int n);

/* Each group of n logits to its softmax, in place. */
extern void softmax_forward(real *logits, size_t groups, int n);
/* d (groups, n): gradient of the softmax "gates", in place to that of the logits. */
extern void softmax_backward(real *d, const real *gates, size_t groups, int n);

#endif							/* AREAD_ENGINE_LAYERS_GATE_H */
