/*
 * taste.h
 *	  A user's taste: products of his vector, and of those of his history, with the item's.
 */
#ifndef AREAD_ENGINE_LAYERS_TASTE_H
#define AREAD_ENGINE_LAYERS_TASTE_H

#include "engine/layers/plan.h"

/*
 * A term of the logit, where the configuration has histories and the shape can have them.
 * It is 0 at the start, for users and members of histories begin there.
 */
extern void plan_taste(NetworkPlan *plan);
/* Is there one? */
extern bool plan_has_taste(const NetworkPlan *plan);

#endif							/* AREAD_ENGINE_LAYERS_TASTE_H */
