/*
 * cross.h
 *	  DCN's cross network (Wang et al. 2017): x_{k+1} = x0 (x_k . v_k) + b_k + x_k.
 */
#ifndef AREAD_ENGINE_LAYERS_CROSS_H
#define AREAD_ENGINE_LAYERS_CROSS_H

#include "engine/layers/plan.h"

typedef struct Cross
{
	Layer		layer;
	TensorRef	weight_ref;
	TensorRef	bias_ref;
	int			n_layers;
	int			width;			/* W */
	real	   *weight;			/* (n_layers, W): v_k */
	real	   *bias;			/* (n_layers, W): b_k */
	real	   *x;				/* (n_layers, B, W): x_1 .. x_K */
	real	   *product;		/* (n_layers, B): x_k . v_k */
	size_t		capacity;		/* B at most */
	/* scoring */
	int			column;			/* claimed columns: x0 . v_k */
	real	   *constant;		/* [n_layers]: c_k . v_k */
} Cross;

/* Tensors "cross.weight" and "cross.bias"; returns the slot (B, 1, W).  n_layers 0: NO_SLOT. */
extern int	plan_cross(NetworkPlan *plan, int x0, int n_layers);

/* Output: cross_output(cross).  Both leave the rest undone once the watch (NULL: none) has stopped. */
extern void cross_forward(Cross *cross, const real *x0, int rows, Watch *watch);
extern real *cross_output(const Cross *cross);
/* d (B, W), gradient of the output, is overwritten; d_x0 (B, W) gains. */
extern void cross_backward(const Cross *cross, real *d_x0, real *d_weight, real *d_bias,
						   real *d, const real *x0, int rows, Watch *watch);

#endif							/* AREAD_ENGINE_LAYERS_CROSS_H */
