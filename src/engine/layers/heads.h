/*
 * heads.h
 *	  Output: a logit for each head, their loss, their mean (equations 6 to 9).
 *
 * Head j: s_j = sigmoid(w_j . [e_j ; cross(x0)] + wide(x) + b).  The heads are
 * the experts of the last HEI layer, or MMoE's outputs h_n, or (wide part and
 * FM) a single one without inputs of its own.
 */
#ifndef AREAD_ENGINE_LAYERS_HEADS_H
#define AREAD_ENGINE_LAYERS_HEADS_H

#include "engine/data/batch.h"
#include "engine/base/linear.h"

/* Where a head's input rows lie: segment s at data + offset[s] * stride, -1: closed. */
typedef struct HeadInput
{
	Matrix		e;
	Matrix		d_e;			/* data NULL: no gradient wanted */
	const int  *offset;			/* [S] */
} HeadInput;

typedef struct Heads
{
	int			n_heads;		/* J */
	int			n_in;			/* width of e_j; 0: none */
	int			width;			/* W; 0: no cross network */
	real	   *weight;			/* (J, n_in) */
	real	   *cross_weight;	/* (J, W) */
	HeadInput  *input;			/* [J] */
	real	   *logit;			/* (B, J) */
	real	   *d_logit;		/* (B, J), 0 where closed */
} Heads;

/* Is head j open in segment s? */
static inline bool
head_open(const Heads *heads, int j, int s)
{
	return !heads->input || heads->input[j].offset[s] >= 0;
}

/* logit (B, J) from base_logit[B] (wide, bias, pairwise) and the heads' own inputs. */
extern void heads_forward(Heads *heads, const Batch *batch, const real *base_logit,
						  const real *cross);
/*
 * Summed loss of the batch, rows by weight, and d_logit of its mean over rows:
 * segments without a mask BCE of the heads' mean (6), others the mean over open heads
 * of BCE (8).
 */
extern double heads_loss(Heads *heads, const Batch *batch);
/*
 * d_logit -> inputs' d_e (added), weights, d_cross (B, W; set, NULL: skip),
 * d_base[B] (set).
 */
extern void heads_backward(Heads *heads, const Batch *batch, const real *cross,
						   real *d_cross, real *d_base, const real *params, real *grads);

#endif							/* AREAD_ENGINE_LAYERS_HEADS_H */
