/*
 * hei.c
 *	  Hierarchical expert integration, forward and backward.
 */
#include "engine/layers/hei.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/model/gates.h"
#include "engine/model/mask.h"

static void
init_layer(Hei *hei, const Model *model, int l, int rows, int segments, bool training,
		   Arena *arena)
{
	HeiLayer   *layer = &hei->layer[l - 1];
	char		name[64];

	layer->n_experts = model->config.hei_experts.value[l - 1];
	layer->n_out = model->config.hei_output.value[l - 1];
	layer->experts = ARENA_ARRAY(arena, HeiExpert, layer->n_experts);
	if (arena->failed)
		return;
	for (int n = 0; n < layer->n_experts; n++)
	{
		HeiExpert  *expert = &layer->experts[n];

		snprintf(name, sizeof(name), "hei%d.expert%d", l, n + 1);
		mlp_bind(&expert->mlp, model, name, 2, 0, l * MAX_EXPERTS + n);
		layer->n_in = expert->mlp.layer[0].n_in;
		mlp_cache_alloc(&expert->cache, &expert->mlp, rows, training, arena);
		expert->offset = ARENA_ARRAY(arena, int, segments);
		expert->in = ARENA_ARRAY(arena, real, (size_t) rows * layer->n_in);
		expert->d_out = expert->cache.d[1];
		if (training)
			expert->d_in = ARENA_ARRAY(arena, real, (size_t) rows * layer->n_in);
	}
	snprintf(name, sizeof(name), "hei%d.gate.weight", l);
	layer->gate_weight = model_param(model, name);
	snprintf(name, sizeof(name), "hei%d.gate.bias", l);
	layer->gate_bias = model_param(model, name);
}

bool
hei_init(Hei *hei, const Model *model, int rows, int segments, bool training, Arena *arena,
		 EngineError *error)
{
	memset(hei, 0, sizeof(*hei));
	hei->config = &model->config;
	hei->n_layers = model->config.hei_experts.n;
	hei->n_gates = model->n_gates;
	hei->dim = model->config.embed_dim;
	hei->group = model_param(model, "hei.group");
	for (int l = 1; l <= hei->n_layers && !arena->failed; l++)
		init_layer(hei, model, l, rows, segments, training, arena);
	hei->gate_in = ARENA_ARRAY(arena, real, (size_t) segments * 2 * hei->dim);
	hei->raw_gates = ARENA_ARRAY(arena, real, (size_t) segments * hei->n_gates);
	hei->gates = ARENA_ARRAY(arena, real, (size_t) segments * hei->n_gates);
	if (training)
	{
		hei->d_gates = ARENA_ARRAY(arena, real, (size_t) segments * hei->n_gates);
		hei->d_open = ARENA_ARRAY(arena, real, (size_t) segments * hei->n_gates);
	}
	return arena_ok(arena, error);
}

/* Position in gate order of the gate from lower expert i to upper expert n of layer l. */
static int
gate_index(const Hei *hei, int l, int i, int n)
{
	return gate_at(&hei->config->hei_experts, l, i, n);
}

/* gate_in = [domain vector ; mean vector of the groups that the mask uses]. */
static void
gate_input(const Hei *hei, const real *domain_vector, const uint8_t *mask, real *gate_in)
{
	bool		used[MAX_EXPERTS];
	int			n_used = 0;

	memcpy(gate_in, domain_vector, hei->dim * sizeof(real));
	memset(gate_in + hei->dim, 0, hei->dim * sizeof(real));
	if (!mask)
		return;
	mask_used_experts(&hei->config->hei_experts, mask, 1, used);
	for (int n = 0; n < hei->layer[0].n_experts; n++)
		n_used += used[n];
	for (int n = 0; n < hei->layer[0].n_experts; n++)
		if (used[n])
			add_scaled(gate_in + hei->dim, (real) 1 / n_used,
					   hei->group + (size_t) n * hei->dim, hei->dim);
}

/* logits -> softmax over those with open[i] (NULL: all); closed ones get 0. */
static void
masked_softmax(real *out, const real *logits, const uint8_t *open, int n)
{
	real		max = -INFINITY;
	real		sum = 0;

	for (int i = 0; i < n; i++)
		if ((!open || open[i]) && logits[i] > max)
			max = logits[i];
	for (int i = 0; i < n; i++)
	{
		out[i] = !open || open[i] ? exp(logits[i] - max) : 0;
		sum += out[i];
	}
	for (int i = 0; i < n && sum > 0; i++)
		out[i] /= sum;
}

/* Rescaling masked gates to sum to 1 is a softmax over the open ones. */
void
hei_gates_forward(const Hei *hei, const real *domain_vector, const uint8_t *mask,
				  real *gate_in, real *raw, real *masked)
{
	gate_input(hei, domain_vector, mask, gate_in);
	for (int l = 2; l <= hei->n_layers; l++)
	{
		const HeiLayer *layer = &hei->layer[l - 1];
		int			below = hei->layer[l - 2].n_experts;

		for (int n = 0; n < layer->n_experts; n++)
		{
			real		logits[MAX_EXPERTS];
			real		softmax[MAX_EXPERTS];
			real		restricted[MAX_EXPERTS];
			uint8_t		open[MAX_EXPERTS];

			for (int i = 0; i < below; i++)
			{
				size_t		gate = (size_t) n * below + i;

				logits[i] = layer->gate_bias[gate] +
					dot(layer->gate_weight + gate * 2 * hei->dim, gate_in, 2 * hei->dim);
				open[i] = !mask || mask[gate_index(hei, l, i, n)];
			}
			masked_softmax(softmax, logits, NULL, below);
			masked_softmax(restricted, logits, open, below);
			for (int i = 0; i < below; i++)
			{
				raw[gate_index(hei, l, i, n)] = softmax[i];
				masked[gate_index(hei, l, i, n)] = restricted[i];
			}
		}
	}
}

/*
 * d_gates [G] of one segment -> gradients of gate weights and biases, of group
 * vectors, and of the domain's vector (d_domain NULL: not wanted).
 */
static void
gates_backward(Hei *hei, const Segment *segment, int s, real *d_domain, const real *params,
			   real *grads)
{
	const real *gates = hei->gates + (size_t) s * hei->n_gates;
	const real *d_gates = hei->d_gates + (size_t) s * hei->n_gates;
	const real *gate_in = hei->gate_in + (size_t) s * 2 * hei->dim;
	real	   *d_open = hei->d_open + (size_t) s * hei->n_gates;
	real		d_in[2 * MAX_EMBED_DIM] = {0};
	bool		used[MAX_EXPERTS];
	int			n_used = 0;

	for (int l = 2; l <= hei->n_layers; l++)
	{
		const HeiLayer *layer = &hei->layer[l - 1];
		int			below = hei->layer[l - 2].n_experts;
		real	   *d_weight = grads + (layer->gate_weight - params);
		real	   *d_bias = grads + (layer->gate_bias - params);

		for (int n = 0; n < layer->n_experts; n++)
		{
			real		mean = 0;

			for (int i = 0; i < below; i++)
				mean += gates[gate_index(hei, l, i, n)] * d_gates[gate_index(hei, l, i, n)];
			for (int i = 0; i < below; i++)
			{
				int			g = gate_index(hei, l, i, n);
				size_t		gate = (size_t) n * below + i;
				real		d_logit = gates[g] * (d_gates[g] - mean);

				d_open[g] = d_logit;
				if (gates[g] == 0)
					continue;
				d_bias[gate] += d_logit;
				add_scaled(d_weight + gate * 2 * hei->dim, d_logit, gate_in, 2 * hei->dim);
				add_scaled(d_in, d_logit, layer->gate_weight + gate * 2 * hei->dim,
						   2 * hei->dim);
			}
		}
	}
	if (d_domain)
		add_scaled(d_domain, 1, d_in, hei->dim);
	if (!segment->mask)
		return;
	mask_used_experts(&hei->config->hei_experts, segment->mask, 1, used);
	for (int n = 0; n < hei->layer[0].n_experts; n++)
		n_used += used[n];
	for (int n = 0; n < hei->layer[0].n_experts; n++)
		if (used[n])
			add_scaled(grads + (hei->group - params) + (size_t) n * hei->dim,
					   (real) 1 / n_used, d_in + hei->dim, hei->dim);
}

/* Where each segment's rows lie in each expert's packed input. */
static void
pack(Hei *hei, const Batch *batch)
{
	for (int l = 1; l <= hei->n_layers; l++)
		for (int n = 0; n < hei->layer[l - 1].n_experts; n++)
			hei->layer[l - 1].experts[n].n_rows = 0;
	for (int s = 0; s < batch->n_segments; s++)
	{
		const Segment *segment = &batch->segments[s];

		for (int l = 1; l <= hei->n_layers; l++)
		{
			HeiLayer   *layer = &hei->layer[l - 1];
			bool		used[MAX_EXPERTS];

			if (segment->mask)
				mask_used_experts(&hei->config->hei_experts, segment->mask, l, used);
			for (int n = 0; n < layer->n_experts; n++)
			{
				HeiExpert  *expert = &layer->experts[n];

				expert->offset[s] = -1;
				if (segment->mask && !used[n])
					continue;
				expert->offset[s] = expert->n_rows;
				expert->n_rows += segment->n_rows;
			}
		}
	}
}

/* Rows of h (B, N_1, H) into the packed input of expert n of the first layer. */
static void
gather_first(Hei *hei, const Batch *batch, int n, const real *h)
{
	HeiLayer   *layer = &hei->layer[0];
	HeiExpert  *expert = &layer->experts[n];
	size_t		width = (size_t) layer->n_experts * layer->n_in;

	for (int s = 0; s < batch->n_segments; s++)
	{
		const Segment *segment = &batch->segments[s];

		if (expert->offset[s] < 0)
			continue;
		for (int r = 0; r < segment->n_rows; r++)
			memcpy(expert->in + (size_t) (expert->offset[s] + r) * layer->n_in,
				   h + (segment->start + r) * width + (size_t) n * layer->n_in,
				   layer->n_in * sizeof(real));
	}
}

/* in of expert n of layer l = sum over open gates of gate * output below (4). */
static HOT void
mix_below(Hei *hei, const Batch *batch, int l, int n)
{
	HeiExpert  *expert = &hei->layer[l - 1].experts[n];
	HeiLayer   *below = &hei->layer[l - 2];

	memset(expert->in, 0, (size_t) expert->n_rows * below->n_out * sizeof(real));
	for (int s = 0; s < batch->n_segments; s++)
	{
		const real *gates = hei->gates + (size_t) s * hei->n_gates;
		size_t		length = (size_t) batch->segments[s].n_rows * below->n_out;

		if (expert->offset[s] < 0)
			continue;
		for (int i = 0; i < below->n_experts; i++)
		{
			HeiExpert  *lower = &below->experts[i];
			real		gate = gates[gate_index(hei, l, i, n)];

			if (gate != 0 && lower->offset[s] >= 0)
				add_scaled(expert->in + (size_t) expert->offset[s] * below->n_out, gate,
						   lower->cache.out[1] + (size_t) lower->offset[s] * below->n_out,
						   length);
		}
	}
}

static void
segment_gates(Hei *hei, const Batch *batch, const RowTensor *domain_table)
{
	for (int s = 0; s < batch->n_segments; s++)
	{
		const Segment *segment = &batch->segments[s];
		size_t		at = (size_t) s * hei->n_gates;
		size_t		row = segment_domain_id(segment);

		hei_gates_forward(hei, domain_table->values + row * hei->dim, segment->mask,
						  hei->gate_in + (size_t) s * 2 * hei->dim, hei->raw_gates + at,
						  hei->gates + at);
	}
}

/* What the tasks of a layer share: one for each of its experts. */
typedef struct LayerPass
{
	Hei		   *hei;
	Workers    *workers;
	const Batch *batch;
	int			l;
	const real *h;
	const PassMode *mode;
	real	   *d_h;
	const real *params;
	real	   *grads;
} LayerPass;

static void
forward_task(void *context, int n, int thread)
{
	const LayerPass *pass = context;
	Hei		   *hei = pass->hei;
	HeiLayer   *layer = &hei->layer[pass->l - 1];
	HeiExpert  *expert = &layer->experts[n];

	if (expert->n_rows == 0)
		return;
	if (pass->l > 1)
		mix_below(hei, pass->batch, pass->l, n);
	else
		gather_first(hei, pass->batch, n, pass->h);
	mlp_forward(&expert->mlp, &expert->cache, (Matrix) {expert->in, layer->n_in},
				expert->n_rows, pass->mode, &pass->workers->scratch[thread]);
}

void
hei_forward(Hei *hei, const Batch *batch, const real *h, const RowTensor *domain_table,
			const PassMode *mode, Workers *workers)
{
	LayerPass	pass = {.hei = hei,.workers = workers,.batch = batch,.h = h,.mode = mode};

	pack(hei, batch);
	segment_gates(hei, batch, domain_table);
	for (pass.l = 1; pass.l <= hei->n_layers; pass.l++)
		workers_run(workers, forward_task, &pass, hei->layer[pass.l - 1].n_experts);
}

/* d_in of expert n of layer l -> d_gates of its inputs. */
static HOT void
gates_of_inputs_backward(Hei *hei, const Batch *batch, int l, int n)
{
	HeiExpert  *expert = &hei->layer[l - 1].experts[n];
	HeiLayer   *below = &hei->layer[l - 2];

	for (int s = 0; s < batch->n_segments; s++)
	{
		size_t		length = (size_t) batch->segments[s].n_rows * below->n_out;

		for (int i = 0; expert->offset[s] >= 0 && i < below->n_experts; i++)
		{
			const HeiExpert *lower = &below->experts[i];
			size_t		at = (size_t) s * hei->n_gates + gate_index(hei, l, i, n);

			if (hei->gates[at] != 0 && lower->offset[s] >= 0)
				hei->d_gates[at] =
					dot(expert->d_in + (size_t) expert->offset[s] * below->n_out,
						lower->cache.out[1] + (size_t) lower->offset[s] * below->n_out, length);
		}
	}
}

/* d_out of expert i of layer l: what the experts above that it feeds hand down. */
static HOT void
collect_above(Hei *hei, const Batch *batch, int l, int i)
{
	HeiExpert  *expert = &hei->layer[l - 1].experts[i];
	const HeiLayer *above = &hei->layer[l];

	memset(expert->d_out, 0, (size_t) expert->n_rows * above->n_in * sizeof(real));
	for (int s = 0; s < batch->n_segments; s++)
	{
		const real *gates = hei->gates + (size_t) s * hei->n_gates;
		size_t		length = (size_t) batch->segments[s].n_rows * above->n_in;

		for (int n = 0; expert->offset[s] >= 0 && n < above->n_experts; n++)
		{
			const HeiExpert *upper = &above->experts[n];
			real		gate = gates[gate_index(hei, l + 1, i, n)];

			if (gate != 0 && upper->offset[s] >= 0)
				add_scaled(expert->d_out + (size_t) expert->offset[s] * above->n_in, gate,
						   upper->d_in + (size_t) upper->offset[s] * above->n_in, length);
		}
	}
}

/* The counterpart of gather_first(): expert n's d_in into its columns of d_h. */
static void
scatter_first(Hei *hei, const Batch *batch, int n, const real *d_in, real *d_h)
{
	HeiLayer   *layer = &hei->layer[0];
	HeiExpert  *expert = &layer->experts[n];
	size_t		width = (size_t) layer->n_experts * layer->n_in;

	for (int s = 0; s < batch->n_segments; s++)
	{
		const Segment *segment = &batch->segments[s];

		if (expert->offset[s] < 0)
			continue;
		for (int r = 0; r < segment->n_rows; r++)
			memcpy(d_h + (segment->start + r) * width + (size_t) n * layer->n_in,
				   d_in + (size_t) (expert->offset[s] + r) * layer->n_in,
				   layer->n_in * sizeof(real));
	}
}

static void
backward_task(void *context, int n, int thread)
{
	const LayerPass *pass = context;
	Hei		   *hei = pass->hei;
	int			l = pass->l;
	HeiLayer   *layer = &hei->layer[l - 1];
	HeiExpert  *expert = &layer->experts[n];

	if (expert->n_rows == 0)
		return;
	if (l < hei->n_layers)
		collect_above(hei, pass->batch, l, n);
	mlp_backward(&expert->mlp, &expert->cache,
				 (Matrix) {l > 1 || pass->d_h ? expert->d_in : NULL, layer->n_in},
				 expert->n_rows, pass->params, pass->grads, &pass->workers->scratch[thread]);
	if (l > 1)
		gates_of_inputs_backward(hei, pass->batch, l, n);
	else if (pass->d_h)
		scatter_first(hei, pass->batch, n, expert->d_in, pass->d_h);
}

void
hei_backward(Hei *hei, const Batch *batch, real *d_h, RowTensor *domain_table,
			 const real *params, real *grads, Workers *workers)
{
	LayerPass	pass = {.hei = hei,.workers = workers,.batch = batch,.d_h = d_h,
		.params = params,.grads = grads};
	size_t		width = (size_t) hei->layer[0].n_experts * hei->layer[0].n_in;

	memset(hei->d_gates, 0, (size_t) batch->n_segments * hei->n_gates * sizeof(real));
	if (d_h)
		memset(d_h, 0, batch->n_rows * width * sizeof(real));
	for (pass.l = hei->n_layers; pass.l >= 1; pass.l--)
		workers_run(workers, backward_task, &pass, hei->layer[pass.l - 1].n_experts);
	for (int s = 0; s < batch->n_segments; s++)
	{
		const Segment *segment = &batch->segments[s];
		real	   *d_domain = NULL;

		if (domain_table)
			d_domain = domain_table->grads + (size_t) hei->dim *
				rows_slot(domain_table, segment_domain_id(segment));
		gates_backward(hei, segment, s, d_domain, params, grads);
	}
}
