/*
 * score.c
 *	  Scoring: the network's forward pass with batch norm folded and the gates
 *	  of every domain at hand.
 */
#include "score.h"

#include <string.h>

#include "network.h"

/* Rows at a time: what fits the caches; more gains little. */
#define SCORE_BATCH 256

struct Scorer
{
	const Model *model;
	Network		network;
	Batch		batch;
	Calibration calibration;
	real	   *gates;			/* (D + 1, G), never-seen last */
	uint32_t	rows[SCORE_BATCH];
	double		probabilities[SCORE_BATCH];
};

static bool
fold_batch_norm(Network *network, Arena *arena, EngineError *error)
{
	Mlp			mlp;

	for (int m = 0; m < network->mmoe.n_experts; m++)
	{
		mlp = network->mmoe.experts[m];
		if (!mlp_fold(&network->mmoe.experts[m], &mlp, arena, error))
			return false;
	}
	for (int l = 0; l < network->hei.n_layers; l++)
		for (int n = 0; n < network->hei.layer[l].n_experts; n++)
		{
			HeiExpert  *expert = &network->hei.layer[l].experts[n];

			mlp = expert->mlp;
			if (!mlp_fold(&expert->mlp, &mlp, arena, error))
				return false;
		}
	return true;
}

static const uint8_t *
domain_mask(const Model *model, int64_t domain)
{
	if (domain < 0 || !model->has_mask[domain])
		return NULL;
	return model->masks + (size_t) domain * model->n_gates;
}

static bool
compute_gates(Scorer *scorer, Arena *arena, EngineError *error)
{
	const Model *model = scorer->model;
	Hei		   *hei = &scorer->network.hei;
	const RowTensor *table =
		&scorer->network.tables[model->shape.field_table[model->shape.domain_field]];
	size_t		dim = model->config.embed_dim;
	real	   *scratch = ARENA_ARRAY(arena, real, 2 * dim + model->n_gates);

	scorer->gates = ARENA_ARRAY(arena, real, ((size_t) model->n_domains + 1) * model->n_gates);
	if (!arena_ok(arena, error))
		return false;
	for (uint32_t d = 0; d <= model->n_domains; d++)
	{
		int64_t		domain = d < model->n_domains ? (int64_t) d : -1;
		size_t		row = domain < 0 ? UNSEEN_ID : FIRST_ID + d;

		hei_gates_forward(hei, table->values + row * dim, domain_mask(model, domain), scratch,
						  scratch + 2 * dim, scorer->gates + (size_t) d * model->n_gates);
	}
	hei->fixed_gates = scorer->gates;
	return true;
}

Scorer *
scorer_create(Arena *arena, const Model *model, Team *team, EngineError *error)
{
	Scorer	   *scorer = ARENA_ARRAY(arena, Scorer, 1);

	if (!arena_ok(arena, error))
		return NULL;
	scorer->model = model;
	scorer->calibration = model_calibration(model);
	if (!network_init(&scorer->network, model, SCORE_BATCH, false, NULL, team, arena, error) ||
		!batch_init(&scorer->batch, arena, SCORE_BATCH, model->shape.n_fields, error) ||
		!fold_batch_norm(&scorer->network, arena, error))
		return NULL;
	if (config_has_hei(&model->config) && !compute_gates(scorer, arena, error))
		return NULL;
	return scorer;
}

/* The network's forward pass over n rows, up to the heads' logits. */
static void
forward(Scorer *scorer, const ScoreRows *rows, size_t first, int n)
{
	Network    *network = &scorer->network;
	Batch	   *batch = &scorer->batch;
	PassMode	mode = {0};

	for (int i = 0; i < n; i++)
		scorer->rows[i] = i;
	batch_fill(batch, &scorer->model->shape,
			   rows->ids + first * (size_t) scorer->model->shape.n_fields, NULL,
			   rows->list_start, rows->list_members, scorer->rows, NULL, n);
	for (int s = 0; s < batch->n_segments; s++)
		if (config_has_hei(&scorer->model->config))
			batch->segments[s].mask = domain_mask(scorer->model, batch->segments[s].domain);
	network_base_forward(network, batch, &mode);
	network_experts_forward(network, batch, &network->base, &mode);
}

static void
score_batch(Scorer *scorer, const ScoreRows *rows, size_t first, int n, double *probabilities)
{
	Batch	   *batch = &scorer->batch;

	forward(scorer, rows, first, n);
	heads_mean(&scorer->network.heads, batch, scorer->probabilities);
	for (int k = 0; k < n; k++)
		probabilities[first + batch->rows[k]] =
			calibrate(&scorer->calibration, scorer->probabilities[k]);
}

void
scorer_score(Scorer *scorer, const ScoreRows *rows, double *probabilities)
{
	for (size_t first = 0; first < rows->n_rows; first += SCORE_BATCH)
	{
		size_t		left = rows->n_rows - first;

		score_batch(scorer, rows, first, left < SCORE_BATCH ? (int) left : SCORE_BATCH,
					probabilities);
	}
}

void
scorer_parts(Scorer *scorer, const ScoreRows *row, ScoreParts *parts)
{
	const Heads *heads = &scorer->network.heads;
	double		sum = 0;

	memset(parts, 0, sizeof(*parts));
	scorer_score(scorer, row, &parts->score);
	parts->mean = scorer->probabilities[0];
	parts->base_logit = scorer->network.base.logit[0];
	parts->n_heads = heads->n_heads;
	for (int j = 0; j < heads->n_heads; j++)
	{
		HeadPart   *part = &parts->heads[j];

		part->open = head_open(heads, j, 0);
		if (!part->open)
			continue;
		part->logit = heads->logit[j];
		part->probability = sigmoid(part->logit);
		sum += part->probability;
	}
	for (int j = 0; j < heads->n_heads && sum > 0; j++)
		parts->heads[j].share = parts->heads[j].probability / sum;
}

/* Up to which list a row refers to any. */
static uint32_t
count_lists(const Shape *shape, const ScoreRows *row)
{
	uint32_t	n = 0;

	for (int f = 0; f < shape->n_fields; f++)
		if (shape->field_is_list[f] && row->ids[f] >= n)
			n = row->ids[f] + 1;
	return n;
}

bool
scorer_effects(Scorer *scorer, Arena *arena, const ScoreRows *row, double *effects,
			   EngineError *error)
{
	const Shape *shape = &scorer->model->shape;
	struct ArenaBlock *mark = arena_mark(arena);
	size_t		n = shape->n_fields;
	uint32_t	n_lists = count_lists(shape, row);
	size_t		n_members = n_lists > 0 ? row->list_start[n_lists] : 0;
	uint32_t   *ids = ARENA_ARRAY(arena, uint32_t, (n + 1) * n);
	double	   *scores = ARENA_ARRAY(arena, double, n + 1);
	uint64_t   *start = ARENA_ARRAY(arena, uint64_t, (size_t) n_lists + 2);
	uint32_t   *members = ARENA_ARRAY(arena, uint32_t, n_members + 1);
	ScoreRows	rows = {.n_rows = n + 1,.ids = ids,.list_start = start,.list_members = members};

	if (!arena_ok(arena, error))
		return false;
	if (n_lists > 0)
	{
		memcpy(start, row->list_start, ((size_t) n_lists + 1) * sizeof(uint64_t));
		memcpy(members, row->list_members, n_members * sizeof(uint32_t));
	}
	/* one list more, whose only member was never seen */
	members[n_members] = UNSEEN_ID;
	start[n_lists + 1] = n_members + 1;
	for (size_t i = 0; i <= n; i++)
		memcpy(ids + i * n, row->ids, n * sizeof(uint32_t));
	for (size_t f = 0; f < n; f++)
		ids[f * n + f] = shape->field_is_list[f] ? n_lists : UNSEEN_ID;
	scorer_score(scorer, &rows, scores);
	for (size_t f = 0; f < n; f++)
		effects[f] = logit_of(scores[n]) - logit_of(scores[f]);
	arena_reset_to(arena, mark);
	return true;
}

const real *
scorer_gates(const Scorer *scorer, int64_t domain)
{
	size_t		d = domain < 0 ? scorer->model->n_domains : (size_t) domain;

	return scorer->gates ? scorer->gates + d * scorer->model->n_gates : NULL;
}
