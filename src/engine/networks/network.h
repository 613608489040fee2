/*
 * network.h
 *	  The layers put together: a forward and a backward pass over a batch.
 *
 *	  ids -> x0 -> MMoE experts -> mixtures h -> HEI -> heads -> loss
 *			  \--> cross network ------------------/
 *	  ids -> wide (+ pairwise) -------------------/
 *
 * The "base" is everything below HEI; a pass over the experts can run again
 * and again on the same base output, which is what the cheap mask search does.
 */
#ifndef AREAD_ENGINE_NETWORKS_NETWORK_H
#define AREAD_ENGINE_NETWORKS_NETWORK_H

#include "engine/layers/embedding.h"
#include "engine/layers/heads.h"
#include "engine/layers/hei.h"
#include "engine/layers/mmoe.h"
#include "engine/layers/wide.h"

/* What the base hands to experts and heads. */
typedef struct BaseOutput
{
	real	   *h;				/* (B, N_1, H); NULL without MMoE */
	real	   *cross;			/* (B, W); NULL without cross network */
	real	   *logit;			/* [B] wide + bias + pairwise */
} BaseOutput;

typedef struct Network
{
	const Model *model;
	Arena	   *arena;
	int			capacity;		/* B at most */
	bool		training;
	int			width;			/* W */
	RowTensor  *tables;			/* [n_tables] embeddings */
	Wide		wide;
	Mmoe		mmoe;
	real	   *skip;			/* (N_1, H): h to the logit; NULL: none */
	Hei			hei;
	Heads		heads;
	int		   *segment_start;	/* [S]: offsets of heads on the mixtures */
	Workers		workers;
	/* activations */
	real	   *x0;				/* (B, W) */
	real	   *pairwise_sums;	/* (B, E) */
	BaseOutput	base;
	/* gradients */
	size_t		n_dense;		/* dense parameters, at the start of params */
	size_t		n_expert_dense; /* of them HEI, gates, heads, bias */
	real	   *grads;			/* [n_dense] */
	real	   *d_x0;			/* (B, W) */
	real	   *d_base;			/* [B] */
} Network;

/*
 * Bind to a model's parameters; batches of up to "capacity" rows.  Gradients
 * and what backward passes need only with "training".  shared [n_fields]: see
 * fields_choose(); NULL: no field.  team: NULL for none.
 */
extern bool network_init(Network *network, const Model *model, int capacity, bool training,
						 const bool *shared, Team *team, Arena *arena, EngineError *error);

/*
 * Experts and heads alone, for passes of one thread on base outputs of
 * "whole", over a copy of their parameters that the caller fills.
 */
extern bool network_init_experts(Network *network, const Network *whole, Arena *arena,
								 EngineError *error);

/* The embedding tables [n_tables]; only with "training" room for gradients. */
extern RowTensor *tables_bind(const Model *model, bool training, Arena *arena);
/* The heads' weights, without inputs. */
extern void heads_bind(Heads *heads, const Model *model);

/* From ids to network->base. */
extern void network_base_forward(Network *network, const Batch *batch, const PassMode *mode);
/* From a base output (of this or an earlier pass) to the heads' logits. */
extern void network_experts_forward(Network *network, const Batch *batch,
									const BaseOutput *base, const PassMode *mode);

/*
 * Gradients of the mean loss into network->grads and the row tensors.  Sets
 * *loss to the summed loss of the batch.
 */
extern bool network_backward(Network *network, const Batch *batch, double *loss,
							 EngineError *error);
/* The same for the dense parameters of experts and heads alone. */
extern void network_experts_backward(Network *network, const Batch *batch,
									 const BaseOutput *base, double *loss);

#endif							/* AREAD_ENGINE_NETWORKS_NETWORK_H */
