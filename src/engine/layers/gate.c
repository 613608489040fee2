/*
 * gate.c
 *	  Softmax gates over x0, forward, backward and in scoring.
 */
#include "engine/layers/gate.h"

#include <math.h>
#include <string.h>

#include "engine/layers/prepared.h"

typedef struct Gate
{
	Layer		layer;
	TensorRef	weight_ref;
	TensorRef	bias_ref;
	int			groups;
	int			n;
	int			width;			/* W */
	real	   *weight;			/* (groups, n, W) */
	real	   *bias;			/* (groups, n) */
	int			column;			/* scoring: claimed columns, the logits */
} Gate;

void
softmax_forward(real *logits, size_t groups, int n)
{
	for (size_t g = 0; g < groups; g++)
	{
		real	   *x = logits + g * n;
		real		max = x[0];
		real		sum = 0;

		for (int i = 1; i < n; i++)
			max = x[i] > max ? x[i] : max;
		for (int i = 0; i < n; i++)
		{
			x[i] = exp(x[i] - max);
			sum += x[i];
		}
		for (int i = 0; i < n; i++)
			x[i] /= sum;
	}
}

void
softmax_backward(real *d, const real *gates, size_t groups, int n)
{
	for (size_t g = 0; g < groups; g++)
	{
		real	   *d_row = d + g * n;
		const real *p = gates + g * n;
		real		mean = 0;

		for (int i = 0; i < n; i++)
			mean += d_row[i] * p[i];
		for (int i = 0; i < n; i++)
			d_row[i] = p[i] * (d_row[i] - mean);
	}
}

static void
bind(Layer *layer, const Model *model, Layer **layers, Arena *arena)
{
	Gate	   *gate = (Gate *) layer;

	(void) layers;
	(void) arena;
	gate->weight = model_param(model, gate->weight_ref);
	gate->bias = model_param(model, gate->bias_ref);
}

static void
begin_training(Layer *layer, Pass *pass)
{
	slot_allocate(pass_out(pass, layer), pass);
}

static void
forward(Layer *layer, Pass *pass, int task, int thread)
{
	const Gate *gate = (const Gate *) layer;
	int			n_gates = gate->groups * gate->n;
	size_t		rows = pass->batch->n_rows;
	real	   *gates = pass_out(pass, layer)->group[0].value.data;

	(void) task;
	linear_forward((Matrix) {gates, n_gates}, pass_in(pass, layer, 0)->group[0].value,
				   gate->weight, (int) rows, gate->width, n_gates, pass_watch(pass, thread));
	for (size_t b = 0; b < rows; b++)
		add_scaled(gates + b * n_gates, 1, gate->bias, n_gates);
	softmax_forward(gates, rows * gate->groups, gate->n);
}

static void
backward(Layer *layer, Pass *pass, int task, int thread)
{
	const Gate *gate = (const Gate *) layer;
	const SlotGroup *x0 = &pass_in(pass, layer, 0)->group[0];
	const SlotGroup *out = &pass_out(pass, layer)->group[0];
	int			n_gates = gate->groups * gate->n;
	size_t		rows = pass->batch->n_rows;

	(void) task;
	softmax_backward(out->d.data, out->value.data, rows * gate->groups, gate->n);
	for (size_t b = 0; b < rows; b++)
		add_scaled(pass_gradient(pass, gate->bias), 1, out->d.data + b * n_gates, n_gates);
	linear_backward(x0->d, 1, pass_gradient(pass, gate->weight), (Matrix) {out->d.data, n_gates},
					x0->value, gate->weight, (int) rows, gate->width, n_gates,
					pass_watch(pass, thread));
}

static void
claim(Layer *layer, Prepared *prepared)
{
	Gate	   *gate = (Gate *) layer;

	gate->column = prepared_claim(prepared, gate->groups * gate->n);
}

static bool
prepare(Layer *layer, Prepared *prepared, EngineError *error)
{
	const Gate *gate = (const Gate *) layer;
	int			n_gates = gate->groups * gate->n;

	(void) error;
	prepared_fill_columns(prepared, gate->column, gate->weight, n_gates);
	memcpy(prepared_bias(prepared, gate->column), gate->bias, n_gates * sizeof(real));
	return true;
}

static void
score(Layer *layer, const ScoreRun *run)
{
	const Gate *gate = (const Gate *) layer;
	size_t		n_gates = (size_t) gate->groups * gate->n;
	real	   *gates = run->buffers->slot[layer->out] + run->from * n_gates;

	for (int r = 0; r < run->n_rows; r++)
		memcpy(gates + r * n_gates, run_columns(run, run->from + r, gate->column),
			   n_gates * sizeof(real));
	softmax_forward(gates, (size_t) run->n_rows * gate->groups, gate->n);
}

static const LayerKind kind = {
	.name = "gate",
	.size = sizeof(Gate),
	.serial = true,
	.bind = bind,
	.begin_training = begin_training,
	.forward = forward,
	.backward = backward,
	.claim = claim,
	.prepare = prepare,
	.score = score
};

int
plan_gate(NetworkPlan *plan, const char *name, int x0, int groups, int n)
{
	Gate	   *gate = (Gate *) plan_layer(plan, &kind, x0, NO_SLOT);

	if (!gate)
		return NO_SLOT;
	gate->groups = groups;
	gate->n = n;
	gate->width = plan_width(plan);
	gate->weight_ref = plan_dense(plan, START_FAN_IN, true, groups, n, gate->width, "%s.weight",
								  name);
	gate->bias_ref = plan_dense(plan, START_ZERO, false, groups, n, 0, "%s.bias", name);
	return plan_slot(plan, &gate->layer, groups, n);
}
