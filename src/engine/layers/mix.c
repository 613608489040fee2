/*
 * mix.c
 *	  Mixtures of experts, forward, backward and in scoring.
 */
#include "engine/layers/mix.h"

#include <string.h>

#include "engine/layers/prepared.h"

typedef struct Mix
{
	Layer		layer;
	real	  **e;				/* [M] (B, H) the experts' outputs */
	real	  **d_e;			/* [M] their gradients */
} Mix;

HOT void
mix_forward(real *h, const real *gates, real *const *e, int from, int to, int n_out, int n_in,
			int dim, Watch *watch)
{
	memset(h + (size_t) from * n_out * dim, 0,
		   (size_t) (to - from) * n_out * dim * sizeof(real));
	for (size_t b = from; b < (size_t) to && !watch_worked(watch, (size_t) n_out * n_in * dim); b++)
		for (int n = 0; n < n_out; n++)
			for (int m = 0; m < n_in; m++)
				add_scaled(h + (b * n_out + n) * dim, gates[(b * n_out + n) * n_in + m],
						   e[m] + b * dim, dim);
}

HOT void
mix_backward(real *d_gates, real *const *d_e, const real *d_h, const real *gates,
			 real *const *e, int from, int to, int n_out, int n_in, int dim, Watch *watch)
{
	for (size_t b = from; b < (size_t) to && !watch_worked(watch, (size_t) n_out * n_in * dim); b++)
		for (int n = 0; n < n_out; n++)
			for (int m = 0; m < n_in; m++)
			{
				size_t		gate = (b * n_out + n) * n_in + m;
				const real *d_row = d_h + (b * n_out + n) * dim;
				const real *e_row = e[m] + b * dim;
				real		sum = 0;

				for (int i = 0; i < dim; i++)
					sum += d_row[i] * e_row[i];
				d_gates[gate] = sum;
				add_scaled(d_e[m] + b * dim, gates[gate], d_row, dim);
			}
}

static void
begin_training(Layer *layer, Pass *pass)
{
	Mix		   *mix = (Mix *) layer;
	const Slot *e = pass_in(pass, layer, 1);

	slot_allocate(pass_out(pass, layer), pass);
	mix->e = ARENA_ARRAY(pass->arena, real *, e->groups);
	mix->d_e = ARENA_ARRAY(pass->arena, real *, e->groups);
	for (int m = 0; m < e->groups && !pass->arena->failed; m++)
	{
		mix->e[m] = e->group[m].value.data;
		mix->d_e[m] = e->group[m].d.data;
	}
}

static int
n_tasks(const Layer *layer, const Pass *pass, bool backward)
{
	(void) layer;
	(void) pass;
	(void) backward;
	return ROW_PARTS;
}

static void
forward(Layer *layer, Pass *pass, int task, int thread)
{
	const Slot *h = pass_out(pass, layer);

	mix_forward(h->group[0].value.data, pass_in(pass, layer, 0)->group[0].value.data,
				((Mix *) layer)->e, part_start(pass->batch->n_rows, ROW_PARTS, task),
				part_start(pass->batch->n_rows, ROW_PARTS, task + 1), h->groups,
				pass_in(pass, layer, 1)->groups, h->width, pass_watch(pass, thread));
}

static void
backward(Layer *layer, Pass *pass, int task, int thread)
{
	const Mix  *mix = (const Mix *) layer;
	const Slot *h = pass_out(pass, layer);
	const SlotGroup *gates = &pass_in(pass, layer, 0)->group[0];
	int			n_experts = pass_in(pass, layer, 1)->groups;
	size_t		from = part_start(pass->batch->n_rows, ROW_PARTS, task);
	size_t		to = part_start(pass->batch->n_rows, ROW_PARTS, task + 1);

	for (int m = 0; m < n_experts && layer->sets[1]; m++)
		memset(mix->d_e[m] + from * h->width, 0, (to - from) * h->width * sizeof(real));
	mix_backward(gates->d.data, mix->d_e, h->group[0].d.data, gates->value.data, mix->e, (int) from,
				 (int) to, h->groups, n_experts, h->width, pass_watch(pass, thread));
}

static void
score(Layer *layer, const ScoreRun *run)
{
	const Slot *h = &run->prepared->slots[layer->out];
	int			n_experts = run->prepared->slots[layer->in[1]].groups;
	real	   *e[MAX_EXPERTS];

	for (int m = 0; m < n_experts; m++)
		e[m] = run->buffers->slot[layer->in[1]] + (size_t) m * run->buffers->capacity * h->width;
	mix_forward(run->buffers->slot[layer->out], run->buffers->slot[layer->in[0]], e, run->from,
				run->from + run->n_rows, h->groups, n_experts, h->width, run->scratch->watch);
}

static const LayerKind kind = {
	.name = "mix",
	.size = sizeof(Mix),
	.begin_training = begin_training,
	.n_tasks = n_tasks,
	.forward = forward,
	.backward = backward,
	.score = score
};

int
plan_mix(NetworkPlan *plan, int gates, int e)
{
	Layer	   *layer = plan_layer(plan, &kind, gates, e);

	return layer ? plan_slot(plan, layer, plan->slots[gates].groups, plan->slots[e].width) :
		NO_SLOT;
}
