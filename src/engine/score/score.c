/*
 * score.c
 *	  Scores of a prepared model: many rows by the batch, a single one by itself;
 *	  and what single scores are made of.
 *
 * Logits come from score_row.c and score_batch.c; here they are checked to be
 * numbers, and calibrated, which adds the logits of the model's trees.  The effect of a row's fields is found by scoring it
 * once more for each field, as one batch.
 *
 * Memory: what a single row needs is there from the start; what batches need is
 * taken from the scorer's arena with the first batch, and stays.
 */
#include "engine/score/score.h"

#include <string.h>

#include "engine/score/prepare.h"
#include "engine/score/scorer.h"

Scorer *
scorer_create(Arena *arena, const Model *model, size_t ready_bytes, Team *team,
			  const EngineHost *host, EngineError *error)
{
	return scorer_attach(arena, model, ready_bytes, NULL, team, host, error);
}

const real *
scorer_values(const Scorer *scorer, size_t *n_values)
{
	*n_values = scorer->prepared.n_values;
	return scorer->prepared.values;
}

Scorer *
scorer_attach(Arena *arena, const Model *model, size_t ready_bytes, real *values, Team *team,
			  const EngineHost *host, EngineError *error)
{
	Scorer	   *scorer = ARENA_ARRAY(arena, Scorer, 1);

	if (!arena_ok(arena, error))
		return NULL;
	scorer->model = model;
	scorer->team = team;
	if (host)
	{
		scorer->host = *host;
		scorer->watch.host = &scorer->host;
	}
	scorer->followers.leader = &scorer->watch;
	scorer->arena = arena;
	scorer->calibration = model_calibration(model);
	if (model->histories)
		scorer->history[HISTORY_TAKEN] =
			entity_table_history(model->histories, model->config.history_length);
	if (model->dislikes)
		scorer->history[HISTORY_DISLIKED] =
			entity_table_history(model->dislikes, model->config.history_length);
	if (model->trees)
		scorer->trees_scratch = ARENA_ARRAY(arena, float, trees_scratch(model->trees));
	if (!arena_ok(arena, error))
		return NULL;
	if (!prepare(&scorer->prepared, model, ready_bytes, values, arena, &scorer->watch, error))
		return NULL;
	scorer->heads = heads_of(scorer->prepared.layers, scorer->prepared.n_layers);
	if (!row_scorer_init(scorer, error))
		return NULL;
	return scorer;
}

/* Finite weights, but such as no training gives, can add up to what is no number. */
static bool
check_score(double probability, EngineError *error)
{
	if (probability >= 0 && probability <= 1)
		return true;
	return engine_fail(error, ENGINE_CORRUPT,
					   CORRUPT_HINT,
					   "model is corrupt: its score is not a number");
}

/*
 * Rows that trees score one by one before masks are made: making them takes as long as some
 * thousands, and not every scorer comes to so many.
 */
#define MASKS_FROM 4096

/* logits [n] of the trees, of rows first .. */
static bool
score_trees(Scorer *scorer, const ScoreRows *rows, size_t first, int n, double *logits,
			EngineError *error)
{
	const Trees *trees = scorer->model->trees;
	int			n_fields = scorer->model->shape.n_fields;
	const uint32_t *ids = rows->ids + first * (size_t) n_fields;
	bool		whole_lines = rows->across > 0 && (size_t) n % rows->across == 0;

	if (scorer->n_tree_rows < MASKS_FROM)
	{
		scorer->n_tree_rows += (size_t) n;
		if (scorer->n_tree_rows >= MASKS_FROM &&
			!forest_masks_create(&scorer->masks, scorer->arena, &trees->forest, &scorer->host,
								 error))
			return false;
	}
	if (scorer->masks && n > 1)
		trees_masked_logits(trees, scorer->masks, ids, n_fields, n,
							whole_lines ? (int) rows->across : n, logits);
	else
		trees_logits(trees, ids, n_fields, n, scorer->trees_scratch, logits);
	return true;
}

/* probabilities [n] of rows first .. become their scores. */
static bool
finish_scores(Scorer *scorer, const ScoreRows *rows, size_t first, int n, double *probabilities,
			  EngineError *error)
{
	const Trees *trees = scorer->model->trees;
	double		logits[SCORE_BATCH];

	if (trees && !score_trees(scorer, rows, first, n, logits, error))
		return false;
	for (int i = 0; i < n; i++)
	{
		if (!check_score(probabilities[i], error))
			return false;
		probabilities[i] = calibrate(&scorer->calibration, probabilities[i],
									 trees ? logits[i] : 0);
	}
	return true;
}

bool
scorer_score(Scorer *scorer, const ScoreRows *rows, double *probabilities, EngineError *error)
{
	if (rows->n_rows > 1 && !scorer->batch && !batch_scorer_init(scorer, error))
		return false;
	scorer->watch.stopped = false;
	for (size_t first = 0; first < rows->n_rows; first += SCORE_BATCH)
	{
		size_t		left = rows->n_rows - first;
		int			n = left < SCORE_BATCH ? (int) left : SCORE_BATCH;

		if (n > 1)
			batch_score(scorer, rows, first, n, probabilities + first);
		else
			probabilities[first] = row_score(scorer, rows, first);
		if (scorer->watch.stopped)
			return watch_continue(&scorer->watch, error);
		if (!finish_scores(scorer, rows, first, n, probabilities + first, error))
			return false;
	}
	return true;
}

bool
scorer_parts(Scorer *scorer, const ScoreRows *row, ScoreParts *parts, EngineError *error)
{
	const RowScorer *scores = &scorer->row;
	double		sum = 0;

	memset(parts, 0, sizeof(*parts));
	scorer->watch.stopped = false;
	parts->mean = row_score(scorer, row, 0);
	if (scorer->watch.stopped)
		return watch_continue(&scorer->watch, error);
	if (!check_score(parts->mean, error))
		return false;
	parts->has_trees = scorer->model->trees != NULL;
	if (parts->has_trees)
		parts->trees_logit = trees_logit(scorer->model->trees, row->ids, scorer->trees_scratch);
	parts->score = calibrate(&scorer->calibration, parts->mean, parts->trees_logit);
	parts->base_logit = scores->logit;
	parts->n_heads = scorer->heads->n_heads;
	for (int j = 0; j < parts->n_heads; j++)
	{
		HeadPart   *part = &parts->heads[j];

		part->open = scores->scratch.open[j];
		if (!part->open)
			continue;
		part->logit = scores->scratch.logits[j];
		part->probability = sigmoid(part->logit);
		sum += part->probability;
	}
	for (int j = 0; j < parts->n_heads && sum > 0; j++)
		parts->heads[j].share = parts->heads[j].probability / sum;
	return true;
}

uint64_t
scorer_shared(const Scorer *scorer)
{
	return scorer->batch ? scorer->batch->stack.n_shared : 0;
}

/* Up to which list a row refers to any. */
static uint32_t
count_lists(const Shape *shape, const ScoreRows *row)
{
	uint32_t	n = 0;

	for (int f = 0; f < shape->n_fields; f++)
		if (shape->field_is_list[f] && row->ids[f] >= n)
			n = row->ids[f] + 1;
	return row->histories && row->histories[0] >= n ? row->histories[0] + 1 : n;
}

bool
scorer_effects(Scorer *scorer, Arena *arena, const ScoreRows *row, double *effects,
			   EngineError *error)
{
	const Shape *shape = &scorer->model->shape;
	struct ArenaBlock *mark;
	size_t		n = shape->n_fields;
	uint32_t	n_lists = count_lists(shape, row);
	size_t		n_members = n_lists > 0 ? row->list_start[n_lists] : 0;
	uint32_t   *ids;
	double	   *scores;
	uint64_t   *start;
	uint32_t   *members;
	uint32_t   *histories;
	/* as it is, each field hidden, and without a history */
	ScoreRows	rows = {.n_rows = n + 1 + (scorer->model->histories != NULL)};

	/* it stays, and "arena" may be the scorer's own */
	if (!scorer->batch && !batch_scorer_init(scorer, error))
		return false;
	mark = arena_mark(arena);
	rows.ids = ids = ARENA_ARRAY(arena, uint32_t, rows.n_rows * n);
	rows.list_start = start = ARENA_ARRAY(arena, uint64_t, (size_t) n_lists + 3);
	rows.list_members = members = ARENA_ARRAY(arena, uint32_t, n_members + 1);
	rows.histories = histories = ARENA_ARRAY(arena, uint32_t, rows.n_rows);
	scores = ARENA_ARRAY(arena, double, rows.n_rows);
	if (!arena_ok(arena, error))
		return false;
	if (n_lists > 0)
	{
		memcpy(start, row->list_start, ((size_t) n_lists + 1) * sizeof(uint64_t));
		memcpy(members, row->list_members, n_members * sizeof(uint32_t));
	}
	/* two lists more: one whose only member was never seen, and one without any */
	members[n_members] = UNSEEN_ID;
	start[n_lists + 1] = start[n_lists + 2] = n_members + 1;
	for (size_t i = 0; i < rows.n_rows; i++)
	{
		memcpy(ids + i * n, row->ids, n * sizeof(uint32_t));
		histories[i] = row->histories ? row->histories[0] : 0;
	}
	for (size_t f = 0; f < n; f++)
		ids[f * n + f] = shape->field_is_list[f] ? n_lists : UNSEEN_ID;
	if (rows.n_rows > n + 1)
		histories[n + 1] = n_lists + 1;
	if (!scorer_score(scorer, &rows, scores, error))
		return false;
	for (size_t f = 0; f < n; f++)
		effects[f] = logit_of(scores[n]) - logit_of(scores[f]);
	effects[n] = rows.n_rows > n + 1 ? logit_of(scores[n]) - logit_of(scores[n + 1]) : 0;
	arena_reset_to(arena, mark);
	return true;
}

const real *
scorer_gates(const Scorer *scorer, int64_t domain)
{
	size_t		d = domain < 0 ? scorer->model->n_domains : (size_t) domain;

	return scorer->prepared.gates ? scorer->prepared.gates + d * scorer->model->n_gates : NULL;
}
