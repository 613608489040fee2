/*
 * heads.c
 *	  Heads: logits, loss, gradients, scores.
 *
 * The loss of a row in a domain without a mask is that of the heads' mean.  With a
 * mask it is the mean of the open heads' own losses.  Batches of groups have a loss for
 * each positive row and its negatives instead (group_loss.h).  heads_loss() stands between
 * both passes: it leaves the logits' gradients, from which backward() goes on.
 *
 * Threads: heads are one task, of a few numbers for each row.
 */
#include "engine/layers/heads.h"

#include <string.h>
#include <tgmath.h>

#include "engine/layers/group_loss.h"
#include "engine/layers/prepared.h"
#include "engine/measure/calibration.h"

/* Keeps the loss of a mean of sigmoids finite. */
#define MIN_PROBABILITY 1e-30

/* Chances of label 1 and of label 0 at a logit, both exact near 0; returns the smaller over the larger. */
static inline real
chances(real logit, real *one, real *zero)
{
	real		odds = exp(-fabs(logit));
	real		likely = 1 / (1 + odds);

	*one = logit >= 0 ? likely : odds * likely;
	*zero = logit >= 0 ? odds * likely : likely;
	return odds;
}

static void
forward(Layer *layer, Pass *pass, int task, int thread)
{
	Heads	   *heads = (Heads *) layer;
	const Batch *batch = pass->batch;
	int			n_heads = heads->n_heads;

	(void) task;
	if (heads->cross)
		linear_forward((Matrix) {heads->logit, n_heads}, heads->cross->value,
					   heads->cross_weight, batch->n_rows, heads->width, n_heads,
					   pass_watch(pass, thread));
	else
		memset(heads->logit, 0, (size_t) batch->n_rows * n_heads * sizeof(real));
	for (int s = 0; s < batch->n_segments; s++)
	{
		const Segment *segment = &batch->segments[s];

		for (int j = 0; j < n_heads; j++)
		{
			if (!head_open(heads, j, s))
				continue;
			if (watch_worked(pass_watch(pass, thread), (size_t) segment->n_rows * heads->n_in))
				return;
			for (int r = 0; r < segment->n_rows; r++)
			{
				size_t		b = segment->start + r;
				real		own = 0;

				if (heads->e)
				{
					const SlotGroup *e = &heads->e->group[j];

					own = dot(e->value.data + (size_t) (e->offset[s] + r) * e->value.stride,
							  heads->weight + (size_t) j * heads->n_in, heads->n_in);
				}
				heads->logit[b * n_heads + j] += pass->logit[b] + own;
			}
		}
	}
}

/*
 * Loss (6) of one row, -log of the mean over heads of P(label); sets its
 * d_logit [J].  In terms of the label's own probability nothing cancels.
 */
static double
mean_loss(Heads *heads, int s, size_t b, int y, double scale)
{
	const real *logit = heads->logit + b * heads->n_heads;
	real	   *d_logit = heads->d_logit + b * heads->n_heads;
	double		sign = y ? 1 : -1;
	double		p = 0;
	int			n_open = 0;

	for (int j = 0; j < heads->n_heads; j++)
	{
		real		one;
		real		zero;

		d_logit[j] = 0;
		if (!head_open(heads, j, s))
			continue;
		(void) chances(logit[j], &one, &zero);
		d_logit[j] = one * zero;
		p += y ? one : zero;
		n_open++;
	}
	p = fmax(p / n_open, MIN_PROBABILITY);
	for (int j = 0; j < heads->n_heads; j++)
		d_logit[j] *= -sign / p * scale / n_open;
	return -log(p);
}

/* Loss (8) of one row over the number of its heads; sets its d_logit [J]. */
static double
separate_loss(Heads *heads, int s, size_t b, int y, double scale)
{
	double		sum = 0;
	int			n_open = 0;

	for (int j = 0; j < heads->n_heads; j++)
		n_open += head_open(heads, j, s);
	for (int j = 0; j < heads->n_heads; j++)
	{
		real		logit = heads->logit[b * heads->n_heads + j];
		real		margin = y ? logit : -logit;
		real		one;
		real		zero;

		heads->d_logit[b * heads->n_heads + j] = 0;
		if (!head_open(heads, j, s))
			continue;
		sum += log1p(chances(logit, &one, &zero)) + (margin < 0 ? -margin : 0);
		heads->d_logit[b * heads->n_heads + j] = (y ? -zero : one) * scale / n_open;
	}
	return sum / n_open;
}

double
heads_score(const Heads *heads, int s, size_t b, double *d)
{
	const real *logit = heads->logit + b * heads->n_heads;
	double		p[2] = {0, 0};
	int			n_open = 0;
	int			only = 0;

	for (int j = 0; j < heads->n_heads; j++)
	{
		real		one = 0;
		real		zero = 0;

		if (head_open(heads, j, s))
		{
			(void) chances(logit[j], &one, &zero);
			only = j;
			n_open++;
		}
		p[0] += zero;
		p[1] += one;
		if (d)
			d[j] = (double) one * zero;
	}
	if (n_open == 1)
	{
		if (d)
			d[only] = 1;
		return logit[only];
	}
	p[0] = fmax(p[0] / n_open, MIN_PROBABILITY);
	p[1] = fmax(p[1] / n_open, MIN_PROBABILITY);
	for (int j = 0; j < heads->n_heads && d; j++)
		d[j] /= n_open * p[0] * p[1];
	return log(p[1]) - log(p[0]);
}

/* A group's loss by the scores of its rows, which are the logits of their heads' means. */
static double
mean_group_loss(Heads *heads, int s, size_t first, int n, double scale)
{
	double		d[MAX_EXPERTS];
	double		loss;

	for (int i = 0; i < n; i++)
		heads->scores[i] = heads_score(heads, s, first + i, NULL);
	loss = group_loss(heads->loss, heads->scores, n, heads->d_scores);
	for (int i = 0; i < n; i++)
	{
		(void) heads_score(heads, s, first + i, d);
		for (int j = 0; j < heads->n_heads; j++)
			heads->d_logit[(first + i) * heads->n_heads + j] =
				(real) (d[j] * heads->d_scores[i] * scale);
	}
	return loss;
}

/* The mean over open heads of a group's losses by each of them. */
static double
separate_group_loss(Heads *heads, int s, size_t first, int n, double scale)
{
	int			n_heads = heads->n_heads;
	double		sum = 0;
	int			n_open = 0;

	for (int j = 0; j < n_heads; j++)
		n_open += head_open(heads, j, s);
	for (int j = 0; j < n_heads; j++)
	{
		bool		open = head_open(heads, j, s);

		for (int i = 0; i < n && open; i++)
			heads->scores[i] = heads->logit[(first + i) * n_heads + j];
		if (open)
			sum += group_loss(heads->loss, heads->scores, n, heads->d_scores);
		for (int i = 0; i < n; i++)
			heads->d_logit[(first + i) * n_heads + j] =
				open ? (real) (heads->d_scores[i] * scale / n_open) : 0;
	}
	return sum / n_open;
}

/* A positive row and the negatives that follow it, up to the segment's end; returns how many. */
static int
group_rows(const Batch *batch, const Segment *segment, int first)
{
	int			end = first + 1;

	while (end < segment->start + segment->n_rows && !batch->labels[end])
		end++;
	return end - first;
}

static double
grouped_loss(Heads *heads, const Batch *batch)
{
	double		sum = 0;

	for (int s = 0; s < batch->n_segments; s++)
	{
		const Segment *segment = &batch->segments[s];
		int			end = segment->start + segment->n_rows;

		for (int first = segment->start; first < end;)
		{
			int			n = group_rows(batch, segment, first);
			double		weight = batch_weight(batch, first);
			double		scale = weight / batch->n_rows;

			sum += weight * (segment->mask ?
							 separate_group_loss(heads, s, first, n, scale) :
							 mean_group_loss(heads, s, first, n, scale));
			first += n;
		}
	}
	return sum;
}

double
heads_loss(Heads *heads, const Batch *batch)
{
	double		sum = 0;

	if (batch->grouped)
		return grouped_loss(heads, batch);

	for (int s = 0; s < batch->n_segments; s++)
	{
		const Segment *segment = &batch->segments[s];

		for (int b = segment->start; b < segment->start + segment->n_rows; b++)
		{
			double		weight = batch_weight(batch, b);
			double		scale = weight / batch->n_rows;

			sum += weight * (segment->mask ?
							 separate_loss(heads, s, b, batch->labels[b], scale) :
							 mean_loss(heads, s, b, batch->labels[b], scale));
		}
	}
	return sum;
}

/* One head's own input and weights, one segment. */
static void
head_backward(const Heads *heads, const Segment *segment, int s, int j, real *d_weight)
{
	const SlotGroup *e = &heads->e->group[j];
	const real *weight = heads->weight + (size_t) j * heads->n_in;

	for (int r = 0; r < segment->n_rows; r++)
	{
		real		d = heads->d_logit[(size_t) (segment->start + r) * heads->n_heads + j];
		size_t		row = e->offset[s] + r;
		real	   *d_e = e->d.data + row * e->d.stride;

		if (heads->layer.sets[0])
			memset(d_e, 0, heads->n_in * sizeof(real));
		add_scaled(d_weight, d, e->value.data + row * e->value.stride, heads->n_in);
		add_scaled(d_e, d, weight, heads->n_in);
	}
}

/* d_logit -> the logit that heads share, and the bias in it. */
static void
base_backward(const Heads *heads, Pass *pass)
{
	real	   *d_bias = pass_gradient(pass, heads->bias);

	for (int b = 0; b < pass->batch->n_rows; b++)
	{
		pass->d_logit[b] = 0;
		for (int j = 0; j < heads->n_heads; j++)
			pass->d_logit[b] += heads->d_logit[(size_t) b * heads->n_heads + j];
	}
	for (int b = 0; b < pass->batch->n_rows; b++)
		*d_bias += pass->d_logit[b];
}

/* heads_loss() has left d_logit. */
static void
backward(Layer *layer, Pass *pass, int task, int thread)
{
	const Heads *heads = (const Heads *) layer;
	const Batch *batch = pass->batch;
	int			n_heads = heads->n_heads;

	(void) task;
	base_backward(heads, pass);
	if (heads->cross)
		linear_backward(heads->cross->d, layer->sets[1] ? 0 : 1,
						pass_gradient(pass, heads->cross_weight),
						(Matrix) {heads->d_logit, n_heads}, heads->cross->value,
						heads->cross_weight, batch->n_rows, heads->width, n_heads,
						pass_watch(pass, thread));
	for (int s = 0; s < batch->n_segments && heads->e; s++)
		for (int j = 0; j < n_heads; j++)
			if (head_open(heads, j, s) &&
				!watch_worked(pass_watch(pass, thread),
							  2 * (size_t) batch->segments[s].n_rows * heads->n_in))
				head_backward(heads, &batch->segments[s], s, j,
							  pass_gradient(pass, heads->weight) + (size_t) j * heads->n_in);
}

static void
bind(Layer *layer, const Model *model, Layer **layers, Arena *arena)
{
	Heads	   *heads = (Heads *) layer;

	(void) layers;
	(void) arena;
	heads->weight = model_param(model, heads->weight_ref);
	heads->cross_weight = model_param(model, heads->cross_ref);
	heads->bias = model_param(model, heads->bias_ref);
	heads->loss = model->config.loss;
}

static void
begin_training(Layer *layer, Pass *pass)
{
	Heads	   *heads = (Heads *) layer;
	size_t		n = (size_t) pass->capacity * heads->n_heads;

	heads->e = layer->n_in > 0 ? pass_in(pass, layer, 0) : NULL;
	heads->cross = layer->n_in > 1 ? pass_in(pass, layer, 1)->group : NULL;
	heads->logit = ARENA_ARRAY(pass->arena, real, n);
	heads->d_logit = ARENA_ARRAY(pass->arena, real, n);
	heads->scores = ARENA_ARRAY(pass->arena, double, pass->capacity);
	heads->d_scores = ARENA_ARRAY(pass->arena, double, pass->capacity);
}

/* The other slot, if scoring has it as a multiple of x0, as columns. */
static bool
has_columns(const Heads *heads, const Prepared *prepared)
{
	return heads->width > 0 && prepared->slots[heads->layer.in[1]].is_multiple;
}

static void
claim(Layer *layer, Prepared *prepared)
{
	Heads	   *heads = (Heads *) layer;

	if (has_columns(heads, prepared))
		heads->column = prepared_claim(prepared, heads->n_heads);
}

static void
lay_out(Layer *layer, Prepared *prepared)
{
	Heads	   *heads = (Heads *) layer;

	if (has_columns(heads, prepared))
		heads->constant = prepared_take(prepared, heads->n_heads);
}

static bool
prepare(Layer *layer, Prepared *prepared, EngineError *error)
{
	const Heads *heads = (const Heads *) layer;

	(void) error;
	if (!has_columns(heads, prepared))
		return true;
	prepared_fill_columns(prepared, heads->column, heads->cross_weight, heads->n_heads);
	for (int j = 0; j < heads->n_heads; j++)
		heads->constant[j] = dot(prepared->constants[layer->in[1]],
								 heads->cross_weight + (size_t) j * heads->width, heads->width);
	return true;
}

/* What the other slot adds to a row's logits [J]. */
static void
add_cross(const Heads *heads, const ScoreRun *run, int b, real *logits)
{
	const real *value = run->buffers->slot[heads->layer.in[1]];

	if (has_columns(heads, run->prepared))
	{
		const real *z = run_columns(run, b, heads->column);
		real		a = value[b];

		for (int j = 0; j < heads->n_heads; j++)
			logits[j] += a * z[j] + heads->constant[j];
		return;
	}
	for (int j = 0; j < heads->n_heads; j++)
		logits[j] += dot(heads->cross_weight + (size_t) j * heads->width,
						 value + (size_t) b * heads->width, heads->width);
}

/* The mean of the open heads of each row (9). */
static void
score(Layer *layer, const ScoreRun *run)
{
	const Heads *heads = (const Heads *) layer;
	const bool *open = run->scratch->open;
	real	   *logits = run->scratch->logits;
	Matrix		e[MAX_EXPERTS];

	for (int j = 0; j < heads->n_heads && heads->n_in > 0; j++)
		e[j] = run_group(run, layer->in[0], j);
	for (int r = 0; r < run->n_rows; r++)
	{
		int			b = run->from + r;
		double		sum = 0;
		int			n_open = 0;

		for (int j = 0; j < heads->n_heads; j++)
		{
			logits[j] = run->buffers->logit[b];
			if (heads->n_in > 0 && open[j])
				logits[j] += dot(heads->weight + (size_t) j * heads->n_in,
								 e[j].data + (size_t) r * e[j].stride, heads->n_in);
		}
		if (heads->width > 0)
			add_cross(heads, run, b, logits);
		for (int j = 0; j < heads->n_heads; j++)
		{
			sum += open[j] ? sigmoid(logits[j]) : 0;
			n_open += open[j];
		}
		run->buffers->probabilities[b] = sum / n_open;
	}
}

static const LayerKind kind = {
	.name = "heads",
	.size = sizeof(Heads),
	.bind = bind,
	.begin_training = begin_training,
	.forward = forward,
	.backward = backward,
	.claim = claim,
	.lay_out = lay_out,
	.prepare = prepare,
	.score = score
};

void
plan_heads(NetworkPlan *plan, int e, int cross)
{
	Heads	   *heads = (Heads *) plan_layer(plan, &kind, e, cross);

	if (!heads)
		return;
	heads->n_heads = e == NO_SLOT ? 1 : plan->slots[e].groups;
	heads->n_in = e == NO_SLOT ? 0 : plan->slots[e].width;
	heads->width = cross == NO_SLOT ? 0 : plan->slots[cross].width;
	heads->weight_ref = heads->cross_ref = NO_TENSOR;
	if (heads->n_in > 0)
		heads->weight_ref = plan_dense(plan, START_ZERO, true, heads->n_heads, heads->n_in, 0,
									   "head.weight");
	if (heads->width > 0)
		heads->cross_ref = plan_dense(plan, START_ZERO, true, heads->n_heads, heads->width, 0,
									  "head.cross");
	plan->bias = heads->bias_ref = plan_dense(plan, START_ZERO, false, 1, 0, 0, "bias");
}

Heads *
heads_of(Layer *const *layers, int n_layers)
{
	return (Heads *) layer_of_kind(layers, n_layers, &kind);
}
