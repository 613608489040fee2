/*
 * optimizer.c
 *	  A step of Adam over everything a batch moved.
 *
 * Memory: two moments for each parameter.  Those of the dense parameters are
 * one range; those of embedding tables lie by row of the table, or, for the
 * mask search, by slot of its batch.
 *
 * Threads: the dense parameters are dealt out in eight parts, the tables one by
 * one; no two tasks write to the same parameter, so results do not depend on
 * the number of threads.
 */
#include "engine/train/optimizer.h"

#include <string.h>

static bool
alloc_row_moments(Optimizer *optimizer, Arena *arena, const Model *model, EngineError *error)
{
	const Shape *shape = &model->shape;
	size_t		dim = model->config.embed_dim;

	for (int t = 0; t < shape->n_tables && model->config.architecture != ARCH_WIDE; t++)
	{
		optimizer->table_first[t] = ARENA_ARRAY(arena, real, shape->table_rows[t] * dim);
		optimizer->table_second[t] = ARENA_ARRAY(arena, real, shape->table_rows[t] * dim);
	}
	return arena_ok(arena, error);
}

bool
optimizer_init(Optimizer *optimizer, Arena *arena, const Model *model, size_t n_dense,
			   bool by_slot, EngineError *error)
{
	const Shape *shape = &model->shape;

	memset(optimizer, 0, sizeof(*optimizer));
	optimizer->by_slot = by_slot;
	optimizer->first = ARENA_ARRAY(arena, real, n_dense);
	optimizer->second = ARENA_ARRAY(arena, real, n_dense);
	optimizer->table_first = ARENA_ARRAY(arena, real *, shape->n_tables);
	optimizer->table_second = ARENA_ARRAY(arena, real *, shape->n_tables);
	if (!arena_ok(arena, error))
		return false;
	return by_slot || alloc_row_moments(optimizer, arena, model, error);
}

/* Parts that dense parameters are dealt out in. */
#define DENSE_PARTS 8

/* What the tasks of a step share: parts of the dense parameters, then the tables. */
typedef struct StepPass
{
	Optimizer  *optimizer;
	Network    *network;
	uint32_t   *const *counts;
	int			batch_rows;
	size_t		n_dense;
	AdamStep	step;
} StepPass;

static void
step_task(void *context, int number, int thread)
{
	const StepPass *pass = context;
	Optimizer  *optimizer = pass->optimizer;
	Network    *network = pass->network;
	const Config *config = &network->model->config;
	int			t = number - DENSE_PARTS;

	if (number < DENSE_PARTS)
		adam_dense(network->model, part_start(pass->n_dense, DENSE_PARTS, number),
				   part_start(pass->n_dense, DENSE_PARTS, number + 1), network->grads,
				   optimizer->first, optimizer->second, config->l2_dense, pass->step);
	else if (network->tables[t].values)
		adam_rows(&network->tables[t], pass->counts[t], config->l2_embedding, pass->batch_rows,
				  optimizer->table_first[t], optimizer->table_second[t], optimizer->by_slot,
				  pass->step, network->workers.scratch[thread].watch);
}

void
optimizer_step(Optimizer *optimizer, Network *network, uint32_t *const *counts, int batch_rows,
			   double learning_rate)
{
	StepPass	pass = {.optimizer = optimizer,.network = network,.counts = counts,
		.batch_rows = batch_rows,.n_dense = network->n_dense,
		.step = adam_step(learning_rate, ++optimizer->step)};

	workers_run(&network->workers, step_task, &pass,
				DENSE_PARTS + network->model->shape.n_tables);
}

void
optimizer_step_experts(Optimizer *optimizer, Network *network, double learning_rate)
{
	StepPass	pass = {.optimizer = optimizer,.network = network,
		.n_dense = network->n_expert_dense,
		.step = adam_step(learning_rate, ++optimizer->step)};

	workers_run(&network->workers, step_task, &pass, DENSE_PARTS);
}
