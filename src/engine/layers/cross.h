/*
 * cross.h
 *	  DCN's cross network (Wang et al. 2017): x_{k+1} = x0 (x_k . v_k) + b_k + x_k.
 */
#ifndef AREAD_ENGINE_LAYERS_CROSS_H
#define AREAD_ENGINE_LAYERS_CROSS_H

#include "engine/base/linear.h"

typedef struct Cross
{
	int			n_layers;
	int			width;			/* W */
	real	   *weight;			/* (n_layers, W): v_k */
	real	   *bias;			/* (n_layers, W): b_k */
	real	   *x;				/* (n_layers, B, W): x_1 .. x_K */
	real	   *product;		/* (n_layers, B): x_k . v_k */
	size_t		capacity;		/* B at most */
} Cross;

/* Output: cross_output(cross). */
extern void cross_forward(Cross *cross, const real *x0, int rows);
extern real *cross_output(const Cross *cross);
/* d (B, W), gradient of the output, is overwritten; d_x0 (B, W) gains. */
extern void cross_backward(const Cross *cross, real *d_x0, real *d_weight, real *d_bias,
						   real *d, const real *x0, int rows);

#endif							/* AREAD_ENGINE_LAYERS_CROSS_H */
