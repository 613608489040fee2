/*
 * score_batch.c
 *	  Scores of many rows at once.
 *
 * Three passes whose tasks threads share: by rows what comes out of ids, the
 * groups of columns over x0 each, and by rows the layers on them, domain by
 * domain.
 */
#include <string.h>

#include "engine/score/score_run.h"

/* Columns of the widest group. */
static int
widest_group(const Prepared *prepared)
{
	int			widest = 0;

	for (int i = 0; i < prepared->n_groups; i++)
		if (prepared->groups[i].panels * prepared->stack.width > widest)
			widest = prepared->groups[i].panels * prepared->stack.width;
	return widest;
}

static bool
init_thread(BatchThread *thread, const Scorer *scorer, Watch *watch, EngineError *error)
{
	thread->stack.watch = watch;
	score_scratch_init(&thread->scratch, scorer, SCORE_BATCH, watch);
	thread->z = ARENA_ARRAY(scorer->arena, real, (size_t) SCORE_BATCH *
							widest_group(&scorer->prepared));
	return scorer->prepared.n_columns == 0 ? arena_ok(scorer->arena, error) :
		stack_scratch_init(&thread->stack, &scorer->batch->stack, scorer->arena, error);
}

static bool
init_batch(Scorer *scorer, EngineError *error)
{
	const Prepared *prepared = &scorer->prepared;
	Arena	   *arena = scorer->arena;
	int			n_threads = team_size(scorer->team);
	BatchScorer *batch = ARENA_ARRAY(arena, BatchScorer, 1);

	if (!arena_ok(arena, error) ||
		!batch_init(&batch->batch, arena, SCORE_BATCH, scorer->model->shape.n_fields, error))
		return false;
	for (int list = 0; list < N_HISTORY_LISTS; list++)
		batch_init_history(&batch->batch, list, arena, scorer->history[list].length);
	score_buffers_init(&batch->buffers, scorer, SCORE_BATCH);
	batch->threads = ARENA_ARRAY(arena, BatchThread, n_threads);
	batch->buffers.batch = &batch->batch;
	batch->buffers.probabilities = batch->probabilities;
	batch->buffers.logit = ARENA_ARRAY(arena, real, SCORE_BATCH);
	batch->buffers.column_stride = prepared->n_columns - prepared->other_columns;
	batch->buffers.columns = batch->columns =
		ARENA_ARRAY(arena, real, (size_t) SCORE_BATCH * batch->buffers.column_stride);
	if (!arena_ok(arena, error) ||
		(prepared->n_columns > 0 &&
		 !stack_init(&batch->stack, prepared, SCORE_BATCH, arena, error)))
		return false;
	scorer->batch = batch;
	for (int t = 0; t < n_threads; t++)
		if (!init_thread(&batch->threads[t], scorer, t == 0 ? &scorer->watch : &scorer->followers,
						 error))
			return false;
	return true;
}

bool
batch_scorer_init(Scorer *scorer, EngineError *error)
{
	struct ArenaBlock *mark = arena_mark(scorer->arena);

	if (init_batch(scorer, error))
		return true;
	scorer->batch = NULL;
	arena_reset_to(scorer->arena, mark);
	return false;
}

static ScoreRun
run_of(const Scorer *scorer, int thread, int from, int to)
{
	return (ScoreRun) {.prepared = &scorer->prepared,.buffers = &scorer->batch->buffers,
		.scratch = &scorer->batch->threads[thread].scratch,.from = from,.n_rows = to - from};
}

/* What comes out of ids is made for parts of the rows, but where lines share it for all. */
static int
ids_parts(const Batch *batch)
{
	return batch->across > 0 ? 1 : ROW_PARTS;
}

/* Some rows out of their ids: the wide part, vectors. */
static void
ids_task(void *context, int number, int thread)
{
	const Scorer *scorer = context;
	BatchScorer *scores = scorer->batch;
	int			n = scores->batch.n_rows;
	int			parts = ids_parts(&scores->batch);
	ScoreRun	run = run_of(scorer, thread, part_start(n, parts, number),
							 part_start(n, parts, number + 1));

	score_run_ids(&run);
	if (scorer->prepared.n_columns > 0)
		stack_gather(&scores->stack, &scores->batch, run.from, run.from + run.n_rows,
					 run.scratch->watch);
}

/* Tasks: each group of columns and what stands on it alone, and the other columns. */
static void
columns_task(void *context, int number, int thread)
{
	const Scorer *scorer = context;
	const Prepared *prepared = &scorer->prepared;
	BatchScorer *scores = scorer->batch;
	BatchThread *scratch = &scores->threads[thread];
	ScoreRun	run = run_of(scorer, thread, 0, scores->batch.n_rows);
	const ColumnGroup *group = &prepared->groups[number];
	int			width = prepared->stack.width;
	int			first = prepared->other_columns / width;

	if (number == prepared->n_groups)
	{
		stack_forward(&scores->stack, &scores->batch, first, prepared->stack.n - first,
					  scores->columns, scores->buffers.column_stride, false, &scratch->stack);
		return;
	}
	stack_forward(&scores->stack, &scores->batch, group->column / width, group->panels, scratch->z,
				  group->panels * width, true, &scratch->stack);
	group->layer->kind->score_group(group->layer, &run, group->number,
									(Matrix) {scratch->z, group->panels * width});
}

/* Some rows through the layers above, domain by domain. */
static void
layers_task(void *context, int number, int thread)
{
	const Scorer *scorer = context;
	const Batch *batch = &scorer->batch->batch;
	int			parts = team_size(scorer->team);
	int			from = part_start(batch->n_rows, parts, number);
	int			to = part_start(batch->n_rows, parts, number + 1);

	for (int s = 0; s < batch->n_segments; s++)
	{
		const Segment *segment = &batch->segments[s];
		int			end = segment->start + segment->n_rows;
		ScoreRun	run = run_of(scorer, thread, segment->start > from ? segment->start : from,
								 end < to ? end : to);

		run.domain = segment->domain;
		if (run.n_rows > 0)
			score_run_layers(&run);
	}
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
	batch_fill_history(batch, &scorer->model->shape, scorer->history,
					   rows->histories ? rows->histories + first : NULL, false);
	batch_find_shared(batch, (int) rows->across);
	if (scorer->prepared.n_columns > 0)
		stack_index(&scores->stack, batch);
	team_run(scorer->team, &scorer->watch, ids_task, scorer, ids_parts(batch));
	if (scorer->prepared.n_columns > 0)
		team_run(scorer->team, &scorer->watch, columns_task, scorer, scorer->prepared.n_groups + 1);
	team_run(scorer->team, &scorer->watch, layers_task, scorer, team_size(scorer->team));
	for (int k = 0; k < n; k++)
		probabilities[batch->rows[k]] = scores->probabilities[k];
}
