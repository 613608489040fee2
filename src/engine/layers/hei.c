/*
 * hei.c
 *	  HEI's layers of experts, forward, backward and in scoring.
 *
 * Each expert of a layer is a task.  In training an expert's rows are those of
 * all segments that use it, packed; in scoring a run has one domain, and experts
 * that its mask does not use are left out.
 */
#include "engine/layers/hei.h"

#include <stdio.h>
#include <string.h>

#include "engine/model/gates.h"
#include "engine/model/mask.h"

void
hei_pack(Hei *hei, const Batch *batch)
{
	for (int l = 1; l <= hei->n_layers; l++)
		for (int n = 0; n < hei->layers[l - 1]->n_experts; n++)
			hei->layers[l - 1]->experts[n].n_rows = 0;
	for (int s = 0; s < batch->n_segments; s++)
	{
		const Segment *segment = &batch->segments[s];

		for (int l = 1; l <= hei->n_layers; l++)
		{
			HeiLayer   *layer = hei->layers[l - 1];
			bool		used[MAX_EXPERTS];

			if (segment->mask)
				mask_used_experts(hei->n_experts, segment->mask, l, used);
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

static void
bind(Layer *layer, const Model *model, Layer **layers, Arena *arena)
{
	HeiLayer   *of = (HeiLayer *) layer;

	of->hei = (Hei *) layers[of->gates];
	of->hei->layers[of->l - 1] = of;
	of->experts = ARENA_ARRAY(arena, HeiExpert, of->n_experts);
	for (int n = 0; n < of->n_experts && !arena->failed; n++)
		mlp_bind(&of->experts[n].mlp, &of->tensors[n], model, 0, of->number + n);
}

static void
begin_training(Layer *layer, Pass *pass)
{
	HeiLayer   *of = (HeiLayer *) layer;
	Slot	   *out = pass_out(pass, layer);
	size_t		rows = pass->capacity;

	out->group = ARENA_ARRAY(pass->arena, SlotGroup, of->n_experts);
	for (int n = 0; n < of->n_experts && !pass->arena->failed; n++)
	{
		HeiExpert  *expert = &of->experts[n];

		mlp_cache_alloc(&expert->cache, &expert->mlp, pass->capacity, pass->arena);
		expert->offset = ARENA_ARRAY(pass->arena, int, rows);
		expert->in = ARENA_ARRAY(pass->arena, real, rows * of->n_in);
		expert->d_in = ARENA_ARRAY(pass->arena, real, rows * of->n_in);
		out->group[n] = (SlotGroup) {
			.value = {expert->cache.out[1], of->n_out},
			.d = {expert->cache.d[1], of->n_out},
			.offset = expert->offset
		};
	}
}

static int
n_tasks(const Layer *layer, const Pass *pass, bool backward)
{
	(void) pass;
	(void) backward;
	return ((const HeiLayer *) layer)->n_experts;
}

/* Rows of group n of h into the packed input of expert n of the first layer. */
static void
gather_first(HeiLayer *of, const Batch *batch, int n, const SlotGroup *h)
{
	HeiExpert  *expert = &of->experts[n];

	for (int s = 0; s < batch->n_segments; s++)
	{
		const Segment *segment = &batch->segments[s];

		for (int r = 0; expert->offset[s] >= 0 && r < segment->n_rows; r++)
			memcpy(expert->in + (size_t) (expert->offset[s] + r) * of->n_in,
				   h->value.data + (size_t) (segment->start + r) * h->value.stride,
				   of->n_in * sizeof(real));
	}
}

/* in of expert n = sum over open gates of gate * output below (4). */
static HOT void
mix_below(HeiLayer *of, const Batch *batch, int n)
{
	const Hei  *hei = of->hei;
	HeiExpert  *expert = &of->experts[n];
	HeiLayer   *below = hei->layers[of->l - 2];

	memset(expert->in, 0, (size_t) expert->n_rows * below->n_out * sizeof(real));
	for (int s = 0; s < batch->n_segments; s++)
	{
		const real *gates = hei->gates + (size_t) s * hei->n_gates;
		size_t		length = (size_t) batch->segments[s].n_rows * below->n_out;

		for (int i = 0; expert->offset[s] >= 0 && i < below->n_experts; i++)
		{
			HeiExpert  *lower = &below->experts[i];
			real		gate = gates[gate_at(hei->n_experts, of->l, i, n)];

			if (gate != 0 && lower->offset[s] >= 0)
				add_scaled(expert->in + (size_t) expert->offset[s] * below->n_out, gate,
						   lower->cache.out[1] + (size_t) lower->offset[s] * below->n_out,
						   length);
		}
	}
}

static void
forward(Layer *layer, Pass *pass, int n, int thread)
{
	HeiLayer   *of = (HeiLayer *) layer;
	HeiExpert  *expert = &of->experts[n];

	if (expert->n_rows == 0)
		return;
	if (of->l > 1)
		mix_below(of, pass->batch, n);
	else
		gather_first(of, pass->batch, n, &pass_in(pass, layer, 0)->group[n]);
	mlp_forward(&expert->mlp, &expert->cache, (Matrix) {expert->in, of->n_in}, expert->n_rows,
				&pass->mode, &pass->workers.scratch[thread]);
}

/* d_in of expert n -> d_gates of its inputs. */
static HOT void
gates_of_inputs_backward(HeiLayer *of, const Batch *batch, int n)
{
	Hei		   *hei = of->hei;
	HeiExpert  *expert = &of->experts[n];
	HeiLayer   *below = hei->layers[of->l - 2];

	for (int s = 0; s < batch->n_segments; s++)
	{
		size_t		length = (size_t) batch->segments[s].n_rows * below->n_out;

		for (int i = 0; expert->offset[s] >= 0 && i < below->n_experts; i++)
		{
			const HeiExpert *lower = &below->experts[i];
			size_t		at = (size_t) s * hei->n_gates + gate_at(hei->n_experts, of->l, i, n);

			if (hei->gates[at] != 0 && lower->offset[s] >= 0)
				hei->d_gates[at] =
					dot(expert->d_in + (size_t) expert->offset[s] * below->n_out,
						lower->cache.out[1] + (size_t) lower->offset[s] * below->n_out, length);
		}
	}
}

/* d of expert i's output: what the experts above that it feeds hand down. */
static HOT void
collect_above(HeiLayer *of, const Batch *batch, int i)
{
	const Hei  *hei = of->hei;
	HeiExpert  *expert = &of->experts[i];
	const HeiLayer *above = hei->layers[of->l];

	memset(expert->cache.d[1], 0, (size_t) expert->n_rows * above->n_in * sizeof(real));
	for (int s = 0; s < batch->n_segments; s++)
	{
		const real *gates = hei->gates + (size_t) s * hei->n_gates;
		size_t		length = (size_t) batch->segments[s].n_rows * above->n_in;

		for (int n = 0; expert->offset[s] >= 0 && n < above->n_experts; n++)
		{
			const HeiExpert *upper = &above->experts[n];
			real		gate = gates[gate_at(hei->n_experts, of->l + 1, i, n)];

			if (gate != 0 && upper->offset[s] >= 0)
				add_scaled(expert->cache.d[1] + (size_t) expert->offset[s] * above->n_in, gate,
						   upper->d_in + (size_t) upper->offset[s] * above->n_in, length);
		}
	}
}

/* The counterpart of gather_first(): expert n's d_in into group n of h's gradient. */
static void
scatter_first(HeiLayer *of, const Batch *batch, int n, const SlotGroup *h)
{
	const HeiExpert *expert = &of->experts[n];
	size_t		size = of->n_in * sizeof(real);
	bool		sets = of->layer.sets[0];

	for (int s = 0; s < batch->n_segments; s++)
	{
		const Segment *segment = &batch->segments[s];

		for (int r = 0; r < segment->n_rows; r++)
		{
			real	   *to = h->d.data + (size_t) (segment->start + r) * h->d.stride;
			const real *from;

			if (expert->offset[s] < 0)
			{
				if (sets)
					memset(to, 0, size);
				continue;
			}
			from = expert->d_in + (size_t) (expert->offset[s] + r) * of->n_in;
			if (sets)
				memcpy(to, from, size);
			else
				add_scaled(to, 1, from, of->n_in);
		}
	}
}

static void
backward(Layer *layer, Pass *pass, int n, int thread)
{
	HeiLayer   *of = (HeiLayer *) layer;
	HeiExpert  *expert = &of->experts[n];
	const SlotGroup *h = of->l == 1 ? &pass_in(pass, layer, 0)->group[n] : NULL;
	bool		hands_down = of->l > 1 || h->d.data;

	if (expert->n_rows > 0)
	{
		if (of->l < of->hei->n_layers)
			collect_above(of, pass->batch, n);
		mlp_backward(&expert->mlp, &expert->cache,
					 (Matrix) {hands_down ? expert->d_in : NULL, of->n_in}, expert->n_rows,
					 pass->model->params, pass->grads, &pass->workers.scratch[thread]);
		if (of->l > 1)
			gates_of_inputs_backward(of, pass->batch, n);
	}
	if (of->l == 1 && hands_down)
		scatter_first(of, pass->batch, n, h);
}

static void
lay_out(Layer *layer, Prepared *prepared)
{
	HeiLayer   *of = (HeiLayer *) layer;

	if (!of->prepared)
		of->prepared = arena_array(prepared->arena, of->n_experts, sizeof(*of->prepared));
	for (int n = 0; n < of->n_experts && of->prepared; n++)
		for (int k = 0; k < 2; k++)
			prepared_lay_out_layer(prepared, &of->prepared[n][k], of->experts[n].mlp.layer[k].n_in,
								   of->experts[n].mlp.layer[k].n_out);
}

static bool
prepare(Layer *layer, Prepared *prepared, EngineError *error)
{
	HeiLayer   *of = (HeiLayer *) layer;

	for (int n = 0; n < of->n_experts; n++)
	{
		Mlp			folded;

		if (!mlp_fold(&folded, &of->experts[n].mlp, prepared->arena, prepared->watch, error))
			return false;
		for (int k = 0; k < 2; k++)
			prepared_fill_layer(prepared, &of->prepared[n][k], &folded.layer[k]);
	}
	return true;
}

/* The same as mix_below(), of a run's domain. */
static HOT void
score_below(const HeiLayer *of, const ScoreRun *run, int n)
{
	const Model *model = run->prepared->model;
	size_t		d = run->domain < 0 ? model->n_domains : (size_t) run->domain;
	const real *gates = run->prepared->gates + d * of->hei->n_gates;
	size_t		length = (size_t) run->n_rows * of->n_in;

	memset(run->scratch->in, 0, length * sizeof(real));
	for (int i = 0; i < of->hei->n_experts->value[of->l - 2]; i++)
	{
		real		gate = gates[gate_at(of->hei->n_experts, of->l, i, n)];

		if (gate != 0)
			add_scaled(run->scratch->in, gate, run_group(run, of->layer.in[0], i).data, length);
	}
}

static void
score(Layer *layer, const ScoreRun *run)
{
	const HeiLayer *of = (const HeiLayer *) layer;
	const uint8_t *mask = model_mask(run->prepared->model, run->domain);
	bool	   *open = run->scratch->open;

	if (mask)
		mask_used_experts(of->hei->n_experts, mask, of->l, open);
	for (int n = 0; n < of->n_experts; n++)
	{
		const PreparedLayer *layers = of->prepared[n];
		Matrix		in = {run->scratch->in, of->n_in};
		Matrix		hidden = {run->scratch->layer[0], layers[0].panels.n_out};

		if (!open[n])
			continue;
		if (of->l == 1)
			in = run_group(run, layer->in[0], n);
		else
			score_below(of, run, n);
		if (!prepared_forward(&layers[0], in, run->n_rows, hidden, run->scratch->watch) ||
			!prepared_forward(&layers[1], hidden, run->n_rows, run_group(run, layer->out, n),
							  run->scratch->watch))
			return;
	}
}

static const LayerKind kind = {
	.name = "hei",
	.size = sizeof(HeiLayer),
	.bind = bind,
	.begin_training = begin_training,
	.n_tasks = n_tasks,
	.forward = forward,
	.backward = backward,
	.lay_out = lay_out,
	.prepare = prepare,
	.score = score
};

int
plan_hei_layer(NetworkPlan *plan, const Hei *hei, int l, int below, int hidden, int output)
{
	HeiLayer   *of = (HeiLayer *) plan_layer(plan, &kind, below, NO_SLOT);
	IntList		dims = {.n = 2,.value = {hidden, output}};
	int			slot;

	if (!of)
		return NO_SLOT;
	plan_after(plan, &of->layer, &hei->layer);
	of->gates = hei->layer.number;
	of->l = l;
	of->n_experts = hei->n_experts->value[l - 1];
	of->n_in = plan->slots[below].width;
	of->n_out = output;
	of->number = plan_mlp_numbers(plan);
	of->tensors = ARENA_ARRAY(plan->arena, MlpTensors, of->n_experts);
	for (int n = 0; n < of->n_experts && of->tensors; n++)
	{
		char		prefix[48];

		snprintf(prefix, sizeof(prefix), "hei%d.expert%d", l, n + 1);
		mlp_plan(&of->tensors[n], plan, prefix, 1, of->n_in, &dims);
	}
	slot = plan_slot(plan, &of->layer, of->n_experts, output);
	if (slot != NO_SLOT)
		plan->slots[slot].layout = SLOT_PACKED;
	return slot;
}
