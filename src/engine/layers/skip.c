/*
 * skip.c
 *	  A logit straight from a slot.
 */
#include "engine/layers/skip.h"

#include <string.h>

#include "engine/layers/prepared.h"

typedef struct Skip
{
	Layer		layer;
	TensorRef	ref;
	size_t		width;			/* of a row, all groups */
	const real *weight;			/* [width] */
} Skip;

static void
bind(Layer *layer, const Model *model, Layer **layers, Arena *arena)
{
	Skip	   *skip = (Skip *) layer;

	(void) layers;
	(void) arena;
	skip->weight = model_param(model, skip->ref);
}

/* logit[b] += skip . h_b */
static void
forward(Layer *layer, Pass *pass, int task, int thread)
{
	const Skip *skip = (const Skip *) layer;
	const real *h = pass_in(pass, layer, 0)->group[0].value.data;

	(void) task;
	for (int b = 0; b < pass->batch->n_rows && !watch_worked(pass_watch(pass, thread), skip->width); b++)
		pass->logit[b] += dot(skip->weight, h + b * skip->width, skip->width);
}

static void
backward(Layer *layer, Pass *pass, int task, int thread)
{
	const Skip *skip = (const Skip *) layer;
	const SlotGroup *h = &pass_in(pass, layer, 0)->group[0];
	real	   *d_weight = pass_gradient(pass, skip->weight);
	size_t		n = pass->batch->n_rows;

	(void) task;
	if (layer->sets[0])
		memset(h->d.data, 0, n * skip->width * sizeof(real));
	for (size_t b = 0; b < n && !watch_worked(pass_watch(pass, thread), 2 * skip->width); b++)
	{
		add_scaled(d_weight, pass->d_logit[b], h->value.data + b * skip->width, skip->width);
		add_scaled(h->d.data + b * skip->width, pass->d_logit[b], skip->weight, skip->width);
	}
}

static void
score(Layer *layer, const ScoreRun *run)
{
	const Skip *skip = (const Skip *) layer;
	const real *h = run->buffers->slot[layer->in[0]];

	for (int b = run->from; b < run->from + run->n_rows; b++)
		run->buffers->logit[b] += dot(skip->weight, h + b * skip->width, skip->width);
}

static const LayerKind kind = {
	.name = "skip",
	.size = sizeof(Skip),
	.bind = bind,
	.forward = forward,
	.backward = backward,
	.score = score
};

void
plan_skip(NetworkPlan *plan, const char *name, int h)
{
	Skip	   *skip = (Skip *) plan_layer(plan, &kind, h, NO_SLOT);

	if (!skip)
		return;
	skip->width = (size_t) plan->slots[h].groups * plan->slots[h].width;
	skip->ref = plan_dense(plan, START_ZERO, true, plan->slots[h].groups, plan->slots[h].width, 0,
						   "%s", name);
}
