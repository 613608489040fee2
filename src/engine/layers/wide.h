/*
 * wide.h
 *	  The wide part: a weight for each value, and for each value in a domain.
 *
 * It is logistic regression over ids, fitted by logistic.c before the network
 * and then held; so it has no backward pass.  Only its bias goes on learning.
 */
#ifndef AREAD_ENGINE_LAYERS_WIDE_H
#define AREAD_ENGINE_LAYERS_WIDE_H

#include "engine/layers/plan.h"

typedef struct Wide
{
	Layer		layer;
	TensorRef  *refs;			/* [2 * n_fields] as weights */
	real	  **weights;		/* [2 * n_fields]: by value, then by pair; NULL: none */
	real	   *bias;			/* [1] */
	const Shape *shape;
	const DomainPairs *pairs;	/* [n_fields] */
} Wide;

/*
 * The first term of the logit: it sets the logit that others add to.  Its
 * weights "wide.<f>" and "domain_wide.<f>" are planned only with "weights", those of the
 * item also where popularity is put back; the bias is the heads'.
 */
extern void plan_wide(NetworkPlan *plan, bool weights);
/* A network's, of its copies of the layers. */
extern const Wide *wide_of(Layer *const *layers, int n_layers);
/*
 * Rows from .. to - 1 of logit[B] = bias + sum over fields of the value's
 * weight (of a list its members' mean, of a vector its numbers' sum, each times
 * its weight) and of its weight in the row's domain.  Ends early once the watch
 * (NULL: none) has stopped.
 */
extern void wide_forward(const Wide *wide, const Batch *batch, int from, int to, real *logit,
						 Watch *watch);

#endif							/* AREAD_ENGINE_LAYERS_WIDE_H */
