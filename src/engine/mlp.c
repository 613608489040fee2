/*
 * mlp.c
 *	  Multi-layer perceptrons: linear -> batch norm -> ReLU -> dropout.
 */
#include "mlp.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "random.h"

#define BATCH_NORM_EPSILON 1e-5
#define BATCH_NORM_MOMENTUM 0.1

void
mlp_bind(Mlp *mlp, const Model *model, const char *prefix, int n_layers)
{
	memset(mlp, 0, sizeof(*mlp));
	mlp->n_layers = n_layers;
	mlp->batch_norm = model->config.batch_norm;
	mlp->dropout = model->config.dropout;
	for (int k = 0; k < n_layers; k++)
	{
		MlpLayer   *layer = &mlp->layer[k];
		char		name[64];
		const Tensor *weight;

		snprintf(name, sizeof(name), "%s.layer%d.weight", prefix, k);
		weight = model_find(model, name);
		mlp->blocks = weight->dims[0];
		layer->n_out = weight->dims[1];
		layer->n_in = weight->dims[2];
		layer->weight = model->params + weight->offset;
		snprintf(name, sizeof(name), "%s.layer%d.bias", prefix, k);
		layer->bias = model_param(model, name);
		snprintf(name, sizeof(name), "%s.layer%d.scale", prefix, k);
		layer->scale = model_param(model, name);
		snprintf(name, sizeof(name), "%s.layer%d.mean", prefix, k);
		layer->mean = model_param(model, name);
		snprintf(name, sizeof(name), "%s.layer%d.variance", prefix, k);
		layer->variance = model_param(model, name);
	}
}

int
mlp_width(const Mlp *mlp, int k)
{
	return mlp->blocks * mlp->layer[k].n_out;
}

void
mlp_cache_alloc(MlpCache *cache, const Mlp *mlp, int rows, bool training, Arena *arena)
{
	memset(cache, 0, sizeof(*cache));
	for (int k = 0; k < mlp->n_layers; k++)
	{
		size_t		width = mlp_width(mlp, k);

		cache->out[k] = ARENA_ARRAY(arena, real, rows * width);
		if (!mlp->batch_norm)
			continue;
		cache->inverse_std[k] = ARENA_ARRAY(arena, real, width);
		if (training)
			cache->normalized[k] = ARENA_ARRAY(arena, real, rows * width);
	}
}

/* z (rows, blocks * n_out) = x . W^T; one wide product where blocks share their input. */
static void
layer_product(const Mlp *mlp, int k, real *z, Matrix in, int rows, Watch *watch)
{
	const MlpLayer *layer = &mlp->layer[k];
	int			width = mlp_width(mlp, k);

	if (k == 0)
	{
		linear_forward((Matrix) {z, width}, in, layer->weight, rows, layer->n_in, width,
					   watch);
		return;
	}
	for (int b = 0; b < mlp->blocks; b++)
		linear_forward((Matrix) {z + b * layer->n_out, width},
					   (Matrix) {in.data + b * layer->n_in, in.stride},
					   layer->weight + (size_t) b * layer->n_out * layer->n_in, rows,
					   layer->n_in, layer->n_out, watch);
}

/* Column means -> mean[width], biased column variances -> variance[width]. */
static void
column_statistics(const real *z, int rows, int width, real *mean, real *variance)
{
	memset(mean, 0, width * sizeof(real));
	memset(variance, 0, width * sizeof(real));
	for (int r = 0; r < rows; r++)
		add_scaled(mean, 1, z + (size_t) r * width, width);
	for (int c = 0; c < width; c++)
		mean[c] /= rows;
	for (int r = 0; r < rows; r++)
	{
		const real *row = z + (size_t) r * width;

		for (int c = 0; c < width; c++)
			variance[c] += (row[c] - mean[c]) * (row[c] - mean[c]);
	}
	for (int c = 0; c < width; c++)
		variance[c] /= rows;
}

static void
update_running(MlpLayer *layer, int rows, int width, const real *mean, const real *variance)
{
	real		unbias = (real) rows / (rows - 1);

	for (int c = 0; c < width; c++)
	{
		layer->mean[c] += (real) BATCH_NORM_MOMENTUM * (mean[c] - layer->mean[c]);
		layer->variance[c] += (real) BATCH_NORM_MOMENTUM *
			(unbias * variance[c] - layer->variance[c]);
	}
}

/*
 * z -> (z - mean) / sqrt(variance + eps), in place.  Statistics of the batch
 * need two rows; below that the running ones serve.
 */
static void
normalize_forward(const Mlp *mlp, MlpCache *cache, int k, real *z, int rows,
				  const PassMode *mode, MlpScratch *scratch)
{
	MlpLayer	layer = mlp->layer[k];
	int			width = mlp_width(mlp, k);
	const real *mean = layer.mean;
	const real *variance = layer.variance;
	real	   *inverse_std = cache->inverse_std[k];

	cache->used_batch[k] = mode->batch_statistics && rows >= 2;
	if (cache->used_batch[k])
	{
		column_statistics(z, rows, width, scratch->sum, scratch->sum2);
		mean = scratch->sum;
		variance = scratch->sum2;
		if (mode->update_running)
			update_running(&layer, rows, width, mean, variance);
	}
	for (int c = 0; c < width; c++)
		inverse_std[c] = 1 / sqrt(variance[c] + BATCH_NORM_EPSILON);
	for (int r = 0; r < rows; r++)
	{
		real	   *row = z + (size_t) r * width;

		for (int c = 0; c < width; c++)
			row[c] = (row[c] - mean[c]) * inverse_std[c];
	}
}

/* out = relu(scale * z + bias); scale NULL: 1.  out may be z. */
static void
activate_forward(real *out, const real *z, const real *scale, const real *bias, int rows,
				 int width)
{
	for (int r = 0; r < rows; r++)
	{
		const real *from = z + (size_t) r * width;
		real	   *to = out + (size_t) r * width;

		for (int c = 0; c < width; c++)
		{
			real		value = (scale ? scale[c] * from[c] : from[c]) + bias[c];

			to[c] = value > 0 ? value : 0;
		}
	}
}

/* Zero a share "dropout" of out, scale the rest by 1 / (1 - dropout). */
static void
dropout_forward(real *out, int rows, int width, real dropout, Random *random,
				uint16_t *coins)
{
	uint16_t	limit = (uint16_t) (dropout * 65536);
	real		keep_scale = 1 / (1 - dropout);

	for (int r = 0; r < rows; r++)
	{
		real	   *row = out + (size_t) r * width;

		random_fill16(random, coins, width);
		for (int c = 0; c < width; c++)
			row[c] = coins[c] < limit ? 0 : row[c] * keep_scale;
	}
}

void
mlp_forward(const Mlp *mlp, MlpCache *cache, Matrix in, int rows, const PassMode *mode,
			MlpScratch *scratch)
{
	bool		dropout = mode->dropout && mlp->dropout > 0;

	cache->in = in;
	cache->keep_scale = dropout ? 1 / (1 - mlp->dropout) : 1;
	for (int k = 0; k < mlp->n_layers && !watch_stopped(scratch->watch); k++)
	{
		const MlpLayer *layer = &mlp->layer[k];
		int			width = mlp_width(mlp, k);
		real	   *out = cache->out[k];
		real	   *z = cache->normalized[k] ? cache->normalized[k] : out;

		layer_product(mlp, k, z, in, rows, scratch->watch);
		if (mlp->batch_norm)
			normalize_forward(mlp, cache, k, z, rows, mode, scratch);
		activate_forward(out, z, mlp->batch_norm ? layer->scale : NULL, layer->bias, rows,
						 width);
		if (dropout)
			dropout_forward(out, rows, width, mlp->dropout, mode->random, scratch->coins);
		in = (Matrix) {out, width};
	}
}

/*
 * Through dropout and ReLU: an output above zero was neither dropped nor
 * clipped.  d (rows, width), in place.
 */
static void
activate_backward(real *d, const real *out, size_t n, real keep_scale)
{
	for (size_t i = 0; i < n; i++)
		d[i] = out[i] > 0 ? d[i] * keep_scale : 0;
}

/* d: gradient of scale * normalized + bias, in place to that of the layer's product. */
static void
normalize_backward(const MlpLayer *layer, const MlpCache *cache, int k, real *d, int rows,
				   int width, real *d_scale, real *d_bias, MlpScratch *scratch)
{
	const real *normalized = cache->normalized[k];
	const real *inverse_std = cache->inverse_std[k];
	real	   *sum = scratch->sum;
	real	   *sum_normalized = scratch->sum2;

	memset(sum, 0, width * sizeof(real));
	memset(sum_normalized, 0, width * sizeof(real));
	for (int r = 0; r < rows; r++)
	{
		const real *d_row = d + (size_t) r * width;
		const real *n_row = normalized + (size_t) r * width;

		for (int c = 0; c < width; c++)
		{
			sum[c] += d_row[c];
			sum_normalized[c] += d_row[c] * n_row[c];
		}
	}
	add_scaled(d_bias, 1, sum, width);
	add_scaled(d_scale, 1, sum_normalized, width);
	for (int c = 0; c < width; c++)
	{
		sum[c] = cache->used_batch[k] ? sum[c] / rows : 0;
		sum_normalized[c] = cache->used_batch[k] ? sum_normalized[c] / rows : 0;
	}
	for (int r = 0; r < rows; r++)
	{
		real	   *d_row = d + (size_t) r * width;
		const real *n_row = normalized + (size_t) r * width;

		for (int c = 0; c < width; c++)
			d_row[c] = layer->scale[c] * inverse_std[c] *
				(d_row[c] - sum[c] - n_row[c] * sum_normalized[c]);
	}
}

static void
bias_backward(real *d_bias, const real *d, int rows, int width)
{
	for (int r = 0; r < rows; r++)
		add_scaled(d_bias, 1, d + (size_t) r * width, width);
}

/* The counterpart of layer_product(). */
static void
product_backward(const Mlp *mlp, int k, real *d_z, Matrix in, Matrix d_in, real keep,
				 real *d_weight, int rows, Watch *watch)
{
	const MlpLayer *layer = &mlp->layer[k];
	int			width = mlp_width(mlp, k);

	if (k == 0)
	{
		linear_backward(d_in, keep, d_weight, (Matrix) {d_z, width}, in, layer->weight,
						rows, layer->n_in, width, watch);
		return;
	}
	for (int b = 0; b < mlp->blocks; b++)
	{
		size_t		start = (size_t) b * layer->n_out * layer->n_in;

		linear_backward((Matrix) {d_in.data + b * layer->n_in, d_in.stride}, keep,
						d_weight + start, (Matrix) {d_z + b * layer->n_out, width},
						(Matrix) {in.data + b * layer->n_in, in.stride},
						layer->weight + start, rows, layer->n_in, layer->n_out, watch);
	}
}

void
mlp_backward(const Mlp *mlp, const MlpCache *cache, real *d_out, Matrix d_in, real keep,
			 int rows, const real *params, real *grads, MlpScratch *scratch)
{
	real	   *d = d_out;

	for (int k = mlp->n_layers - 1; k >= 0 && !watch_stopped(scratch->watch); k--)
	{
		const MlpLayer *layer = &mlp->layer[k];
		int			width = mlp_width(mlp, k);
		int			width_below = k > 0 ? mlp_width(mlp, k - 1) : 0;
		real	   *d_below = d == scratch->d_out ? scratch->d_in : scratch->d_out;
		real	   *d_bias = grads + (layer->bias - params);

		activate_backward(d, cache->out[k], (size_t) rows * width, cache->keep_scale);
		if (mlp->batch_norm)
			normalize_backward(layer, cache, k, d, rows, width,
							   grads + (layer->scale - params), d_bias, scratch);
		else
			bias_backward(d_bias, d, rows, width);
		product_backward(mlp, k, d,
						 k > 0 ? (Matrix) {cache->out[k - 1], width_below} : cache->in,
						 k > 0 ? (Matrix) {d_below, width_below} : d_in,
						 k > 0 ? 0 : keep, grads + (layer->weight - params), rows,
						 scratch->watch);
		d = d_below;
	}
}

/* W' = W * scale / sqrt(variance + eps), b' = bias - mean * scale / sqrt(...). */
static void
fold_layer(const Mlp *mlp, int k, MlpLayer *folded)
{
	const MlpLayer *layer = &mlp->layer[k];

	for (int o = 0; o < mlp_width(mlp, k); o++)
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
mlp_fold(Mlp *folded, const Mlp *mlp, Arena *arena, EngineError *error)
{
	*folded = *mlp;
	if (!mlp->batch_norm)
		return true;
	folded->batch_norm = false;
	for (int k = 0; k < mlp->n_layers; k++)
	{
		MlpLayer   *layer = &folded->layer[k];
		size_t		width = mlp_width(mlp, k);

		layer->weight = ARENA_ARRAY(arena, real, width * layer->n_in);
		layer->bias = ARENA_ARRAY(arena, real, width);
		layer->scale = layer->mean = layer->variance = NULL;
		if (!arena_ok(arena, error))
			return false;
		fold_layer(mlp, k, layer);
	}
	return true;
}
