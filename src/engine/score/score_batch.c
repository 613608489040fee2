/*
 * score_batch.c
 *	  Scores of many rows at once.
 *
 * Three passes whose tasks threads share: wide part and vectors by rows, MMoE's
 * experts each, and by rows what is above them.
 */
#include <string.h>

#include "engine/model/gates.h"
#include "engine/model/mask.h"
#include "engine/score/scorer.h"

static bool
init_thread(BatchThread *thread, const Scorer *scorer, const Stack *stack, EngineError *error)
{
	const Config *config = &scorer->model->config;
	Arena	   *arena = scorer->arena;
	size_t		layer = (size_t) SCORE_BATCH * scorer_widest_layer(config);

	thread->stack.watch = thread->watch;
	thread->z = ARENA_ARRAY(arena, real, (size_t) SCORE_BATCH * scorer->prepared.columns.expert);
	for (int i = 0; i < 2; i++)
		thread->layer[i] = ARENA_ARRAY(arena, real, layer);
	thread->in = ARENA_ARRAY(arena, real, layer);
	thread->logits = ARENA_ARRAY(arena, real, scorer->heads.n_heads);
	return config_has_mmoe(config) ? stack_scratch_init(&thread->stack, stack, arena, error) :
		arena_ok(arena, error);
}

/* The stack, and room for what comes out of it and of experts. */
static bool
init_experts(BatchScorer *batch, const Scorer *scorer, EngineError *error)
{
	const Prepared *prepared = &scorer->prepared;
	const Config *config = &scorer->model->config;
	Arena	   *arena = scorer->arena;
	size_t		rows = SCORE_BATCH;
	size_t		n_gates = (size_t) config->hei_experts.value[0] * prepared->n_experts;
	size_t		dim = config->mmoe_dims.value[config->mmoe_dims.n - 1];

	if (!stack_init(&batch->stack, prepared, scorer->tables, SCORE_BATCH, arena, error))
		return false;
	batch->rest = ARENA_ARRAY(arena, real, rows * (prepared->columns.n - prepared->columns.gates));
	batch->gates = ARENA_ARRAY(arena, real, rows * n_gates);
	batch->e = ARENA_ARRAY(arena, real *, prepared->n_experts);
	for (int m = 0; m < prepared->n_experts && !arena->failed; m++)
		batch->e[m] = ARENA_ARRAY(arena, real, rows * dim);
	batch->h = ARENA_ARRAY(arena, real, rows * config->hei_experts.value[0] * dim);
	for (int l = 0; l < prepared->n_hei; l++)
	{
		size_t		width = (size_t) config->hei_experts.value[l] * config->hei_output.value[l];

		batch->width = width > batch->width ? width : batch->width;
	}
	for (int i = 0; i < 2; i++)
		batch->out[i] = ARENA_ARRAY(arena, real, rows * batch->width);
	return arena_ok(arena, error);
}

bool
batch_scorer_init(Scorer *scorer, EngineError *error)
{
	const Config *config = &scorer->model->config;
	Arena	   *arena = scorer->arena;
	size_t		n_fields = scorer->model->shape.n_fields;
	int			n_threads = team_size(scorer->team);
	BatchScorer *batch = ARENA_ARRAY(arena, BatchScorer, 1);

	if (!arena_ok(arena, error) ||
		!batch_init(&batch->batch, arena, SCORE_BATCH, n_fields, error))
		return false;
	batch->threads = ARENA_ARRAY(arena, BatchThread, n_threads);
	batch->logit = ARENA_ARRAY(arena, real, SCORE_BATCH);
	if (config_has_pairwise(config))
	{
		batch->x0 = ARENA_ARRAY(arena, real, SCORE_BATCH * n_fields * config->embed_dim);
		batch->sums = ARENA_ARRAY(arena, real, SCORE_BATCH * config->embed_dim);
	}
	if (!arena_ok(arena, error) ||
		(config_has_mmoe(config) && !init_experts(batch, scorer, error)))
		return false;
	for (int t = 0; t < n_threads; t++)
	{
		batch->threads[t].watch = t == 0 ? &scorer->watch : &scorer->followers;
		if (!init_thread(&batch->threads[t], scorer, &batch->stack, error))
			return false;
	}
	scorer->batch = batch;
	return true;
}

/* Some rows of the logit that heads share, and their vectors. */
static void
base_task(void *context, int number, int thread)
{
	const Scorer *scorer = context;
	const Config *config = &scorer->model->config;
	const Shape *shape = &scorer->model->shape;
	BatchScorer *scores = scorer->batch;
	const Batch *batch = &scores->batch;
	size_t		width = (size_t) shape->n_fields * config->embed_dim;
	int			from = part_start(batch->n_rows, ROW_PARTS, number);
	int			to = part_start(batch->n_rows, ROW_PARTS, number + 1);
	Watch	   *watch = scores->threads[thread].watch;

	wide_forward(&scorer->row.wide, batch, from, to, scores->logit, watch);
	if (config_has_pairwise(config))
	{
		embedding_forward(scores->x0, scorer->tables, shape, batch, from, to, config->embed_dim,
						  watch);
		pairwise_forward(scores->logit + from, scores->sums + (size_t) from * config->embed_dim,
						 scores->x0 + from * width, to - from, shape->n_fields, config->embed_dim);
	}
	if (config_has_mmoe(config))
		stack_gather(&scores->stack, batch, from, to, watch);
}

/* Tasks: each expert, and the stack's other columns. */
static void
expert_task(void *context, int m, int thread)
{
	const Scorer *scorer = context;
	const Prepared *prepared = &scorer->prepared;
	const StackColumns *columns = &prepared->columns;
	BatchScorer *scores = scorer->batch;
	BatchThread *scratch = &scores->threads[thread];
	int			panels = columns->expert / prepared->stack.width;
	int			rows = scores->batch.n_rows;
	int			dim = scorer->model->config.mmoe_dims.value[0];
	Matrix		in = {scratch->z, columns->expert};

	if (m == prepared->n_experts)
	{
		stack_forward(&scores->stack, &scores->batch, m * panels,
					  prepared->stack.n - m * panels, scores->rest, columns->n - columns->gates,
					  false, &scratch->stack);
		return;
	}
	stack_forward(&scores->stack, &scores->batch, m * panels, panels, scratch->z, columns->expert,
				  true, &scratch->stack);
	for (int k = 0; k < prepared->n_deep; k++)
	{
		const PreparedLayer *layer = &prepared->deep[m * prepared->n_deep + k];
		Matrix		out = {k == prepared->n_deep - 1 ? scores->e[m] : scratch->layer[k % 2],
			layer->panels.n_out};

		if (watch_worked(scratch->watch, (size_t) rows * layer->panels.n_in * layer->panels.n_out))
			return;
		panels_layer(&layer->panels, layer->bias, in, rows, out);
		in = out;
	}
	for (int b = 0; b < rows && prepared->n_deep == 0; b++)
		memcpy(scores->e[m] + (size_t) b * dim, in.data + (size_t) b * in.stride,
			   dim * sizeof(real));
}

/* Mixtures of experts of some rows, and what they add to the logit. */
static void
mix(const Scorer *scorer, int from, int to)
{
	const Config *config = &scorer->model->config;
	const StackColumns *columns = &scorer->prepared.columns;
	BatchScorer *scores = scorer->batch;
	int			n_mixtures = config->hei_experts.value[0];
	int			n_experts = scorer->prepared.n_experts;
	int			dim = config->mmoe_dims.value[config->mmoe_dims.n - 1];
	size_t		n_gates = (size_t) n_mixtures * n_experts;
	size_t		width = (size_t) n_mixtures * dim;

	for (int b = from; b < to; b++)
		memcpy(scores->gates + b * n_gates,
			   scores->rest + (size_t) b * (columns->n - columns->gates), n_gates * sizeof(real));
	softmax_forward(scores->gates + from * n_gates, (size_t) (to - from) * n_mixtures, n_experts);
	mix_forward(scores->h, scores->gates, scores->e, from, to, n_mixtures, n_experts, dim);
	for (int b = from; b < to && scorer->row.skip; b++)
		scores->logit[b] += dot(scorer->row.skip, scores->h + b * width, width);
}

/* Rows of one domain. */
typedef struct Run
{
	const Scorer *scorer;
	BatchThread *thread;
	int			from;
	int			n_rows;
	const uint8_t *mask;		/* NULL: all gates are open */
	const real *gates;			/* [G]; NULL: no HEI */
} Run;

/* Outputs of expert n of layer l, n_out wide, row after row. */
static real *
outputs_of(const Run *run, int l, int n, int n_out)
{
	const BatchScorer *scores = run->scorer->batch;

	return scores->out[l % 2] + run->from * scores->width + (size_t) n * run->n_rows * n_out;
}

/* in of expert n of layer l = sum over open gates of gate * output below (4). */
static HOT void
mix_below(const Run *run, int l, int n, int n_in)
{
	const Config *config = &run->scorer->model->config;
	const real *gates = run->gates + gate_offset(&config->hei_experts, l) + n;
	size_t		length = (size_t) run->n_rows * n_in;

	memset(run->thread->in, 0, length * sizeof(real));
	for (int i = 0; i < config->hei_experts.value[l - 2]; i++)
	{
		real		gate = gates[i * config->hei_experts.value[l - 1]];

		if (gate != 0)
			add_scaled(run->thread->in, gate, outputs_of(run, l - 1, i, n_in), length);
	}
}

/* The open experts of HEI's layer l. */
static void
hei_layer_forward(const Run *run, int l, const bool *open)
{
	const Prepared *prepared = &run->scorer->prepared;
	BatchScorer *scores = run->scorer->batch;
	int			n_experts = prepared->model->config.hei_experts.value[l - 1];

	for (int n = 0; n < n_experts; n++)
	{
		const PreparedLayer *layers = prepared->hei[l - 1][n];
		int			n_in = layers[0].panels.n_in;
		int			n_out = layers[1].panels.n_out;
		Matrix		in = {run->thread->in, n_in};
		Matrix		hidden = {run->thread->layer[0], layers[0].panels.n_out};
		Matrix		out = {outputs_of(run, l, n, n_out), n_out};

		if (!open[n])
			continue;
		if (watch_worked(run->thread->watch, (size_t) run->n_rows * (n_in + n_out) *
						 layers[0].panels.n_out))
			return;
		if (l == 1)
			in = (Matrix) {scores->h + ((size_t) run->from * n_experts + n) * n_in, n_experts * n_in};
		else
			mix_below(run, l, n, n_in);
		panels_layer(&layers[0].panels, layers[0].bias, in, run->n_rows, hidden);
		panels_layer(&layers[1].panels, layers[1].bias, hidden, run->n_rows, out);
	}
}

/* The mean of a row's open heads; data: head j's input of it at j * stride. */
static double
row_mean(const Run *run, int b, const real *data, size_t stride, const bool *open)
{
	const Scorer *scorer = run->scorer;
	const Heads *heads = &scorer->heads;
	const StackColumns *columns = &scorer->prepared.columns;
	real	   *logits = run->thread->logits;
	double		sum = 0;
	int			n_open = 0;

	for (int j = 0; j < heads->n_heads; j++)
		logits[j] = scorer->batch->logit[b] +
			(data && open[j] ? dot(heads->weight + (size_t) j * heads->n_in, data + j * stride,
								   heads->n_in) : 0);
	if (config_has_mmoe(&scorer->model->config))
		prepared_add_cross(&scorer->prepared,
						   scorer->batch->rest + (size_t) b * (columns->n - columns->gates), logits);
	for (int j = 0; j < heads->n_heads; j++)
	{
		sum += open[j] ? sigmoid(logits[j]) : 0;
		n_open += open[j];
	}
	return sum / n_open;
}

/* From mixtures to probabilities. */
static void
finish_run(const Run *run)
{
	const Scorer *scorer = run->scorer;
	const Config *config = &scorer->model->config;
	BatchScorer *scores = scorer->batch;
	size_t		n_in = scorer->heads.n_in;
	const real *data = scores->h;	/* of the run's first row, for the first head */
	size_t		row = scorer->heads.n_heads * n_in;
	size_t		stride = n_in;
	bool		open[MAX_EXPERTS];

	memset(open, true, sizeof(open));
	if (data)
		data += run->from * row;
	for (int l = 1; l <= scorer->prepared.n_hei; l++)
	{
		if (run->mask)
			mask_used_experts(&config->hei_experts, run->mask, l, open);
		hei_layer_forward(run, l, open);
	}
	if (scorer->prepared.n_hei > 0)
	{
		data = outputs_of(run, scorer->prepared.n_hei, 0, n_in);
		row = n_in;
		stride = run->n_rows * n_in;
	}
	for (int r = 0; r < run->n_rows; r++)
		scores->probabilities[run->from + r] =
			row_mean(run, run->from + r, data ? data + r * row : NULL, stride, open);
}

/* Some rows' mixtures, HEI and heads, domain by domain. */
static void
finish_task(void *context, int number, int thread)
{
	const Scorer *scorer = context;
	const Model *model = scorer->model;
	const Batch *batch = &scorer->batch->batch;
	int			parts = team_size(scorer->team);
	int			from = part_start(batch->n_rows, parts, number);
	int			to = part_start(batch->n_rows, parts, number + 1);

	if (config_has_mmoe(&model->config))
		mix(scorer, from, to);
	for (int s = 0; s < batch->n_segments; s++)
	{
		const Segment *segment = &batch->segments[s];
		int			end = segment->start + segment->n_rows;
		int			first = segment->start > from ? segment->start : from;
		Run			run = {.scorer = scorer,.thread = &scorer->batch->threads[thread],
			.from = first,.n_rows = (end < to ? end : to) - first,
			.gates = scorer_gates(scorer, segment->domain)};

		if (config_has_hei(&model->config))
			run.mask = prepared_mask(model, segment->domain);
		if (run.n_rows > 0)
			finish_run(&run);
	}
}

void
batch_score(Scorer *scorer, const ScoreRows *rows, size_t first, int n, double *probabilities)
{
	BatchScorer *scores = scorer->batch;
	Batch	   *batch = &scores->batch;
	bool		has_mmoe = config_has_mmoe(&scorer->model->config);
	size_t		n_fields = scorer->model->shape.n_fields;

	for (int i = 0; i < n; i++)
		scores->rows[i] = i;
	batch_fill(batch, &scorer->model->shape, rows->ids + first * n_fields, NULL, rows->list_start,
			   rows->list_members, scores->rows, NULL, n);
	if (has_mmoe)
		stack_index(&scores->stack, batch);
	team_run(scorer->team, &scorer->watch, base_task, scorer, ROW_PARTS);
	if (has_mmoe)
		team_run(scorer->team, &scorer->watch, expert_task, scorer, scorer->prepared.n_experts + 1);
	team_run(scorer->team, &scorer->watch, finish_task, scorer, team_size(scorer->team));
	for (int k = 0; k < n; k++)
		probabilities[batch->rows[k]] = scores->probabilities[k];
}
