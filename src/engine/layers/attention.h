/*
 * attention.h
 *	  How much a member of a history counts for an item: a small network over both
 *	  (Zhou et al. 2018, without the softmax, as there).
 *
 *	  a = c + sum over units h of v_h relu(b_h + W1_h . m + W2_h . q + W3_h . (m * q))
 *
 * with the vectors m and q (E) of member and item.  Their difference, which the paper has as
 * well, is a sum of what W1 and W2 see.  At the start a is nearly c = 1, as without attention.
 *
 * Of one item the first layer is linear in m: it is folded once for all members.
 */
#ifndef AREAD_ENGINE_LAYERS_ATTENTION_H
#define AREAD_ENGINE_LAYERS_ATTENTION_H

#include "engine/layers/plan.h"

#define ATTENTION_UNITS 8

typedef struct AttentionTensors
{
	TensorRef	weight;			/* (units, 3 E): W1, W2, W3 side by side */
	TensorRef	bias;			/* [units] b */
	TensorRef	out;			/* [units] v */
	TensorRef	base;			/* [1] c */
} AttentionTensors;

typedef struct Attention
{
	const real *weight;
	const real *bias;
	const real *out;
	const real *base;
	size_t		dim;			/* E */
} Attention;

/* The first layer over a member, for one item; and of a pass backward its gradient. */
typedef struct AttentionFold
{
	real		weight[ATTENTION_UNITS * MAX_EMBED_DIM];	/* (units, E): W1 + W3 * q */
	real		bias[ATTENTION_UNITS];	/* b + W2 . q */
} AttentionFold;

extern void attention_plan(AttentionTensors *tensors, NetworkPlan *plan, const char *name);
extern void attention_bind(Attention *attention, const AttentionTensors *tensors,
						   const Model *model);
extern void attention_fold(const Attention *attention, const real *q, AttentionFold *fold);
/* The weight a of a member [E]. */
extern real attention_weight(const Attention *attention, const AttentionFold *fold,
							 const real *m);
/*
 * From the gradient of a member's weight: to d_m [E], to the fold's gradient, which begins at
 * zero, and to those of v and c.
 */
extern void attention_backward(const Attention *attention, const AttentionFold *fold,
							   const real *m, real d_weight, real *d_m, AttentionFold *d_fold,
							   Pass *pass);
/* From the gradient of an item's fold: to d_q [E], and to those of W and b. */
extern void attention_fold_backward(const Attention *attention, const real *q,
									const AttentionFold *d_fold, real *d_q, Pass *pass);

#endif							/* AREAD_ENGINE_LAYERS_ATTENTION_H */
