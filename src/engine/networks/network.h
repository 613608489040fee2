/*
 * network.h
 *	  A planned network made to work: forward and backward passes over batches.
 *
 * What lies below the cut of its plan is the "base"; a pass over the layers
 * above it can run again and again on the same base output, which is what the
 * cheap mask search does.
 *
 * Memory: all buffers are the arena's, allocated once, for batches up to a
 * capacity; room of row tensors grows with the batches.
 * Threads: a pass is one call of one thread, which deals out its tasks to the
 * team (workers.h); a network is used by one pass at a time.
 */
#ifndef AREAD_ENGINE_NETWORKS_NETWORK_H
#define AREAD_ENGINE_NETWORKS_NETWORK_H

#include "engine/layers/heads.h"
#include "engine/layers/hei.h"
#include "engine/layers/plan.h"
#include "engine/layers/wide.h"

/* What the base hands to the layers above the cut. */
typedef struct BaseOutput
{
	real	   *logit;			/* [B] what all heads share */
	real	   *value[MAX_CROSSING];	/* (B, groups, width) of each slot that crosses the cut */
} BaseOutput;

/* Some layers' tasks of one stage. */
typedef struct StageTask
{
	Layer	   *layer;			/* NULL: the serial layers of the stage */
	int			number;
} StageTask;

typedef struct Stage
{
	bool		above_cut;
	int			n_layers;
	Layer	  **layers;			/* in the order of planning */
	int			n_forward;
	StageTask  *forward;
	int			n_backward;
	StageTask  *backward;
	bool		has_rows;		/* backward_rows() of some layer */
} Stage;

typedef struct Network
{
	const Model *model;
	Pass		pass;
	Layer	   *layers[MAX_PLANNED];	/* [n_layers]; NULL: below the cut, of a copy of the upper part */
	int			n_layers;
	Slot		slots[MAX_PLANNED];
	int			n_stages;
	Stage	   *stages;
	BaseOutput	base;
	size_t		n_dense;		/* dense parameters that it has, at the start of params */
	/* for those who look into it; NULL: it has none */
	const Wide *wide;
	Heads	   *heads;
	Hei		   *hei;
} Network;

/*
 * Bind to a model's parameters; batches of up to "capacity" rows.  shared
 * [n_fields]: see fields_choose(); NULL: no field.  team: NULL for none.
 */
extern bool network_init(Network *network, const Model *model, int capacity, const bool *shared,
						 Team *team, Arena *arena, EngineError *error);

/*
 * The layers above the cut alone, for passes of one thread on base outputs of
 * "whole", over a copy of their parameters that the caller fills.
 */
extern bool network_init_above_cut(Network *network, const Network *whole, Arena *arena,
								   EngineError *error);

/* Room for base outputs of the network; lack of memory shows in the arena. */
extern void base_output_init(BaseOutput *base, const Network *network, Arena *arena);
/* Keep the first rows of the present one. */
extern void base_output_copy(BaseOutput *base, const Network *network, int rows);

/* From ids to network->base. */
extern void network_base_forward(Network *network, const Batch *batch, const PassMode *mode);
/* From a base output (of this or an earlier pass) to the heads' logits. */
extern void network_upper_forward(Network *network, const Batch *batch, const BaseOutput *base,
								  const PassMode *mode);

/*
 * Gradients of the mean loss into network->pass.grads and the row tensors.
 * Sets *loss to the summed loss of the batch.
 */
extern bool network_backward(Network *network, const Batch *batch, double *loss,
							 EngineError *error);
/* The same for the dense parameters above the cut alone. */
extern void network_upper_backward(Network *network, const Batch *batch, double *loss);

#endif							/* AREAD_ENGINE_NETWORKS_NETWORK_H */
