/*
 * mlp.c
 *	  Multi-layer perceptrons: linear -> batch norm -> ReLU -> dropout.
 *
 * No layers of a plan, but what layers of experts are made of: tensors for several
 * MLPs side by side, one block each; passes of one of them over some rows; and its
 * layers with batch norm folded in, for scoring.
 *
 * The first layer's product may come from elsewhere, where the input is x0
 * (first_layer.h): the functions called "rest" do all but that.
 */
#include "engine/layers/mlp.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/layers/batch_norm.h"

#define BATCH_NORM_EPSILON 1e-5
#define BATCH_NORM_MOMENTUM 0.1

/* One statistic of each output of a layer. */
static TensorRef
plan_statistic(NetworkPlan *plan, bool variance, int blocks, int n_out, const char *prefix, int k)
{
	Tensor		tensor = {.kind = TENSOR_STATISTIC,.start = variance ? START_ONE : START_ZERO,
		.variance = variance,.field = -1,.table = -1,.n_dims = 2,.dims = {blocks, n_out}};

	return tensors_add(&plan->tensors, &tensor, "%s.layer%d.%s", prefix, k,
					   variance ? "variance" : "mean");
}

void
mlp_plan(MlpTensors *tensors, NetworkPlan *plan, const char *prefix, int blocks, int n_in,
		 const IntList *dims)
{
	bool		batch_norm = plan->config->batch_norm;

	*tensors = (MlpTensors) {.n_layers = dims->n,.n_in = n_in,.dims = *dims};
	for (int k = 0; k < dims->n; k++)
	{
		int			n_out = dims->value[k];

		tensors->weight[k] = plan_dense(plan, START_RELU, true, blocks, n_out, n_in,
										"%s.layer%d.weight", prefix, k);
		tensors->bias[k] = plan_dense(plan, START_ZERO, false, blocks, n_out, 0,
									  "%s.layer%d.bias", prefix, k);
		tensors->scale[k] = tensors->mean[k] = tensors->variance[k] = NO_TENSOR;
		if (batch_norm)
		{
			tensors->scale[k] = plan_dense(plan, START_ONE, false, blocks, n_out, 0,
										   "%s.layer%d.scale", prefix, k);
			tensors->mean[k] = plan_statistic(plan, false, blocks, n_out, prefix, k);
			tensors->variance[k] = plan_statistic(plan, true, blocks, n_out, prefix, k);
		}
		plan->widest = n_out > plan->widest ? n_out : plan->widest;
		n_in = n_out;
	}
}

/* A block of a tensor; NULL: there is no such tensor. */
static real *
bind_block(const Model *model, TensorRef ref, int block)
{
	const Tensor *tensor;

	if (ref == NO_TENSOR)
		return NULL;
	tensor = model_tensor(model, ref);
	return model_values(model, tensor) + tensor->size / tensor->dims[0] * block;
}

void
mlp_bind(Mlp *mlp, const MlpTensors *tensors, const Model *model, int block, int number)
{
	memset(mlp, 0, sizeof(*mlp));
	mlp->number = number;
	mlp->n_layers = tensors->n_layers;
	mlp->batch_norm = model->config.batch_norm;
	mlp->dropout = model->config.dropout;
	for (int k = 0; k < mlp->n_layers; k++)
	{
		MlpLayer   *layer = &mlp->layer[k];

		layer->n_in = k > 0 ? tensors->dims.value[k - 1] : tensors->n_in;
		layer->n_out = tensors->dims.value[k];
		layer->weight = bind_block(model, tensors->weight[k], block);
		layer->bias = bind_block(model, tensors->bias[k], block);
		layer->scale = bind_block(model, tensors->scale[k], block);
		layer->mean = bind_block(model, tensors->mean[k], block);
		layer->variance = bind_block(model, tensors->variance[k], block);
	}
}

void
mlp_cache_alloc(MlpCache *cache, const Mlp *mlp, int rows, Arena *arena)
{
	memset(cache, 0, sizeof(*cache));
	for (int k = 0; k < mlp->n_layers; k++)
	{
		size_t		width = mlp->layer[k].n_out;

		cache->out[k] = ARENA_ARRAY(arena, real, rows * width);
		cache->normalized[k] = cache->out[k];
		cache->inverse_std[k] = ARENA_ARRAY(arena, real, width);
		cache->d[k] = ARENA_ARRAY(arena, real, rows * width);
		if (mlp->batch_norm)
			cache->normalized[k] = ARENA_ARRAY(arena, real, rows * width);
	}
}

static void
update_running(const MlpLayer *layer, int rows, const real *mean, const real *variance)
{
	real		unbias = (real) rows / (rows - 1);

	for (int c = 0; c < layer->n_out; c++)
	{
		layer->mean[c] += (real) BATCH_NORM_MOMENTUM * (mean[c] - layer->mean[c]);
		layer->variance[c] += (real) BATCH_NORM_MOMENTUM *
			(unbias * variance[c] - layer->variance[c]);
	}
}

/*
 * What normalizing takes: mean in scratch->sum, 1 / sqrt(variance + eps) in
 * cache->inverse_std.  Statistics of the batch need two rows; below that, and
 * where the mode says so, the running ones serve.
 */
static void
find_statistics(const Mlp *mlp, MlpCache *cache, int k, const real *z, int rows,
				const PassMode *mode, Scratch *scratch)
{
	const MlpLayer *layer = &mlp->layer[k];
	const real *variance = layer->variance;

	cache->used_batch[k] = rows >= 2 && !mode->running_statistics;
	if (cache->used_batch[k])
	{
		column_statistics(z, rows, layer->n_out, scratch->sum, scratch->sum2);
		variance = scratch->sum2;
		if (mode->update_running)
			update_running(layer, rows, scratch->sum, variance);
	}
	else
		memcpy(scratch->sum, layer->mean, layer->n_out * sizeof(real));
	for (int c = 0; c < layer->n_out; c++)
		cache->inverse_std[k][c] = 1 / sqrt(variance[c] + BATCH_NORM_EPSILON);
}

/* out = relu(z + bias); out may be z. */
static HOT void
activate(const real *z, real *out, int rows, int width, const real *restrict bias)
{
	for (int r = 0; r < rows; r++)
		for (int c = 0; c < width; c++)
		{
			real		value = z[(size_t) r * width + c] + bias[c];

			out[(size_t) r * width + c] = value > 0 ? value : 0;
		}
}

static HOT void
drop(real *restrict out, const uint16_t *restrict coins, size_t n, uint16_t limit,
	 real keep_scale)
{
	for (size_t i = 0; i < n; i++)
		out[i] = coins[i] < limit ? 0 : out[i] * keep_scale;
}

/* Zero a share "dropout" of out[n], scale the rest by 1 / (1 - dropout). */
static void
dropout_forward(real *out, size_t n, real dropout, Random *random, uint16_t *coins)
{
	for (size_t at = 0; at < n; at += COINS)
	{
		size_t		some = n - at < COINS ? n - at : COINS;

		random_fill16(random, coins, some);
		drop(out + at, coins, some, (uint16_t) (dropout * 65536), 1 / (1 - dropout));
	}
}

real *
mlp_first_product(const MlpCache *cache)
{
	return cache->normalized[0];
}

void
mlp_forward_rest(const Mlp *mlp, MlpCache *cache, int rows, const PassMode *mode,
				 Scratch *scratch)
{
	bool		dropout = mode->dropout && mlp->dropout > 0;
	Random		random;

	cache->keep_scale = dropout ? 1 / (1 - mlp->dropout) : 1;
	if (dropout)
		random_start(&random, mode->seed, mode->use, mode->pass * MAX_MLPS + mlp->number);
	for (int k = 0; k < mlp->n_layers && !watch_stopped(scratch->watch); k++)
	{
		const MlpLayer *layer = &mlp->layer[k];
		int			width = layer->n_out;
		real	   *out = cache->out[k];
		real	   *z = cache->normalized[k];

		if (k > 0)
			linear_forward((Matrix) {z, width}, (Matrix) {cache->out[k - 1], layer->n_in},
						   layer->weight, rows, layer->n_in, width, scratch->watch);
		if (mlp->batch_norm)
		{
			find_statistics(mlp, cache, k, z, rows, mode, scratch);
			normalize_activate(z, out, rows, width, scratch->sum, cache->inverse_std[k],
							   layer->scale, layer->bias);
		}
		else
			activate(z, out, rows, width, layer->bias);
		if (dropout)
			dropout_forward(out, (size_t) rows * width, mlp->dropout, &random, scratch->coins);
	}
}

void
mlp_forward(const Mlp *mlp, MlpCache *cache, Matrix in, int rows, const PassMode *mode,
			Scratch *scratch)
{
	const MlpLayer *first = &mlp->layer[0];

	cache->in = in;
	linear_forward((Matrix) {mlp_first_product(cache), first->n_out}, in, first->weight, rows,
				   first->n_in, first->n_out, scratch->watch);
	mlp_forward_rest(mlp, cache, rows, mode, scratch);
}

/* One layer, from its output's gradient to its product's. */
static void
layer_backward(const Mlp *mlp, MlpCache *cache, int k, int rows, const real *params,
			   real *grads, Scratch *scratch)
{
	const MlpLayer *layer = &mlp->layer[k];
	int			width = layer->n_out;
	real	   *sum = scratch->sum;
	real	   *sum_normalized = scratch->sum2;

	activate_backward(cache->d[k], cache->out[k], cache->normalized[k], rows, width,
					  cache->keep_scale, sum, sum_normalized);
	add_scaled(grads + (layer->bias - params), 1, sum, width);
	if (!mlp->batch_norm)
		return;
	add_scaled(grads + (layer->scale - params), 1, sum_normalized, width);
	for (int c = 0; c < width; c++)
	{
		sum[c] = cache->used_batch[k] ? sum[c] / rows : 0;
		sum_normalized[c] = cache->used_batch[k] ? sum_normalized[c] / rows : 0;
	}
	normalize_backward(cache->d[k], cache->normalized[k], rows, width, layer->scale,
					   cache->inverse_std[k], sum, sum_normalized);
}

void
mlp_backward_rest(const Mlp *mlp, MlpCache *cache, int rows, const real *params, real *grads,
				  Scratch *scratch)
{
	for (int k = mlp->n_layers - 1; k >= 0 && !watch_stopped(scratch->watch); k--)
	{
		const MlpLayer *layer = &mlp->layer[k];

		layer_backward(mlp, cache, k, rows, params, grads, scratch);
		if (k > 0)
			linear_backward((Matrix) {cache->d[k - 1], layer->n_in}, 0,
							grads + (layer->weight - params),
							(Matrix) {cache->d[k], layer->n_out},
							(Matrix) {cache->out[k - 1], layer->n_in}, layer->weight, rows,
							layer->n_in, layer->n_out, scratch->watch);
	}
}

void
mlp_backward(const Mlp *mlp, MlpCache *cache, Matrix d_in, int rows, const real *params,
			 real *grads, Scratch *scratch)
{
	const MlpLayer *first = &mlp->layer[0];

	mlp_backward_rest(mlp, cache, rows, params, grads, scratch);
	linear_backward(d_in, 0, grads + (first->weight - params),
					(Matrix) {cache->d[0], first->n_out}, cache->in, first->weight, rows,
					first->n_in, first->n_out, scratch->watch);
}

/* W' = W * scale / sqrt(variance + eps), b' = bias - mean * scale / sqrt(...). */
static void
fold_layer(const MlpLayer *layer, MlpLayer *folded)
{
	for (int o = 0; o < layer->n_out; o++)
	{
		real		factor = layer->scale[o] /
			(real) sqrt(layer->variance[o] + BATCH_NORM_EPSILON);

		for (int i = 0; i < layer->n_in; i++)
			folded->weight[(size_t) o * layer->n_in + i] =
				layer->weight[(size_t) o * layer->n_in + i] * factor;
		folded->bias[o] = layer->bias[o] - layer->mean[o] * factor;
	}
}

bool
mlp_fold(Mlp *folded, const Mlp *mlp, Arena *arena, Watch *watch, EngineError *error)
{
	*folded = *mlp;
	if (!mlp->batch_norm)
		return true;
	folded->batch_norm = false;
	for (int k = 0; k < mlp->n_layers; k++)
	{
		MlpLayer   *layer = &folded->layer[k];
		size_t		width = layer->n_out;

		layer->weight = ARENA_ARRAY(arena, real, width * layer->n_in);
		layer->bias = ARENA_ARRAY(arena, real, width);
		layer->scale = layer->mean = layer->variance = NULL;
		if (!arena_ok(arena, error) || !watch_continue(watch, error))
			return false;
		fold_layer(&mlp->layer[k], layer);
	}
	return true;
}
