/*
 * pairwise.c
 *	  The pairwise term, forward and backward.
 */
#include "engine/layers/pairwise.h"

#include <string.h>

#include "engine/layers/prepared.h"

typedef struct Pairwise
{
	Layer		layer;
	real	   *sums;			/* (B, E) sum of a row's vectors; training only */
} Pairwise;

void
pairwise_forward(real *logit, real *sums, const real *x0, int rows, int n_fields, int dim,
				 Watch *watch)
{
	for (int b = 0; b < rows && !watch_worked(watch, 2 * (size_t) n_fields * dim); b++)
	{
		const real *x = x0 + (size_t) b * n_fields * dim;
		real	   *sum = sums + (size_t) b * dim;
		real		squares = 0;
		real		square_of_sum = 0;

		memset(sum, 0, dim * sizeof(real));
		for (int f = 0; f < n_fields; f++)
			for (int e = 0; e < dim; e++)
			{
				sum[e] += x[f * dim + e];
				squares += x[f * dim + e] * x[f * dim + e];
			}
		for (int e = 0; e < dim; e++)
			square_of_sum += sum[e] * sum[e];
		logit[b] += (square_of_sum - squares) / 2;
	}
}

void
pairwise_backward(real *d_x0, const real *d_logit, const real *sums, const real *x0,
				  int rows, int n_fields, int dim, Watch *watch)
{
	for (int b = 0; b < rows && !watch_worked(watch, 2 * (size_t) n_fields * dim); b++)
	{
		const real *sum = sums + (size_t) b * dim;

		for (int f = 0; f < n_fields; f++)
		{
			size_t		at = ((size_t) b * n_fields + f) * dim;

			for (int e = 0; e < dim; e++)
				d_x0[at + e] += d_logit[b] * (sum[e] - x0[at + e]);
		}
	}
}

static void
begin_training(Layer *layer, Pass *pass)
{
	((Pairwise *) layer)->sums = ARENA_ARRAY(pass->arena, real, (size_t) pass->capacity *
											 pass->model->config.embed_dim);
}

static int
n_tasks(const Layer *layer, const Pass *pass, bool backward)
{
	(void) layer;
	(void) pass;
	return backward ? 1 : ROW_PARTS;
}

static void
forward(Layer *layer, Pass *pass, int task, int thread)
{
	const Shape *shape = &pass->model->shape;
	size_t		dim = pass->model->config.embed_dim;
	size_t		from = part_start(pass->batch->n_rows, ROW_PARTS, task);
	size_t		to = part_start(pass->batch->n_rows, ROW_PARTS, task + 1);

	pairwise_forward(pass->logit + from, ((Pairwise *) layer)->sums + from * dim,
					 pass_in(pass, layer, 0)->group[0].value.data + from * shape->n_fields * dim,
					 (int) (to - from), shape->n_fields, (int) dim, pass_watch(pass, thread));
}

static void
backward(Layer *layer, Pass *pass, int task, int thread)
{
	const SlotGroup *x0 = &pass_in(pass, layer, 0)->group[0];

	(void) task;
	pairwise_backward(x0->d.data, pass->d_logit, ((Pairwise *) layer)->sums, x0->value.data,
					  pass->batch->n_rows, pass->model->shape.n_fields,
					  pass->model->config.embed_dim, pass_watch(pass, thread));
}

static void
claim(Layer *layer, Prepared *prepared)
{
	(void) layer;
	prepared->wants_x0 = true;
}

/* sum [dim] of a row's vectors of one kind of fields; returns the products of their pairs. */
static real
sum_shared(const Batch *batch, const real *x, RowShare share, int dim, real *sum)
{
	real		squares = 0;

	memset(sum, 0, dim * sizeof(real));
	for (int f = 0; f < batch->n_fields; f++, x += dim)
		if (batch->share[f] == share)
		{
			add_scaled(sum, 1, x, dim);
			squares += dot(x, x, dim);
		}
	return (dot(sum, sum, dim) - squares) / 2;
}

/*
 * All rows of a batch of lines.  The sum over pairs of fields is that of pairs within the line's
 * fields, the column's and the row's own, and products of their sums.
 */
static void
score_lines(const Layer *layer, const ScoreRun *run)
{
	const Batch *batch = run->buffers->batch;
	const real *x0 = run->buffers->slot[layer->in[0]];
	int			dim = run->prepared->model->config.embed_dim;
	size_t		width = (size_t) batch->n_fields * dim;
	real	   *columns = run->scratch->sums;
	real		line_sum[MAX_EMBED_DIM];
	real		row_sum[MAX_EMBED_DIM];

	for (int c = 0; c < batch->across; c++)
		columns[c * (dim + 1) + dim] = sum_shared(batch, x0 + c * width, OF_COLUMN, dim,
												  columns + c * (dim + 1));
	for (int line = 0; line < batch->n_rows; line += batch->across)
	{
		real		of_line = sum_shared(batch, x0 + line * width, OF_LINE, dim, line_sum);
		real	   *logit = run->buffers->logit + line;

		if (watch_worked(run->scratch->watch, batch->across * width))
			return;
		for (int c = 0; c < batch->across; c++)
		{
			const real *column = columns + c * (dim + 1);

			logit[c] += of_line + column[dim] + dot(line_sum, column, dim);
			if (batch->any_of_row)
				logit[c] += sum_shared(batch, x0 + (line + c) * width, OF_ROW, dim, row_sum) +
					dot(row_sum, line_sum, dim) + dot(row_sum, column, dim);
		}
	}
}

/* The embedding has made x0 of these rows. */
static void
score_ids(Layer *layer, const ScoreRun *run)
{
	const Model *model = run->prepared->model;
	size_t		dim = model->config.embed_dim;
	size_t		width = model->shape.n_fields * dim;
	real		sums[MAX_EMBED_DIM];

	if (run->buffers->batch->across > 0)
	{
		score_lines(layer, run);
		return;
	}
	for (int b = run->from; b < run->from + run->n_rows; b++)
		pairwise_forward(run->buffers->logit + b, sums,
						 run->buffers->slot[layer->in[0]] + b * width, 1,
						 model->shape.n_fields, (int) dim, run->scratch->watch);
}

static const LayerKind kind = {
	.name = "pairwise",
	.size = sizeof(Pairwise),
	.serial = true,
	.begin_training = begin_training,
	.n_tasks = n_tasks,
	.forward = forward,
	.backward = backward,
	.claim = claim,
	.score_ids = score_ids
};

void
plan_pairwise(NetworkPlan *plan, int x0)
{
	plan_layer(plan, &kind, x0, NO_SLOT);
}

bool
plan_has_pairwise(const NetworkPlan *plan)
{
	return layer_of_kind(plan->layers, plan->n_layers, &kind) != NULL;
}
