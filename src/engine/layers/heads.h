/*
 * heads.h
 *	  Output: a logit for each head, their loss, their mean (equations 6 to 9).
 *
 * Head j: s_j = sigmoid(w_j . e_j + v_j . cross + base), where base is what all
 * heads share: bias, wide part and other terms.  e_j is group j of a slot; where
 * that is closed, so is the head.  Without a slot there is a single head.
 */
#ifndef AREAD_ENGINE_LAYERS_HEADS_H
#define AREAD_ENGINE_LAYERS_HEADS_H

#include "engine/layers/plan.h"

typedef struct Heads
{
	Layer		layer;
	TensorRef	weight_ref;
	TensorRef	cross_ref;
	TensorRef	bias_ref;
	int			n_heads;		/* J */
	int			n_in;			/* width of e_j; 0: none */
	int			width;			/* of the other slot; 0: none */
	real	   *weight;			/* (J, n_in) */
	real	   *cross_weight;	/* (J, width) */
	real	   *bias;			/* [1] */
	/* training */
	const Slot *e;				/* NULL: none */
	const SlotGroup *cross;		/* NULL: none */
	real	   *logit;			/* (B, J) */
	real	   *d_logit;		/* (B, J), 0 where closed */
	/* scoring */
	int			column;			/* claimed columns: x0 . v_j */
	real	   *constant;		/* [J]: the other slot's constant . v_j */
} Heads;

/*
 * Heads on each group of slot e (NO_SLOT: one head on nothing), with the other
 * slot (NO_SLOT: none) as a second input of all.  Tensors "head.weight",
 * "head.cross" and "bias", the last one of every network.
 */
extern void plan_heads(NetworkPlan *plan, int e, int cross);
/* A network's, of its copies of the layers. */
extern Heads *heads_of(Layer *const *layers, int n_layers);

/*
 * Summed loss of the batch, rows by weight, and d_logit of its mean over rows:
 * segments without a mask BCE of the heads' mean (6), others the mean over open heads
 * of BCE (8).
 */
extern double heads_loss(Heads *heads, const Batch *batch);

#endif							/* AREAD_ENGINE_LAYERS_HEADS_H */
