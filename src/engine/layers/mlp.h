/*
 * mlp.h
 *	  Multi-layer perceptrons: linear -> batch norm -> ReLU -> dropout.
 */
#ifndef AREAD_ENGINE_LAYERS_MLP_H
#define AREAD_ENGINE_LAYERS_MLP_H

#include "engine/base/linear.h"
#include "engine/model/model.h"
#include "engine/base/random.h"
#include "engine/layers/workers.h"

/* MLPs of a network at most: MMoE's experts and those of all HEI layers. */
#define MAX_MLPS (MAX_EXPERTS * (MAX_LAYERS + 1))

/*
 * How a forward pass is made.  Batch norm takes the batch's statistics, for one
 * row the running ones.
 */
typedef struct PassMode
{
	bool		dropout;
	bool		update_running;
	uint64_t	seed;			/* dropout's coins: of the seed, this use, the pass and the MLP */
	RandomUse	use;
	uint64_t	pass;
} PassMode;

typedef struct MlpLayer
{
	int			n_in;
	int			n_out;
	real	   *weight;			/* (n_out, n_in) */
	real	   *bias;			/* [n_out]: batch norm's shift */
	real	   *scale;			/* [n_out], the next two likewise; batch norm only */
	real	   *mean;
	real	   *variance;
} MlpLayer;

typedef struct Mlp
{
	int			number;			/* within the network */
	int			n_layers;
	MlpLayer	layer[MAX_LAYERS];
	bool		batch_norm;
	real		dropout;
} Mlp;

/* What a forward pass leaves for the backward one, and what that one leaves. */
typedef struct MlpCache
{
	Matrix		in;
	real	   *out[MAX_LAYERS];	/* (rows, n_out) after dropout */
	real	   *normalized[MAX_LAYERS]; /* (rows, n_out) before scale and bias; may be "out" */
	real	   *inverse_std[MAX_LAYERS];	/* [n_out] */
	bool		used_batch[MAX_LAYERS]; /* statistics came from the batch */
	real		keep_scale;		/* of dropout; 1 without */
	real	   *d[MAX_LAYERS];	/* (rows, n_out) gradients: of the output, then of the product */
} MlpCache;

/*
 * Attach to block "block" of a model's tensors "<prefix>.layer<k>.*", k = 0 ..
 * n_layers - 1, each (blocks, n_out, n_in) or (blocks, n_out).
 */
extern void mlp_bind(Mlp *mlp, const Model *model, const char *prefix, int n_layers, int block,
					 int number);
/* Buffers for up to "rows" rows; normalized and d only for training. */
extern void mlp_cache_alloc(MlpCache *cache, const Mlp *mlp, int rows, bool training,
							Arena *arena);

/* Where the first layer's product (rows, n_out) belongs. */
extern real *mlp_first_product(const MlpCache *cache);
/* All after that product; output in cache->out[n_layers - 1]. */
extern void mlp_forward_rest(const Mlp *mlp, MlpCache *cache, int rows, const PassMode *mode,
							 Scratch *scratch);
/* The whole; in is (rows, n_in). */
extern void mlp_forward(const Mlp *mlp, MlpCache *cache, Matrix in, int rows,
						const PassMode *mode, Scratch *scratch);
/*
 * From the output's gradient in cache->d[n_layers - 1] to that of the first
 * layer's product in cache->d[0].  Gradients of parameters, but for the first
 * layer's weight, are added at grads + (parameter - params).
 */
extern void mlp_backward_rest(const Mlp *mlp, MlpCache *cache, int rows, const real *params,
							  real *grads, Scratch *scratch);
/* The whole; d_in (rows, n_in) is set, d_in.data may be NULL. */
extern void mlp_backward(const Mlp *mlp, MlpCache *cache, Matrix d_in, int rows,
						 const real *params, real *grads, Scratch *scratch);

/*
 * The same MLP with batch norm's running statistics folded into weights and
 * bias (Jacob et al. 2018, section 3.2), in memory of the arena.
 */
extern bool mlp_fold(Mlp *folded, const Mlp *mlp, Arena *arena, EngineError *error);

#endif							/* AREAD_ENGINE_LAYERS_MLP_H */
