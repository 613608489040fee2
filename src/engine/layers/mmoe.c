/*
 * mmoe.c
 *	  MMoE's experts, gates and mixtures, and the cross network beside them.
 */
#include "engine/layers/mmoe.h"

#include <string.h>

static bool
init_experts(Mmoe *mmoe, const Model *model, int capacity, bool training, Arena *arena,
			 EngineError *error)
{
	mmoe->experts = ARENA_ARRAY(arena, Mlp, mmoe->n_experts);
	mmoe->caches = ARENA_ARRAY(arena, MlpCache, mmoe->n_experts);
	mmoe->e = ARENA_ARRAY(arena, real *, mmoe->n_experts);
	mmoe->d_e = ARENA_ARRAY(arena, real *, mmoe->n_experts);
	if (!arena_ok(arena, error))
		return false;
	for (int m = 0; m < mmoe->n_experts; m++)
	{
		int			last = model->config.mmoe_dims.n - 1;

		mlp_bind(&mmoe->experts[m], model, "mmoe", last + 1, m, m);
		mlp_cache_alloc(&mmoe->caches[m], &mmoe->experts[m], capacity, training, arena);
		mmoe->e[m] = mmoe->caches[m].out[last];
		mmoe->d_e[m] = mmoe->caches[m].d[last];
	}
	return true;
}

bool
mmoe_init(Mmoe *mmoe, const Model *model, int capacity, const bool *shared, bool training,
		  Arena *arena, EngineError *error)
{
	const Config *config = &model->config;
	size_t		rows = capacity;
	size_t		width = (size_t) model->shape.n_fields * config->embed_dim;
	size_t		gates;

	*mmoe = (Mmoe) {.n_experts = config->mmoe_experts,.width = width,
		.n_mixtures = config->hei_experts.value[0],
		.dim = config->mmoe_dims.value[config->mmoe_dims.n - 1]};
	if (!init_experts(mmoe, model, capacity, training, arena, error) ||
		!fields_init(&mmoe->fields, &model->shape, config->embed_dim, capacity, shared, arena,
					 error))
		return false;
	mmoe->gate_weight = model_param(model, "mmoe.gate.weight");
	mmoe->gate_bias = model_param(model, "mmoe.gate.bias");
	gates = (size_t) mmoe->n_mixtures * mmoe->n_experts;
	mmoe->gates = ARENA_ARRAY(arena, real, rows * gates);
	mmoe->h = ARENA_ARRAY(arena, real, rows * mmoe->n_mixtures * mmoe->dim);
	mmoe->cross = (Cross) {.n_layers = config->cross_layers,.width = width,.capacity = rows,
		.weight = model_param(model, "cross.weight"),.bias = model_param(model, "cross.bias")};
	mmoe->cross.x = ARENA_ARRAY(arena, real, config->cross_layers * rows * width);
	mmoe->cross.product = ARENA_ARRAY(arena, real, config->cross_layers * rows);
	if (training)
	{
		mmoe->d_gates = ARENA_ARRAY(arena, real, rows * gates);
		mmoe->d_h = ARENA_ARRAY(arena, real, rows * mmoe->n_mixtures * mmoe->dim);
		mmoe->d_cross = ARENA_ARRAY(arena, real, rows * width);
		mmoe->d_values = ARENA_ARRAY(arena, real, mmoe->fields.capacity * mmoe->n_experts *
									 config->embed_dim);
	}
	return arena_ok(arena, error);
}

/* What the tasks of a pass share. */
typedef struct Pass
{
	Mmoe	   *mmoe;
	Workers    *workers;
	const PassMode *mode;
	int			rows;
	const real *x0;
	real	   *d_x0;
	const real *params;
	real	   *grads;
} Pass;

static void
gates_forward(const Pass *pass, Watch *watch)
{
	Mmoe	   *mmoe = pass->mmoe;
	int			n_gates = mmoe->n_mixtures * mmoe->n_experts;

	linear_forward((Matrix) {mmoe->gates, n_gates}, (Matrix) {(real *) pass->x0, mmoe->width},
				   mmoe->gate_weight, pass->rows, mmoe->width, n_gates, watch);
	for (int b = 0; b < pass->rows; b++)
		add_scaled(mmoe->gates + (size_t) b * n_gates, 1, mmoe->gate_bias, n_gates);
	softmax_forward(mmoe->gates, (size_t) pass->rows * mmoe->n_mixtures, mmoe->n_experts);
}

static void
expert_forward(const Pass *pass, int m, Scratch *scratch)
{
	Mmoe	   *mmoe = pass->mmoe;
	const Mlp  *expert = &mmoe->experts[m];

	fields_forward(&mmoe->fields, mlp_first_product(&mmoe->caches[m]), pass->x0,
				   expert->layer[0].weight, pass->rows, expert->layer[0].n_out, scratch);
	mlp_forward_rest(expert, &mmoe->caches[m], pass->rows, pass->mode, scratch);
}

/* Tasks: the cross network, the gates, each expert. */
static void
forward_task(void *context, int number, int thread)
{
	const Pass *pass = context;
	Scratch    *scratch = &pass->workers->scratch[thread];

	if (number == 0)
		cross_forward(&pass->mmoe->cross, pass->x0, pass->rows);
	else if (number == 1)
		gates_forward(pass, scratch->watch);
	else
		expert_forward(pass, number - 2, scratch);
}

static void
mix_task(void *context, int number, int thread)
{
	const Pass *pass = context;
	Mmoe	   *mmoe = pass->mmoe;

	(void) thread;
	mix_forward(mmoe->h, mmoe->gates, mmoe->e, part_start(pass->rows, ROW_PARTS, number),
				part_start(pass->rows, ROW_PARTS, number + 1), mmoe->n_mixtures,
				mmoe->n_experts, mmoe->dim);
}

void
mmoe_forward(Mmoe *mmoe, const RowTensor *tables, const Batch *batch, const real *x0,
			 const PassMode *mode, Workers *workers)
{
	Pass		pass = {.mmoe = mmoe,.workers = workers,.mode = mode,.rows = batch->n_rows,
		.x0 = x0};

	fields_index(&mmoe->fields, tables, batch);
	workers_run(workers, forward_task, &pass, 2 + mmoe->n_experts);
	workers_run(workers, mix_task, &pass, ROW_PARTS);
}

static void
mix_backward_task(void *context, int number, int thread)
{
	const Pass *pass = context;
	Mmoe	   *mmoe = pass->mmoe;

	(void) thread;
	mix_backward(mmoe->d_gates, mmoe->d_e, mmoe->d_h, mmoe->gates, mmoe->e,
				 part_start(pass->rows, ROW_PARTS, number),
				 part_start(pass->rows, ROW_PARTS, number + 1), mmoe->n_mixtures,
				 mmoe->n_experts, mmoe->dim);
}

static void
gates_backward(const Pass *pass, Watch *watch)
{
	Mmoe	   *mmoe = pass->mmoe;
	int			n_gates = mmoe->n_mixtures * mmoe->n_experts;

	softmax_backward(mmoe->d_gates, mmoe->gates, (size_t) pass->rows * mmoe->n_mixtures,
					 mmoe->n_experts);
	for (int b = 0; b < pass->rows; b++)
		add_scaled(pass->grads + (mmoe->gate_bias - pass->params), 1,
				   mmoe->d_gates + (size_t) b * n_gates, n_gates);
	linear_backward((Matrix) {pass->d_x0, mmoe->width}, 1,
					pass->grads + (mmoe->gate_weight - pass->params),
					(Matrix) {mmoe->d_gates, n_gates}, (Matrix) {(real *) pass->x0, mmoe->width},
					mmoe->gate_weight, pass->rows, mmoe->width, n_gates, watch);
}

static void
expert_backward(const Pass *pass, int m, Scratch *scratch)
{
	Mmoe	   *mmoe = pass->mmoe;
	const Mlp  *expert = &mmoe->experts[m];
	const MlpLayer *first = &expert->layer[0];

	mlp_backward_rest(expert, &mmoe->caches[m], pass->rows, pass->params, pass->grads, scratch);
	fields_backward(&mmoe->fields, pass->grads + (first->weight - pass->params),
					mmoe->d_values + mmoe->fields.capacity * mmoe->fields.dim * m,
					mmoe->caches[m].d[0], pass->x0, first->weight, pass->rows, first->n_out,
					scratch);
}

/* Tasks: what goes to d_x0 beside the experts, and each expert. */
static void
backward_task(void *context, int number, int thread)
{
	const Pass *pass = context;
	Mmoe	   *mmoe = pass->mmoe;
	Scratch    *scratch = &pass->workers->scratch[thread];

	if (number > 0)
	{
		expert_backward(pass, number - 1, scratch);
		return;
	}
	if (mmoe->cross.n_layers > 0)
		cross_backward(&mmoe->cross, pass->d_x0,
					   pass->grads + (mmoe->cross.weight - pass->params),
					   pass->grads + (mmoe->cross.bias - pass->params), mmoe->d_cross, pass->x0,
					   pass->rows);
	gates_backward(pass, scratch->watch);
}

/* The experts' part of some rows of d_x0, expert after expert. */
static void
rows_task(void *context, int number, int thread)
{
	const Pass *pass = context;
	Mmoe	   *mmoe = pass->mmoe;
	int			from = part_start(pass->rows, ROW_PARTS, number);
	int			to = part_start(pass->rows, ROW_PARTS, number + 1);

	for (int m = 0; m < mmoe->n_experts && to > from; m++)
		fields_backward_rows(&mmoe->fields, pass->d_x0, mmoe->caches[m].d[0],
							 mmoe->experts[m].layer[0].weight, from, to,
							 mmoe->experts[m].layer[0].n_out,
							 pass->workers->scratch[thread].watch);
}

void
mmoe_backward(Mmoe *mmoe, const Batch *batch, const real *x0, real *d_x0, const real *params,
			  real *grads, Workers *workers)
{
	Pass		pass = {.mmoe = mmoe,.workers = workers,.rows = batch->n_rows,.x0 = x0,
		.d_x0 = d_x0,.params = params,.grads = grads};

	workers_run(workers, mix_backward_task, &pass, ROW_PARTS);
	workers_run(workers, backward_task, &pass, 1 + mmoe->n_experts);
	workers_run(workers, rows_task, &pass, ROW_PARTS);
}

void
mmoe_add_values(const Mmoe *mmoe, int field, RowTensor *table)
{
	const Fields *fields = &mmoe->fields;

	for (int i = 0; i < fields->n_shared; i++)
	{
		const SharedField *shared = &fields->shared[i];

		for (uint32_t k = 0; shared->field == field && k < shared->n_distinct; k++)
		{
			real	   *grad = table->grads + (size_t) rows_slot(table, shared->ids[k]) * table->dim;

			for (int m = 0; m < mmoe->n_experts; m++)
				add_scaled(grad, 1, mmoe->d_values +
						   (fields->capacity * m + shared->start + k) * fields->dim, fields->dim);
		}
	}
}
