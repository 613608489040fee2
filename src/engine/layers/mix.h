/*
 * mix.h
 *	  Mixtures of experts by gates (MMoE, Ma et al. 2018).
 */
#ifndef AREAD_ENGINE_LAYERS_MIX_H
#define AREAD_ENGINE_LAYERS_MIX_H

#include "engine/layers/plan.h"

/* h (B, groups of the gates, H) of gates (B, groups, M) and the experts e (M, B, H); its slot. */
extern int	plan_mix(NetworkPlan *plan, int gates, int e);

/*
 * Of rows from .. to - 1, unless the watch (NULL: none) stops:
 * h (B, n_out, H)[b, n] = sum_m gates (B, n_out, n_in)[b, n, m] * e[m] (B, H)[b]
 */
extern void mix_forward(real *h, const real *gates, real *const *e, int from, int to, int n_out,
						int n_in, int dim, Watch *watch);
/* Sets d_gates; adds to d_e[m]. */
extern void mix_backward(real *d_gates, real *const *d_e, const real *d_h, const real *gates,
						 real *const *e, int from, int to, int n_out, int n_in, int dim,
						 Watch *watch);

#endif							/* AREAD_ENGINE_LAYERS_MIX_H */
