/*
 * mlp.h
 *	  Multi-layer perceptrons: linear -> batch norm -> ReLU -> dropout.
 *
 * An Mlp may be several side by side ("blocks") over the same rows: the MMoE
 * experts.  Their first layer has the same input and is one wide product; the
 * columns of later layers belong to one block each.
 */
#ifndef AREAD_ENGINE_MLP_H
#define AREAD_ENGINE_MLP_H

#include "linear.h"
#include "model.h"
#include "random.h"

/* How a pass over the network runs. */
typedef struct PassMode
{
	bool		dropout;
	bool		batch_statistics;	/* else the running ones */
	bool		update_running;
	Random	   *random;			/* dropout's coins */
} PassMode;

typedef struct MlpLayer
{
	int			n_in;			/* of one block */
	int			n_out;			/* of one block */
	real	   *weight;			/* (blocks, n_out, n_in) */
	real	   *bias;			/* (blocks, n_out): batch norm's shift */
	real	   *scale;			/* (blocks, n_out), the next two likewise; batch norm only */
	real	   *mean;
	real	   *variance;
} MlpLayer;

typedef struct Mlp
{
	int			blocks;
	int			n_layers;
	MlpLayer	layer[MAX_LAYERS];
	bool		batch_norm;
	real		dropout;
} Mlp;

/* What a forward pass leaves for the backward one. */
typedef struct MlpCache
{
	Matrix		in;
	real	   *out[MAX_LAYERS];	/* (rows, blocks * n_out) after dropout */
	real	   *normalized[MAX_LAYERS]; /* (rows, blocks * n_out) before scale and bias */
	real	   *inverse_std[MAX_LAYERS];	/* (blocks * n_out) */
	bool		used_batch[MAX_LAYERS]; /* statistics came from the batch */
	real		keep_scale;		/* of dropout; 1 without */
} MlpCache;

/* Element buffers that all MLPs of a network share. */
typedef struct MlpScratch
{
	real	   *sum;			/* (widest layer) */
	real	   *sum2;			/* (widest layer) */
	uint16_t   *coins;			/* (widest layer) */
	real	   *d_out;			/* (rows, widest layer) */
	real	   *d_in;			/* (rows, widest layer) */
	Watch	   *watch;			/* NULL: none */
} MlpScratch;

/*
 * Attach to a model's tensors "<prefix>.layer<k>.*", k = 0 .. n_layers - 1.
 */
extern void mlp_bind(Mlp *mlp, const Model *model, const char *prefix, int n_layers);
/* Columns of layer k's output: blocks * n_out. */
extern int	mlp_width(const Mlp *mlp, int k);
/* Buffers for up to "rows" rows; normalized only for training. */
extern void mlp_cache_alloc(MlpCache *cache, const Mlp *mlp, int rows, bool training,
							Arena *arena);

/* Output in cache->out[n_layers - 1]; in is (rows, n_in). */
extern void mlp_forward(const Mlp *mlp, MlpCache *cache, Matrix in, int rows,
						const PassMode *mode, MlpScratch *scratch);
/*
 * d_out (rows, width of the last layer) is overwritten.  Gradients are added
 * at grads + (parameter - params).  d_in (rows, n_in) = keep * d_in + gradient;
 * d_in.data may be NULL.
 */
extern void mlp_backward(const Mlp *mlp, const MlpCache *cache, real *d_out,
						 Matrix d_in, real keep, int rows, const real *params,
						 real *grads, MlpScratch *scratch);

/*
 * The same MLP with batch norm's running statistics folded into weights and
 * bias (Jacob et al. 2018, section 3.2), in memory of the arena.
 */
extern bool mlp_fold(Mlp *folded, const Mlp *mlp, Arena *arena, EngineError *error);

#endif							/* AREAD_ENGINE_MLP_H */
