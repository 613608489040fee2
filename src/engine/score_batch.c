/*
 * score_batch.c
 *	  Scores of many rows at once.
 */
#include <string.h>

#include "scorer.h"

static bool
init_experts(BatchScorer *batch, const Prepared *prepared, int n_threads, Arena *arena,
			 EngineError *error)
{
	const IntList *dims = &prepared->model->config.mmoe_dims;
	size_t		widest = prepared->columns.n - prepared->columns.gates;

	if ((size_t) dims->value[0] > widest)
		widest = dims->value[0];
	batch->z = ARENA_ARRAY(arena, real, (size_t) SCORE_BATCH * prepared->columns.n);
	batch->deep = ARENA_ARRAY(arena, real *, prepared->n_experts * dims->n);
	batch->e = ARENA_ARRAY(arena, real *, prepared->n_experts);
	batch->products = ARENA_ARRAY(arena, real *, n_threads);
	if (!arena_ok(arena, error))
		return false;
	for (int t = 0; t < n_threads; t++)
		batch->products[t] = ARENA_ARRAY(arena, real, SCORE_BATCH * widest);
	for (int m = 0; m < prepared->n_experts; m++)
	{
		for (int k = 0; k < prepared->n_deep; k++)
			batch->e[m] = batch->deep[m * prepared->n_deep + k] =
				ARENA_ARRAY(arena, real, (size_t) SCORE_BATCH * dims->value[k + 1]);
		if (prepared->n_deep == 0)
			batch->e[m] = ARENA_ARRAY(arena, real, (size_t) SCORE_BATCH * dims->value[0]);
	}
	return arena_ok(arena, error);
}

/* The network's experts with batch norm folded, their gates at hand. */
static bool
fold_experts(Network *network, const Prepared *prepared, Arena *arena, EngineError *error)
{
	Hei		   *hei = &network->hei;

	for (int l = 0; l < prepared->n_hei; l++)
		for (int n = 0; n < hei->layer[l].n_experts; n++)
		{
			Mlp			mlp = hei->layer[l].experts[n].mlp;

			if (!mlp_fold(&hei->layer[l].experts[n].mlp, &mlp, arena, error))
				return false;
		}
	hei->fixed_gates = prepared->gates;
	return true;
}

bool
batch_scorer_init(Scorer *scorer, EngineError *error)
{
	const Model *model = scorer->model;
	Arena	   *arena = scorer->arena;
	BatchScorer *batch = ARENA_ARRAY(arena, BatchScorer, 1);

	if (!arena_ok(arena, error) ||
		!network_init_scoring(&batch->network, model, scorer->tables, SCORE_BATCH, scorer->team,
							  arena, error) ||
		!batch_init(&batch->batch, arena, SCORE_BATCH, model->shape.n_fields, error))
		return false;
	if (config_has_mmoe(&model->config) &&
		(!stack_init(&batch->stack, &scorer->prepared, scorer->tables, SCORE_BATCH, arena, error) ||
		 !init_experts(batch, &scorer->prepared, team_size(scorer->team), arena, error) ||
		 !fold_experts(&batch->network, &scorer->prepared, arena, error)))
		return false;
	scorer->batch = batch;
	return true;
}

/* What the tasks of a pass share. */
typedef struct ScorePass
{
	BatchScorer *batch;
	const Prepared *prepared;
} ScorePass;

/* Some rows of the wide part's logit, and their vectors. */
static void
embed_task(void *context, int number, int thread)
{
	const ScorePass *pass = context;
	Network    *network = &pass->batch->network;
	const Batch *batch = &pass->batch->batch;
	int			from = part_start(batch->n_rows, ROW_PARTS, number);
	int			to = part_start(batch->n_rows, ROW_PARTS, number + 1);

	(void) thread;
	wide_forward(&network->wide, batch, from, to, network->base.logit);
	if (network->x0)
		embedding_forward(network->x0, network->tables, &network->model->shape, batch, from, to,
						  network->model->config.embed_dim);
	if (pass->prepared->columns.n > 0)
		stack_gather(&pass->batch->stack, batch, from, to);
}

/* rows (n_rows, n) at a stride: plus bias [n] (NULL: none); what is below 0 becomes 0. */
static HOT void
relu(Matrix rows, const real *bias, int n_rows, int n)
{
	for (int b = 0; b < n_rows; b++)
	{
		real	   *restrict row = rows.data + (size_t) b * rows.stride;

		for (int c = 0; bias && c < n; c++)
			row[c] += bias[c];
		for (int c = 0; c < n; c++)
			row[c] = row[c] > 0 ? row[c] : 0;
	}
}

/* out (rows, n_out) = relu(in . weight + bias) */
static void
layer_forward(const PreparedLayer *layer, real *out, Matrix in, int rows, Watch *watch)
{
	product_nn((Matrix) {out, layer->n_out}, 0, in, (Matrix) {layer->weight, layer->n_out}, rows,
			   layer->n_in, layer->n_out, watch);
	relu((Matrix) {out, layer->n_out}, layer->bias, rows, layer->n_out);
}

/* Tasks: each expert, and the stack's other columns. */
static void
expert_task(void *context, int m, int thread)
{
	const ScorePass *pass = context;
	const Prepared *prepared = pass->prepared;
	BatchScorer *batch = pass->batch;
	Watch	   *watch = batch->network.workers.scratch[thread].watch;
	int			width = prepared->model->config.mmoe_dims.value[0];
	int			rows = batch->batch.n_rows;
	Matrix		in = {batch->z + prepared->columns.experts + m * width, prepared->columns.n};

	if (m == prepared->n_experts)
	{
		stack_forward(&batch->stack, &batch->batch, batch->z, prepared->columns.gates,
					  prepared->columns.n - prepared->columns.gates, batch->products[thread], watch);
		return;
	}
	stack_forward(&batch->stack, &batch->batch, batch->z, prepared->columns.experts + m * width,
				  width, batch->products[thread], watch);
	relu(in, NULL, rows, width);
	for (int k = 0; k < prepared->n_deep; k++)
	{
		const PreparedLayer *layer = &prepared->deep[m * prepared->n_deep + k];
		real	   *out = batch->deep[m * prepared->n_deep + k];

		layer_forward(layer, out, in, rows, watch);
		in = (Matrix) {out, layer->n_out};
	}
	for (int b = 0; b < rows && prepared->n_deep == 0; b++)
		memcpy(batch->e[m] + (size_t) b * width, in.data + (size_t) b * in.stride,
			   width * sizeof(real));
}

/* Gates, mixtures, and their logit. */
static void
mix(const ScorePass *pass)
{
	Network    *network = &pass->batch->network;
	Mmoe	   *mmoe = &network->mmoe;
	const Prepared *prepared = pass->prepared;
	int			rows = pass->batch->batch.n_rows;
	int			n_gates = mmoe->n_mixtures * mmoe->n_experts;
	size_t		width = (size_t) mmoe->n_mixtures * mmoe->dim;

	for (int b = 0; b < rows; b++)
		memcpy(mmoe->gates + (size_t) b * n_gates,
			   pass->batch->z + (size_t) b * prepared->columns.n + prepared->columns.gates,
			   n_gates * sizeof(real));
	softmax_forward(mmoe->gates, (size_t) rows * mmoe->n_mixtures, mmoe->n_experts);
	mix_forward(mmoe->h, mmoe->gates, pass->batch->e, 0, rows, mmoe->n_mixtures, mmoe->n_experts,
				mmoe->dim);
	for (int b = 0; b < rows && network->skip; b++)
		network->base.logit[b] += dot(network->skip, mmoe->h + b * width, width);
}

/* The heads gain their products with the cross network's output. */
static void
add_cross(const ScorePass *pass)
{
	const Prepared *prepared = pass->prepared;
	Heads	   *heads = &pass->batch->network.heads;

	if (prepared->columns.n == prepared->columns.heads)
		return;
	for (int b = 0; b < pass->batch->batch.n_rows; b++)
		prepared_add_cross(prepared, pass->batch->z + (size_t) b * prepared->columns.n,
						   heads->logit + (size_t) b * heads->n_heads);
}

static void
forward(BatchScorer *batch, const Prepared *prepared)
{
	Network    *network = &batch->network;
	const Config *config = &network->model->config;
	ScorePass	pass = {.batch = batch,.prepared = prepared};
	PassMode	mode = {0};

	if (config_has_mmoe(config))
		stack_index(&batch->stack, &batch->batch);
	workers_run(&network->workers, embed_task, &pass, ROW_PARTS);
	if (config_has_pairwise(config))
		pairwise_forward(network->base.logit, network->pairwise_sums, network->x0,
						 batch->batch.n_rows, network->model->shape.n_fields, config->embed_dim);
	if (config_has_mmoe(config))
	{
		workers_run(&network->workers, expert_task, &pass, prepared->n_experts + 1);
		mix(&pass);
	}
	network_experts_forward(network, &batch->batch, &network->base, &mode);
	add_cross(&pass);
}

void
batch_score(Scorer *scorer, const ScoreRows *rows, size_t first, int n, double *probabilities)
{
	BatchScorer *scores = scorer->batch;
	Batch	   *batch = &scores->batch;
	size_t		n_fields = scorer->model->shape.n_fields;

	for (int i = 0; i < n; i++)
		scores->rows[i] = i;
	batch_fill(batch, &scorer->model->shape, rows->ids + first * n_fields, NULL, rows->list_start,
			   rows->list_members, scores->rows, NULL, n);
	for (int s = 0; s < batch->n_segments; s++)
		if (config_has_hei(&scorer->model->config))
			batch->segments[s].mask = prepared_mask(scorer->model, batch->segments[s].domain);
	forward(scores, &scorer->prepared);
	heads_mean(&scores->network.heads, batch, scores->probabilities);
	for (int k = 0; k < n; k++)
		probabilities[batch->rows[k]] = scores->probabilities[k];
}
