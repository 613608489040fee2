/*
 * experts.h
 *	  MLPs side by side over x0: MMoE's experts, a deep network (one of them).
 */
#ifndef AREAD_ENGINE_LAYERS_EXPERTS_H
#define AREAD_ENGINE_LAYERS_EXPERTS_H

#include "engine/layers/plan.h"

/* Tensors "<prefix>.layer<k>.*" of n MLPs; returns the slot (n, B, last of dims). */
extern int	plan_experts(NetworkPlan *plan, const char *prefix, int x0, int n, const IntList *dims);

#endif							/* AREAD_ENGINE_LAYERS_EXPERTS_H */
