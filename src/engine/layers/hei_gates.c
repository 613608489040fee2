/*
 * hei_gates.c
 *	  The gates between HEI's layers, forward, backward and in scoring.
 *
 * Gates are a segment's, not a row's: a softmax over the experts below, from
 * the domain's vector and the mean vector of the groups that its mask uses.  In
 * scoring they are constant for a domain and made once.
 */
#include "engine/layers/hei.h"

#include <math.h>
#include <string.h>

#include "engine/model/gates.h"
#include "engine/model/mask.h"

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
	mask_used_experts(hei->n_experts, mask, 1, used);
	for (int n = 0; n < hei->n_experts->value[0]; n++)
		n_used += used[n];
	for (int n = 0; n < hei->n_experts->value[0]; n++)
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
		int			below = hei->n_experts->value[l - 2];

		for (int n = 0; n < hei->n_experts->value[l - 1]; n++)
		{
			real		logits[MAX_EXPERTS];
			real		softmax[MAX_EXPERTS];
			real		restricted[MAX_EXPERTS];
			uint8_t		open[MAX_EXPERTS];

			for (int i = 0; i < below; i++)
			{
				size_t		gate = (size_t) n * below + i;

				logits[i] = hei->bias[l - 1][gate] +
					dot(hei->weight[l - 1] + gate * 2 * hei->dim, gate_in, 2 * hei->dim);
				open[i] = !mask || mask[gate_at(hei->n_experts, l, i, n)];
			}
			masked_softmax(softmax, logits, NULL, below);
			masked_softmax(restricted, logits, open, below);
			for (int i = 0; i < below; i++)
			{
				raw[gate_at(hei->n_experts, l, i, n)] = softmax[i];
				masked[gate_at(hei->n_experts, l, i, n)] = restricted[i];
			}
		}
	}
}

/*
 * d_gates [G] of one segment -> gradients of gate weights and biases, of group
 * vectors, and of the domain's vector (d_domain NULL: not wanted).
 */
static void
gates_backward(Hei *hei, const Pass *pass, int s, real *d_domain)
{
	const Segment *segment = &pass->batch->segments[s];
	const real *gates = hei->gates + (size_t) s * hei->n_gates;
	const real *d_gates = hei->d_gates + (size_t) s * hei->n_gates;
	const real *gate_in = hei->gate_in + (size_t) s * 2 * hei->dim;
	real	   *d_open = hei->d_open + (size_t) s * hei->n_gates;
	real		d_in[2 * MAX_EMBED_DIM] = {0};
	bool		used[MAX_EXPERTS];
	int			n_used = 0;

	for (int l = 2; l <= hei->n_layers; l++)
	{
		int			below = hei->n_experts->value[l - 2];
		real	   *d_weight = pass_gradient(pass, hei->weight[l - 1]);
		real	   *d_bias = pass_gradient(pass, hei->bias[l - 1]);

		for (int n = 0; n < hei->n_experts->value[l - 1]; n++)
		{
			real		mean = 0;

			for (int i = 0; i < below; i++)
				mean += gates[gate_at(hei->n_experts, l, i, n)] *
					d_gates[gate_at(hei->n_experts, l, i, n)];
			for (int i = 0; i < below; i++)
			{
				int			g = gate_at(hei->n_experts, l, i, n);
				size_t		gate = (size_t) n * below + i;
				real		d_logit = gates[g] * (d_gates[g] - mean);

				d_open[g] = d_logit;
				if (gates[g] == 0)
					continue;
				d_bias[gate] += d_logit;
				add_scaled(d_weight + gate * 2 * hei->dim, d_logit, gate_in, 2 * hei->dim);
				add_scaled(d_in, d_logit, hei->weight[l - 1] + gate * 2 * hei->dim,
						   2 * hei->dim);
			}
		}
	}
	if (d_domain)
		add_scaled(d_domain, 1, d_in, hei->dim);
	if (!segment->mask)
		return;
	mask_used_experts(hei->n_experts, segment->mask, 1, used);
	for (int n = 0; n < hei->n_experts->value[0]; n++)
		n_used += used[n];
	for (int n = 0; n < hei->n_experts->value[0]; n++)
		if (used[n])
			add_scaled(pass_gradient(pass, hei->group) + (size_t) n * hei->dim,
					   (real) 1 / n_used, d_in + hei->dim, hei->dim);
}

static void
bind(Layer *layer, const Model *model, Layer **layers, Arena *arena)
{
	Hei		   *hei = (Hei *) layer;

	(void) layers;
	(void) arena;
	hei->n_experts = &model->config.hei_experts;
	hei->group = model_param(model, hei->group_ref);
	for (int l = 2; l <= hei->n_layers; l++)
	{
		hei->weight[l - 1] = model_param(model, hei->weight_ref[l - 1]);
		hei->bias[l - 1] = model_param(model, hei->bias_ref[l - 1]);
	}
}

static void
begin_training(Layer *layer, Pass *pass)
{
	Hei		   *hei = (Hei *) layer;
	size_t		segments = pass->capacity;

	hei->gate_in = ARENA_ARRAY(pass->arena, real, segments * 2 * hei->dim);
	hei->raw_gates = ARENA_ARRAY(pass->arena, real, segments * hei->n_gates);
	hei->gates = ARENA_ARRAY(pass->arena, real, segments * hei->n_gates);
	hei->d_gates = ARENA_ARRAY(pass->arena, real, segments * hei->n_gates);
	hei->d_open = ARENA_ARRAY(pass->arena, real, segments * hei->n_gates);
}

static RowTensor *
domain_table(const Pass *pass)
{
	const Shape *shape = &pass->model->shape;

	return &pass->rows[shape->field_table[shape->domain_field]];
}

static void
forward(Layer *layer, Pass *pass, int task, int thread)
{
	Hei		   *hei = (Hei *) layer;
	const real *domains = domain_table(pass)->values;

	(void) task;
	(void) thread;
	hei_pack(hei, pass->batch);
	memset(hei->d_gates, 0, (size_t) pass->batch->n_segments * hei->n_gates * sizeof(real));
	for (int s = 0; s < pass->batch->n_segments; s++)
	{
		const Segment *segment = &pass->batch->segments[s];
		size_t		at = (size_t) s * hei->n_gates;

		hei_gates_forward(hei, domains + (size_t) segment_domain_id(segment) * hei->dim,
						  segment->mask, hei->gate_in + (size_t) s * 2 * hei->dim,
						  hei->raw_gates + at, hei->gates + at);
	}
}

/* The layers above have left d_gates. */
static void
backward(Layer *layer, Pass *pass, int task, int thread)
{
	Hei		   *hei = (Hei *) layer;
	RowTensor  *table = domain_table(pass);

	(void) task;
	(void) thread;
	for (int s = 0; s < pass->batch->n_segments; s++)
	{
		real	   *d_domain = NULL;

		if (!pass->rows_fixed)
			d_domain = table->grads + (size_t) hei->dim *
				rows_slot(table, segment_domain_id(&pass->batch->segments[s]));
		gates_backward(hei, pass, s, d_domain);
	}
}

static void
lay_out(Layer *layer, Prepared *prepared)
{
	prepared->gates = prepared_take(prepared, ((size_t) prepared->model->n_domains + 1) *
									((Hei *) layer)->n_gates);
}

static bool
prepare(Layer *layer, Prepared *prepared, EngineError *error)
{
	const Hei  *hei = (const Hei *) layer;
	const Model *model = prepared->model;
	size_t		dim = hei->dim;
	const real *domains =
		prepared->tables[model->shape.field_table[model->shape.domain_field]].values;
	real	   *scratch = ARENA_ARRAY(prepared->arena, real, 2 * dim + hei->n_gates);

	if (!arena_ok(prepared->arena, error))
		return false;
	for (uint32_t d = 0; d <= model->n_domains; d++)
	{
		int64_t		domain = d < model->n_domains ? (int64_t) d : -1;
		size_t		row = domain < 0 ? UNSEEN_ID : FIRST_ID + d;

		if (watch_worked(prepared->watch, dim * hei->n_gates))
			break;
		hei_gates_forward(hei, domains + row * dim, model_mask(model, domain), scratch,
						  scratch + 2 * dim, prepared->gates + (size_t) d * hei->n_gates);
	}
	return true;
}

static const LayerKind kind = {
	.name = "hei gates",
	.size = sizeof(Hei),
	.bind = bind,
	.begin_training = begin_training,
	.forward = forward,
	.backward = backward,
	.lay_out = lay_out,
	.prepare = prepare
};

static void
plan_gate_tensors(NetworkPlan *plan, Hei *hei, const IntList *experts, int l)
{
	int			below = experts->value[l - 2];

	hei->weight_ref[l - 1] = plan_dense(plan, START_FAN_IN, true, experts->value[l - 1], below,
										2 * hei->dim, "hei%d.gate.weight", l);
	hei->bias_ref[l - 1] = plan_dense(plan, START_ZERO, false, experts->value[l - 1], below, 0,
									  "hei%d.gate.bias", l);
}

int
plan_hei(NetworkPlan *plan, int h, const IntList *experts, const IntList *hidden,
		 const IntList *output)
{
	Hei		   *hei = (Hei *) plan_layer(plan, &kind, NO_SLOT, NO_SLOT);
	int			slot = h;

	if (!hei)
		return NO_SLOT;
	hei->n_experts = experts;
	hei->n_layers = experts->n;
	hei->n_gates = plan->n_gates = gates_total(experts);
	hei->dim = plan->config->embed_dim;
	for (int l = 1; l <= experts->n && slot != NO_SLOT; l++)
	{
		slot = plan_hei_layer(plan, hei, l, slot, hidden->value[l - 1], output->value[l - 1]);
		if (l > 1)
			plan_gate_tensors(plan, hei, experts, l);
	}
	hei->group_ref = plan_dense(plan, START_SMALL, false, experts->value[0], hei->dim, 0,
								"hei.group");
	return slot;
}

Hei *
hei_of(Layer *const *layers, int n_layers)
{
	return (Hei *) layer_of_kind(layers, n_layers, &kind);
}
