/*
 * cross.c
 *	  The cross network, forward, backward and in scoring.
 *
 * Scoring needs no vector of it.  Its output is a multiple of x0 and a constant,
 *	  x_k = a_k x0 + c_k,  a_k+1 = a_k + x_k . v_k,  c_k+1 = c_k + b_k
 * with a_1 = 1, c_1 = 0.  So what is asked of it are products of x0, which are
 * columns over x0, and of constants.  The number a_K is what it hands on.
 */
#include "engine/layers/cross.h"

#include <string.h>

#include "engine/layers/prepared.h"

static real *
layer_output(const Cross *cross, int k)
{
	return cross->x + (size_t) k * cross->capacity * cross->width;
}

real *
cross_output(const Cross *cross)
{
	return layer_output(cross, cross->n_layers - 1);
}

HOT void
cross_forward(Cross *cross, const real *x0, int rows, Watch *watch)
{
	size_t		width = cross->width;

	for (int k = 0; k < cross->n_layers; k++)
	{
		const real *below = k > 0 ? layer_output(cross, k - 1) : x0;
		const real *v = cross->weight + k * width;
		const real *bias = cross->bias + k * width;
		real	   *out = layer_output(cross, k);
		real	   *product = cross->product + k * cross->capacity;

		for (int b = 0; b < rows; b++)
		{
			const real *x = below + b * width;

			if (watch_worked(watch, 2 * width))
				return;
			product[b] = dot(x, v, width);
			for (size_t i = 0; i < width; i++)
				out[b * width + i] = x0[b * width + i] * product[b] + bias[i] + x[i];
		}
	}
}

HOT void
cross_backward(const Cross *cross, real *d_x0, real *d_weight, real *d_bias, real *d,
			   const real *x0, int rows, Watch *watch)
{
	size_t		width = cross->width;

	for (int k = cross->n_layers - 1; k >= 0; k--)
	{
		const real *below = k > 0 ? layer_output(cross, k - 1) : x0;
		const real *v = cross->weight + k * width;
		const real *product = cross->product + k * cross->capacity;

		for (int b = 0; b < rows; b++)
		{
			real	   *d_row = d + b * width;
			real		d_product = dot(d_row, x0 + b * width, width);

			if (watch_worked(watch, 5 * width))
				return;
			add_scaled(d_bias + k * width, 1, d_row, width);
			add_scaled(d_x0 + b * width, product[b], d_row, width);
			add_scaled(d_weight + k * width, d_product, below + b * width, width);
			add_scaled(d_row, d_product, v, width);
		}
	}
	for (int b = 0; b < rows; b++)
		add_scaled(d_x0 + b * width, 1, d + b * width, width);
}

static void
bind(Layer *layer, const Model *model, Layer **layers, Arena *arena)
{
	Cross	   *cross = (Cross *) layer;

	(void) layers;
	(void) arena;
	cross->weight = model_param(model, cross->weight_ref);
	cross->bias = model_param(model, cross->bias_ref);
}

static void
begin_training(Layer *layer, Pass *pass)
{
	Cross	   *cross = (Cross *) layer;
	Slot	   *out = pass_out(pass, layer);

	cross->capacity = pass->capacity;
	cross->x = ARENA_ARRAY(pass->arena, real, cross->n_layers * cross->capacity * cross->width);
	cross->product = ARENA_ARRAY(pass->arena, real, cross->n_layers * cross->capacity);
	out->group = ARENA_ARRAY(pass->arena, SlotGroup, 1);
	if (pass->arena->failed)
		return;
	out->group[0] = (SlotGroup) {
		.value = {cross_output(cross), cross->width},
		.d = {ARENA_ARRAY(pass->arena, real, cross->capacity * cross->width), cross->width},
		.offset = pass->segment_start
	};
}

static void
forward(Layer *layer, Pass *pass, int task, int thread)
{
	(void) task;
	cross_forward((Cross *) layer, pass_in(pass, layer, 0)->group[0].value.data,
				  pass->batch->n_rows, pass_watch(pass, thread));
}

static void
backward(Layer *layer, Pass *pass, int task, int thread)
{
	const Cross *cross = (const Cross *) layer;
	const SlotGroup *x0 = &pass_in(pass, layer, 0)->group[0];

	(void) task;
	cross_backward(cross, x0->d.data, pass_gradient(pass, cross->weight),
				   pass_gradient(pass, cross->bias), pass_out(pass, layer)->group[0].d.data,
				   x0->value.data, pass->batch->n_rows, pass_watch(pass, thread));
}

static void
claim(Layer *layer, Prepared *prepared)
{
	Cross	   *cross = (Cross *) layer;

	cross->column = prepared_claim(prepared, cross->n_layers);
}

static void
lay_out(Layer *layer, Prepared *prepared)
{
	Cross	   *cross = (Cross *) layer;

	cross->constant = prepared_take(prepared, cross->n_layers);
}

static bool
prepare(Layer *layer, Prepared *prepared, EngineError *error)
{
	const Cross *cross = (const Cross *) layer;
	size_t		width = cross->width;
	real	   *constant = ARENA_ARRAY(prepared->arena, real, width);	/* c_k */

	if (!arena_ok(prepared->arena, error))
		return false;
	prepared_fill_columns(prepared, cross->column, cross->weight, cross->n_layers);
	for (int k = 0; k < cross->n_layers; k++)
	{
		cross->constant[k] = dot(constant, cross->weight + k * width, width);
		add_scaled(constant, 1, cross->bias + k * width, width);
	}
	prepared->constants[layer->out] = constant;
	return true;
}

/* a_K of each row. */
static void
score(Layer *layer, const ScoreRun *run)
{
	const Cross *cross = (const Cross *) layer;
	real	   *out = run->buffers->slot[layer->out];

	for (int b = run->from; b < run->from + run->n_rows; b++)
	{
		const real *z = run_columns(run, b, cross->column);
		real		a = 1;

		for (int k = 0; k < cross->n_layers; k++)
			a += a * z[k] + cross->constant[k];
		out[b] = a;
	}
}

static const LayerKind kind = {
	.name = "cross",
	.size = sizeof(Cross),
	.serial = true,
	.bind = bind,
	.begin_training = begin_training,
	.forward = forward,
	.backward = backward,
	.claim = claim,
	.lay_out = lay_out,
	.prepare = prepare,
	.score = score
};

int
plan_cross(NetworkPlan *plan, int x0, int n_layers)
{
	Cross	   *cross = n_layers > 0 ? (Cross *) plan_layer(plan, &kind, x0, NO_SLOT) : NULL;
	int			slot;

	if (!cross)
		return NO_SLOT;
	cross->n_layers = n_layers;
	cross->width = plan_width(plan);
	cross->weight_ref = plan_dense(plan, START_FAN_IN, true, n_layers, cross->width, 0,
								   "cross.weight");
	cross->bias_ref = plan_dense(plan, START_ZERO, false, n_layers, cross->width, 0,
								 "cross.bias");
	slot = plan_slot(plan, &cross->layer, 1, cross->width);
	if (slot != NO_SLOT)
		plan->slots[slot].is_multiple = true;
	return slot;
}
