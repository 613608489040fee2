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
	LossKind	loss;			/* of grouped batches */
	double	   *scores;			/* [B] of a positive and its negatives */
	double	   *d_scores;		/* [B] */
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
 * of BCE (8).  Of grouped batches it is what group_loss() says of the scores of each
 * positive row and its negatives, by the positive row's weight: summed over groups, and
 * d_logit is still of the sum over the number of rows.  Scores are the logits of the heads'
 * mean, or, with a mask, each open head's, over which the mean is taken.
 */
extern double heads_loss(Heads *heads, const Batch *batch);

/* Is head j open in segment s? */
static inline bool
head_open(const Heads *heads, int j, int s)
{
	return !heads->e || heads->e->group[j].offset[s] >= 0;
}

/* Logit of the mean of a row's open heads, and, unless it is NULL, its gradient d [J]. */
extern double heads_score(const Heads *heads, int s, size_t b, double *d);

#endif							/* AREAD_ENGINE_LAYERS_HEADS_H */
