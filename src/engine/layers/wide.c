/*
 * wide.c
 *	  The wide part's logit.
 */
#include "engine/layers/wide.h"

#include "engine/data/vectors.h"
#include "engine/layers/prepared.h"

/* So many rows ahead. */
#define AHEAD 4
/* What a weight costs, in multiply-adds, for it comes from memory. */
#define FETCH_WORK 16

static real
value_weight(const Wide *wide, const Batch *batch, int b, int f, Watch *watch)
{
	const uint32_t *members;
	uint32_t	n = batch_members(batch, wide->shape, b, f, &members);
	real		sum = 0;

	if (shape_is_dense(wide->shape, f))
		return vector_dot(members, n, wide->weights[f]);
	for (uint32_t i = 0; i < n; i++)
	{
		if (i % WATCH_MEMBERS == 0 && watch_worked(watch, WATCH_MEMBERS * FETCH_WORK))
			break;
		sum += wide->weights[f][members[i]];
	}
	return n > 1 ? sum / n : sum;
}

static real
domain_weight(const Wide *wide, const Batch *batch, int b, int f, int64_t domain)
{
	const real *weights = wide->weights[wide->shape->n_fields + f];
	uint32_t	pair;

	if (!weights)
		return 0;
	pair = pairs_find(&wide->pairs[f], batch->ids[(size_t) b * batch->n_fields + f], domain);
	return pair == NO_PAIR ? 0 : weights[pair];
}

/* Large vocabularies are seldom in the processor's cache: a row's weights are fetched ahead. */
static void
prefetch_row(const Wide *wide, const Batch *batch, int b)
{
	int			n_fields = wide->shape->n_fields;

	for (int f = 0; f < n_fields; f++)
	{
		const uint32_t *members;
		uint32_t	n = batch_members(batch, wide->shape, b, f, &members);

		for (uint32_t i = 0; i < n && i < WATCH_MEMBERS && wide->weights[f] &&
			 !shape_is_dense(wide->shape, f); i++)
			__builtin_prefetch(&wide->weights[f][members[i]]);
		if (wide->weights[n_fields + f])
			__builtin_prefetch(&wide->pairs[f].start[*members]);
	}
}

/* The pairs of a row, once prefetch_row() has fetched where they begin. */
static void
prefetch_pairs(const Wide *wide, const Batch *batch, int b)
{
	int			n_fields = wide->shape->n_fields;

	for (int f = 0; f < n_fields; f++)
	{
		uint32_t	pair;

		if (!wide->weights[n_fields + f])
			continue;
		pair = wide->pairs[f].start[batch->ids[(size_t) b * n_fields + f]];
		__builtin_prefetch(&wide->pairs[f].domain[pair]);
		__builtin_prefetch(&wide->weights[n_fields + f][pair]);
	}
}

void
wide_forward(const Wide *wide, const Batch *batch, int from, int to, real *logit,
			 Watch *watch)
{
	int			s = 0;

	for (int b = from; b < from + 2 * AHEAD && b < to; b++)
		prefetch_row(wide, batch, b);
	for (int b = from; b < from + AHEAD && b < to; b++)
		prefetch_pairs(wide, batch, b);
	for (int b = from; b < to; b++)
	{
		if (b + 2 * AHEAD < to)
			prefetch_row(wide, batch, b + 2 * AHEAD);
		if (b + AHEAD < to)
			prefetch_pairs(wide, batch, b + AHEAD);
		while (b >= batch->segments[s].start + batch->segments[s].n_rows)
			s++;
		logit[b] = *wide->bias;
		for (int f = 0; f < wide->shape->n_fields; f++)
			if (wide->weights[f])
				logit[b] += value_weight(wide, batch, b, f, watch) +
					domain_weight(wide, batch, b, f, batch->segments[s].domain);
	}
}

static void
bind(Layer *layer, const Model *model, Layer **layers, Arena *arena)
{
	Wide	   *wide = (Wide *) layer;
	int			n = 2 * model->shape.n_fields;

	(void) layers;
	wide->shape = &model->shape;
	wide->pairs = model->pairs;
	wide->bias = model_param(model, model->plan->bias);
	wide->weights = ARENA_ARRAY(arena, real *, n);
	for (int i = 0; i < n && wide->refs && !arena->failed; i++)
		wide->weights[i] = model_param(model, wide->refs[i]);
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
	wide_forward((const Wide *) layer, pass->batch,
				 part_start(pass->batch->n_rows, ROW_PARTS, task),
				 part_start(pass->batch->n_rows, ROW_PARTS, task + 1), pass->logit,
				 pass_watch(pass, thread));
}

/* What a row's fields of one kind add. */
static real
shared_logit(const Wide *wide, const Batch *batch, int b, RowShare share, Watch *watch)
{
	real		sum = 0;

	for (int f = 0; f < wide->shape->n_fields; f++)
		if (wide->weights[f] && batch->share[f] == share)
			sum += value_weight(wide, batch, b, f, watch) +
				domain_weight(wide, batch, b, f, batch->segments[0].domain);
	return sum;
}

/* All rows of a batch of lines: those of the first line, which hold the columns' sums, come last. */
static void
score_lines(const Wide *wide, const Batch *batch, real *logit, Watch *watch)
{
	int			across = batch->across;

	for (int c = 0; c < across; c++)
		logit[c] = shared_logit(wide, batch, c, OF_COLUMN, watch);
	for (int line = batch->n_rows - across; line >= 0; line -= across)
	{
		real		start = *wide->bias + shared_logit(wide, batch, line, OF_LINE, watch);

		for (int c = 0; c < across; c++)
			logit[line + c] = logit[c] + start;
		for (int c = 0; c < across && batch->any_of_row; c++)
			logit[line + c] += shared_logit(wide, batch, line + c, OF_ROW, watch);
	}
}

static void
score_ids(Layer *layer, const ScoreRun *run)
{
	if (run->buffers->batch->across > 0)
	{
		score_lines((const Wide *) layer, run->buffers->batch, run->buffers->logit,
					run->scratch->watch);
		return;
	}
	wide_forward((const Wide *) layer, run->buffers->batch, run->from, run->from + run->n_rows,
				 run->buffers->logit, run->scratch->watch);
}

static const LayerKind kind = {
	.name = "wide",
	.size = sizeof(Wide),
	.bind = bind,
	.n_tasks = n_tasks,
	.forward = forward,
	.score_ids = score_ids
};

/* Of all fields, or of the item alone. */
static void
plan_weights(NetworkPlan *plan, Wide *wide, bool all)
{
	int			n_fields = plan->shape->n_fields;

	wide->refs = ARENA_ARRAY(plan->arena, TensorRef, 2 * (size_t) n_fields);
	if (!wide->refs)
		return;
	for (int f = 0; f < n_fields; f++)
	{
		Tensor		tensor = {.kind = TENSOR_FITTED,.table = -1,.field = f,.n_dims = 1,
			.dims = {shape_rows(plan->shape, f)}};

		wide->refs[f] = !all && f != plan->shape->item_field ? NO_TENSOR :
			tensors_add(&plan->tensors, &tensor, "wide.%d", f);
	}
	for (int f = 0; f < n_fields; f++)
	{
		Tensor		tensor = {.kind = TENSOR_FITTED,.table = -1,.field = f,.n_dims = 1,
			.dims = {plan->pairs[f].n_pairs}};

		wide->refs[n_fields + f] = plan->pairs[f].n_pairs == 0 ? NO_TENSOR :
			tensors_add(&plan->tensors, &tensor, "domain_wide.%d", f);
	}
}

void
plan_wide(NetworkPlan *plan, bool weights)
{
	Wide	   *wide = (Wide *) plan_layer(plan, &kind, NO_SLOT, NO_SLOT);

	if (wide && (weights || config_has_offset(plan->config)))
		plan_weights(plan, wide, weights);
}

const Wide *
wide_of(Layer *const *layers, int n_layers)
{
	return (const Wide *) layer_of_kind(layers, n_layers, &kind);
}
