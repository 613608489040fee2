/*
 * embedding.c
 *	  Embedding tables, forward and backward.
 */
#include "engine/layers/embedding.h"

#include <string.h>

#include "engine/base/linear.h"
#include "engine/data/vectors.h"
#include "engine/layers/prepared.h"

/* So many rows ahead memory is fetched for a row. */
#define AHEAD 8

/* Vectors that a row will add up. */
static inline void
prefetch_vectors(const RowTensor *tables, const Shape *shape, const Batch *batch, int b, int dim)
{
	for (int f = 0; f < shape->n_fields; f++)
	{
		const real *values = tables[shape->field_table[f]].values;
		const uint32_t *members;
		uint32_t	n = batch_members(batch, shape, b, f, &members);

		for (uint32_t i = 0; i < n && i < WATCH_MEMBERS && !shape_is_dense(shape, f); i++)
			for (int e = 0; e < dim; e += 64 / (int) sizeof(real))
				__builtin_prefetch(values + (size_t) members[i] * dim + e);
	}
}

void
embedding_value(const RowTensor *table, bool dense, const uint32_t *members, uint32_t n_members,
				real *out, Watch *watch)
{
	size_t		dim = table->dim;

	if (dense)
	{
		vector_embed(out, table->values, members, n_members, (int) dim);
		return;
	}
	if (n_members == 1)
	{
		memcpy(out, table->values + members[0] * dim, dim * sizeof(real));
		return;
	}
	memset(out, 0, dim * sizeof(real));
	for (uint32_t i = 0; i < n_members; i++)
	{
		if (i % WATCH_MEMBERS == 0 && watch_worked(watch, WATCH_MEMBERS * dim))
			return;
		add_scaled(out, (real) 1 / n_members, table->values + members[i] * dim, dim);
	}
}

void
embedding_forward(real *x0, const RowTensor *tables, const Shape *shape,
				  const Batch *batch, int from, int to, int dim, Watch *watch)
{
	for (int b = from; b < to; b++)
	{
		if (b + AHEAD < to)
			prefetch_vectors(tables, shape, batch, b + AHEAD, dim);
		for (int f = 0; f < shape->n_fields; f++)
		{
			const uint32_t *members;
			uint32_t	n = batch_members(batch, shape, b, f, &members);

			embedding_value(&tables[shape->field_table[f]], shape_is_dense(shape, f), members, n,
							x0 + ((size_t) b * shape->n_fields + f) * dim, watch);
		}
	}
}

/* The slots that a row will look for. */
static inline void
prefetch_slots(const RowTensor *table, const Shape *shape, const Batch *batch, int b, int field)
{
	const uint32_t *members;
	uint32_t	n = batch_members(batch, shape, b, field, &members);

	for (uint32_t i = 0; i < n && i < WATCH_MEMBERS; i++)
		__builtin_prefetch(&table->slot_of[members[i]]);
}

void
embedding_backward(RowTensor *table, const real *d_x0, const Shape *shape, const Batch *batch,
				   int field, int dim, Watch *watch)
{
	if (shape_is_dense(shape, field))
	{
		vectors_backward(table, d_x0, shape, batch, field);
		return;
	}
	for (int b = 0; b < batch->n_rows; b++)
	{
		const real *d = d_x0 + ((size_t) b * shape->n_fields + field) * dim;
		const uint32_t *members;
		uint32_t	n = batch_members(batch, shape, b, field, &members);

		if (b + AHEAD < batch->n_rows)
			prefetch_slots(table, shape, batch, b + AHEAD, field);
		for (uint32_t i = 0; i < n; i++)
		{
			if (i % WATCH_MEMBERS == 0 && watch_worked(watch, (size_t) WATCH_MEMBERS * dim))
				return;
			add_scaled(rows_touch(table, members[i]), (real) 1 / n, d, dim);
		}
	}
}

size_t
batch_occurrences(const Batch *batch, const Shape *shape, int field)
{
	size_t		n = 0;

	if (!shape->field_is_list[field])
		return batch->n_rows;
	if (shape_is_dense(shape, field))
		return shape_rows(shape, field);
	for (int b = 0; b < batch->n_rows; b++)
	{
		const uint32_t *members;

		n += batch_members(batch, shape, b, field, &members);
	}
	return n;
}

RowTensor *
tables_bind(const Model *model, bool training, Arena *arena)
{
	RowTensor  *rows = ARENA_ARRAY(arena, RowTensor, model->n_rows);

	for (int i = 0; i < model->n_rows && !arena->failed; i++)
	{
		const Tensor *tensor = &model->rows[i];

		rows_init(&rows[i], arena, model_values(model, tensor), training ? tensor->dims[0] : 0,
				  (int) (tensor->size / tensor->dims[0]));
		rows[i].table = model_table_of(model, tensor);
		rows[i].l2_by_use = tensor->l2_by_use;
		rows[i].l2 = (real) tensor->l2_of_use;
	}
	return rows;
}

/* x0 and its gradient, fields side by side. */
static void
begin_training(Layer *layer, Pass *pass)
{
	slot_allocate(pass_out(pass, layer), pass);
}

/* By rows forward, by tables backward. */
static int
n_tasks(const Layer *layer, const Pass *pass, bool backward)
{
	(void) layer;
	return backward ? pass->model->shape.n_tables : ROW_PARTS;
}

static void
forward(Layer *layer, Pass *pass, int task, int thread)
{
	embedding_forward(pass_out(pass, layer)->group[0].value.data, pass->rows, &pass->model->shape,
					  pass->batch, part_start(pass->batch->n_rows, ROW_PARTS, task),
					  part_start(pass->batch->n_rows, ROW_PARTS, task + 1),
					  pass->model->config.embed_dim, pass_watch(pass, thread));
}

/* A table's rows get their gradients. */
static void
backward(Layer *layer, Pass *pass, int table, int thread)
{
	const Shape *shape = &pass->model->shape;

	for (int f = 0; f < shape->n_fields; f++)
	{
		if ((int) shape->field_table[f] != table)
			continue;
		embedding_backward(&pass->rows[table], pass_out(pass, layer)->group[0].d.data, shape,
						   pass->batch, f, pass->model->config.embed_dim,
						   pass_watch(pass, thread));
		fields_add_values(&pass->fields, f, &pass->rows[table]);
	}
}

/* Vectors of a batch of lines, each in the first row only of those that have it in common. */
static void
score_lines(real *x0, const ScoreRun *run)
{
	const Model *model = run->prepared->model;
	const Shape *shape = &model->shape;
	const Batch *batch = run->buffers->batch;
	size_t		dim = model->config.embed_dim;

	for (int f = 0; f < shape->n_fields; f++)
	{
		int			step = batch->share[f] == OF_LINE ? batch->across : 1;
		int			end = batch->share[f] == OF_COLUMN ? batch->across : batch->n_rows;

		for (int b = 0; b < end; b += step)
		{
			const uint32_t *members;
			uint32_t	n = batch_members(batch, shape, b, f, &members);

			embedding_value(&run->prepared->tables[shape->field_table[f]],
							shape_is_dense(shape, f), members, n,
							x0 + ((size_t) b * shape->n_fields + f) * dim, run->scratch->watch);
		}
	}
}

static void
score_ids(Layer *layer, const ScoreRun *run)
{
	const Model *model = run->prepared->model;
	real	   *x0 = run->buffers->slot[layer->out];

	if (x0 && run->buffers->batch->across > 0)
		score_lines(x0, run);
	else if (x0)
		embedding_forward(x0, run->prepared->tables, &model->shape, run->buffers->batch, run->from,
						  run->from + run->n_rows, model->config.embed_dim, run->scratch->watch);
}

static const LayerKind kind = {
	.name = "embedding",
	.size = sizeof(Layer),
	.begin_training = begin_training,
	.n_tasks = n_tasks,
	.forward = forward,
	.backward = backward,
	.score_ids = score_ids
};

/* The first field that reads a table. */
static int
field_of(const Shape *shape, int table)
{
	int			f = 0;

	while (f < shape->n_fields && (int) shape->field_table[f] != table)
		f++;
	return f < shape->n_fields ? f : -1;
}

int
plan_embedding(NetworkPlan *plan)
{
	Layer	   *layer = plan_layer(plan, &kind, NO_SLOT, NO_SLOT);
	int			slot;

	if (!layer)
		return NO_SLOT;
	for (int t = 0; t < plan->shape->n_tables; t++)
	{
		Tensor		tensor = {.kind = TENSOR_ROWS,.start = START_SMALL,.rows_of = ROWS_OF_IDS,
			.table = t,.field = field_of(plan->shape, t),.n_dims = 2,
			.dims = {plan->shape->table_rows[t], plan->config->embed_dim}};

		tensors_add(&plan->tensors, &tensor, "embedding.%d", t);
	}
	slot = plan_slot(plan, layer, 1, plan_width(plan));
	plan->slots[slot].is_x0 = true;
	return slot;
}
