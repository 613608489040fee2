/*
 * pairwise.h
 *	  The pairwise term of a factorization machine: products of the vectors of
 *	  all pairs of fields.
 */
#ifndef AREAD_ENGINE_LAYERS_PAIRWISE_H
#define AREAD_ENGINE_LAYERS_PAIRWISE_H

#include "engine/layers/plan.h"

/* A term of the logit over x0; it has no tensors. */
extern void plan_pairwise(NetworkPlan *plan, int x0);
/*
 * Is there such a term?  It is the only one that is not 0 at the start: embeddings
 * start small, what makes the other terms of the logit starts at 0.
 */
extern bool plan_has_pairwise(const NetworkPlan *plan);

/*
 * logit[B] += sum over pairs of fields f < g of x0_f . x0_g (Rendle 2010);
 * sums (B, dim) keeps sum_f x0_f for the backward pass.  Both leave the rest
 * undone once the watch (NULL: none) has stopped.
 */
extern void pairwise_forward(real *logit, real *sums, const real *x0, int rows,
							 int n_fields, int dim, Watch *watch);
/* d_x0 += d_logit * (sum - x0_f) */
extern void pairwise_backward(real *d_x0, const real *d_logit, const real *sums,
							  const real *x0, int rows, int n_fields, int dim, Watch *watch);

#endif							/* AREAD_ENGINE_LAYERS_PAIRWISE_H */
