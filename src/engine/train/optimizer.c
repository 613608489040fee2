/*
 * optimizer.c
 *	  A step of Adam over everything a batch moved, and the counts it needs.
 */
#include "engine/train/trainer.h"

#include <string.h>

/* Add one field's training occurrences. */
static void
count_field(const Dataset *data, int field, uint32_t *counts, Watch *watch)
{
	bool		dense = shape_is_dense(&data->shape, field);

	for (size_t row = data->split_start[SPLIT_TRAIN]; row < data->split_start[SPLIT_VALID]; row++)
	{
		const uint32_t *members;
		size_t		n = dataset_members(data, row, field, &members);

		for (size_t i = 0; i < n; i++)
		{
			if (i % WATCH_MEMBERS == 0 && watch_worked(watch, WATCH_MEMBERS))
				return;
			/* a vector's numbers are in the order of the components */
			counts[i > 0 && dense ? FIRST_ID + i - 1 : members[i]]++;
		}
	}
}

bool
counts_init(uint32_t ***counts, Arena *arena, const Dataset *data, const EngineHost *host,
			EngineError *error)
{
	const Shape *shape = &data->shape;
	Watch		watch = {.host = host};

	*counts = ARENA_ARRAY(arena, uint32_t *, shape->n_tables);
	if (!arena_ok(arena, error))
		return false;
	for (int t = 0; t < shape->n_tables; t++)
		(*counts)[t] = ARENA_ARRAY(arena, uint32_t, shape->table_rows[t]);
	if (!arena_ok(arena, error))
		return false;
	for (int f = 0; f < shape->n_fields; f++)
		count_field(data, f, (*counts)[shape->field_table[f]], &watch);
	return watch_continue(&watch, error);
}

bool
domain_rows_init(DomainRows *rows, Arena *arena, const Dataset *data, EngineError *error)
{
	uint32_t	n_domains = shape_domains(&data->shape);
	size_t		end = data->split_start[SPLIT_VALID];
	uint64_t   *next;

	rows->start = ARENA_ARRAY(arena, uint64_t, n_domains + 2);
	rows->positives = ARENA_ARRAY(arena, uint64_t, n_domains + 1);
	rows->rows = ARENA_ARRAY(arena, uint32_t, end);
	if (!arena_ok(arena, error))
		return false;
	/* start[d + 1] counts domain d, then marks where it begins, then ends */
	next = rows->start + 1;
	for (size_t row = 0; row < end; row++)
		if (dataset_domain(data, row) >= 0)
			next[dataset_domain(data, row) + 1]++;
	for (uint32_t d = 0; d < n_domains; d++)
		next[d + 1] += next[d];
	for (size_t row = 0; row < end; row++)
	{
		int64_t		domain = dataset_domain(data, row);

		if (domain < 0)
			continue;
		rows->rows[next[domain]++] = row;
		rows->positives[domain] += data->labels[row];
	}
	return true;
}

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
