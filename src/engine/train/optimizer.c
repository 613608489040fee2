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
	for (int t = 0; t < model->n_rows; t++)
	{
		optimizer->table_first[t] = ARENA_ARRAY(arena, real, model->rows[t].size);
		optimizer->table_second[t] = ARENA_ARRAY(arena, real, model->rows[t].size);
	}
	return arena_ok(arena, error);
}

bool
optimizer_init(Optimizer *optimizer, Arena *arena, const Model *model, size_t n_dense,
			   bool by_slot, EngineError *error)
{
	memset(optimizer, 0, sizeof(*optimizer));
	optimizer->by_slot = by_slot;
	optimizer->first = ARENA_ARRAY(arena, real, n_dense);
	optimizer->second = ARENA_ARRAY(arena, real, n_dense);
	optimizer->table_first = ARENA_ARRAY(arena, real *, model->n_rows);
	optimizer->table_second = ARENA_ARRAY(arena, real *, model->n_rows);
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
				   part_start(pass->n_dense, DENSE_PARTS, number + 1), network->pass.grads,
				   optimizer->first, optimizer->second, config->l2_dense, pass->step);
	else
		adam_rows(&network->pass.rows[t], pass->counts[network->pass.rows[t].table], config->l2_embedding, pass->batch_rows,
				  optimizer->table_first[t], optimizer->table_second[t], optimizer->by_slot,
				  pass->step, network->pass.workers.scratch[thread].watch);
}

void
optimizer_step(Optimizer *optimizer, Network *network, uint32_t *const *counts, int batch_rows,
			   double learning_rate)
{
	StepPass	pass = {.optimizer = optimizer,.network = network,.counts = counts,
		.batch_rows = batch_rows,.n_dense = network->n_dense,
		.step = adam_step(learning_rate, ++optimizer->step)};

	workers_run(&network->pass.workers, step_task, &pass,
				DENSE_PARTS + network->model->n_rows);
}

void
optimizer_step_experts(Optimizer *optimizer, Network *network, double learning_rate)
{
	StepPass	pass = {.optimizer = optimizer,.network = network,
		.n_dense = network->n_dense,
		.step = adam_step(learning_rate, ++optimizer->step)};

	workers_run(&network->pass.workers, step_task, &pass, DENSE_PARTS);
}
