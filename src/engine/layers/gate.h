/*
 * gate.h
 *	  Softmax gates and the mixtures that they make.
 */
#ifndef AREAD_ENGINE_LAYERS_GATE_H
#define AREAD_ENGINE_LAYERS_GATE_H

#include "engine/base/base.h"

/* Each group of n logits to its softmax, in place. */
extern void softmax_forward(real *logits, size_t groups, int n);
/* d (groups, n): gradient of the softmax "gates", in place to that of the logits. */
extern void softmax_backward(real *d, const real *gates, size_t groups, int n);

/*
 * MMoE's mixtures (Ma et al. 2018), of rows from .. to - 1:
 * h (B, n_out, H)[b, n] = sum_m gates (B, n_out, n_in)[b, n, m] * e[m] (B, H)[b]
 */
extern void mix_forward(real *h, const real *gates, real *const *e, int from, int to, int n_out,
						int n_in, int dim);
/* Sets d_gates and d_e[m]. */
extern void mix_backward(real *d_gates, real *const *d_e, const real *d_h, const real *gates,
						 real *const *e, int from, int to, int n_out, int n_in, int dim);

#endif							/* AREAD_ENGINE_LAYERS_GATE_H */
