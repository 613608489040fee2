/*
 * skip.h
 *	  A logit straight from a slot, beside what stands on it.
 */
#ifndef AREAD_ENGINE_LAYERS_SKIP_H
#define AREAD_ENGINE_LAYERS_SKIP_H

#include "engine/layers/plan.h"

/* A term of the logit, skip . h_b, over all groups of h side by side; the tensor (groups, width). */
extern void plan_skip(NetworkPlan *plan, const char *name, int h);

#endif							/* AREAD_ENGINE_LAYERS_SKIP_H */
