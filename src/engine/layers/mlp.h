/*
 * mlp.h
 *	  Multi-layer perceptrons: linear -> batch norm -> ReLU -> dropout.
 */
#ifndef AREAD_ENGINE_LAYERS_MLP_H
#define AREAD_ENGINE_LAYERS_MLP_H

#include "engine/base/linear.h"
#include "engine/layers/plan.h"

/*
 * Dropout's streams are pass * MAX_MLPS + number.  A plan has that many MLPs at
 * most: those over x0, and those of MAX_LAYERS layers above them.
 */
#define MAX_MLPS (MAX_EXPERTS * (MAX_LAYERS + 1))

/* The tensors of MLPs side by side, each (blocks, n_out, n_in) or (blocks, n_out). */
typedef struct MlpTensors
{
	int			n_layers;
	int			n_in;
	IntList		dims;			/* [n_layers] n_out */
	TensorRef	weight[MAX_LAYERS];
	TensorRef	bias[MAX_LAYERS];
	TensorRef	scale[MAX_LAYERS];	/* NO_TENSOR, like the next two: no batch norm */
	TensorRef	mean[MAX_LAYERS];
	TensorRef	variance[MAX_LAYERS];
} MlpTensors;

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

/* Plan the tensors "<prefix>.layer<k>.*" of "blocks" MLPs over n_in inputs. */
extern void mlp_plan(MlpTensors *tensors, NetworkPlan *plan, const char *prefix, int blocks, int n_in,
					 const IntList *dims);
/* Attach to one block of them. */
extern void mlp_bind(Mlp *mlp, const MlpTensors *tensors, const Model *model, int block,
					 int number);
/* Buffers for up to "rows" rows. */
extern void mlp_cache_alloc(MlpCache *cache, const Mlp *mlp, int rows, Arena *arena);

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
extern bool mlp_fold(Mlp *folded, const Mlp *mlp, Arena *arena, Watch *watch,
					 EngineError *error);

#endif							/* AREAD_ENGINE_LAYERS_MLP_H */
