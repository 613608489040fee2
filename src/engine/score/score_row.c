/*
 * score_row.c
 *	  The score of one row: products of a vector with matrices, which have to be
 *	  read, so what costs time is memory.
 *
 * Inputs of a layer that ReLU has set to 0 are left out, and a value's product
 * is kept as long as one row after the other has it.
 */
#include <string.h>

#include "engine/layers/embedding.h"
#include "engine/score/score_run.h"

bool
row_scorer_init(Scorer *scorer, EngineError *error)
{
	const Model *model = scorer->model;
	const Prepared *prepared = &scorer->prepared;
	Arena	   *arena = scorer->arena;
	RowScorer  *row = &scorer->row;

	row->batch = (Batch) {.capacity = 1,.n_rows = 1,.n_fields = model->shape.n_fields,
		.n_segments = 1,.segments = ARENA_ARRAY(arena, Segment, 1),
		.rows = ARENA_ARRAY(arena, uint32_t, 1)};
	for (int list = 0; list < N_HISTORY_LISTS; list++)
		batch_init_history(&row->batch, list, arena, scorer->history[list].length);
	score_buffers_init(&row->buffers, scorer, 1);
	score_scratch_init(&row->scratch, scorer, 1, &scorer->watch);
	row->x = ARENA_ARRAY(arena, real, (size_t) model->shape.n_fields * model->config.embed_dim);
	row->parts = ARENA_ARRAY(arena, RowPart, prepared->n_gathered);
	row->start = ARENA_ARRAY(arena, const real *, 2 + (size_t) model->shape.n_fields);
	row->lists = ARENA_ARRAY(arena, real, prepared->n_columns);
	row->z = ARENA_ARRAY(arena, real, prepared->n_columns);
	row->remembered = ARENA_ARRAY(arena, RememberedProduct, prepared->n_gathered);
	for (int p = 0; p < prepared->n_gathered && !arena->failed; p++)
		row->remembered[p].product = ARENA_ARRAY(arena, real, prepared->n_columns);
	row->buffers.batch = &row->batch;
	row->buffers.logit = &row->logit;
	row->buffers.probabilities = &row->probability;
	row->buffers.columns = row->z + prepared->other_columns;
	return arena_ok(arena, error);
}

/* What z begins with: bias and products made beforehand; returns how many. */
static int
find_starts(Scorer *scorer)
{
	const Prepared *prepared = &scorer->prepared;
	const Shape *shape = &scorer->model->shape;
	RowScorer  *row = &scorer->row;
	bool		lists = false;
	int			n = 0;

	row->start[n++] = prepared->bias;
	for (int i = prepared->n_gathered; i < shape->n_fields; i++)
	{
		int			f = prepared->order[i];
		const uint32_t *members;
		uint32_t	n_members = batch_members(&row->batch, shape, 0, f, &members);

		if (!shape->field_is_list[f])
		{
			row->start[n++] = prepared->premultiplied[f] + members[0] * (size_t) prepared->n_columns;
			continue;
		}
		if (!lists)
			memset(row->lists, 0, prepared->n_columns * sizeof(real));
		lists = true;
		stack_list(prepared, f, members, n_members, row->lists, 0, prepared->n_columns,
				   &scorer->watch);
	}
	if (lists)
		row->start[n++] = row->lists;
	return n;
}

/* The product of a value that comes for the second time. */
static void
make_product(const Scorer *scorer, RememberedProduct *last, const RowPart *part)
{
	const Panels *panels = &scorer->prepared.stack;
	RowInput	in = {.parts = part,.n_parts = 1,.length = scorer->model->config.embed_dim};

	for (int i = 0; i < panels->n; i++)
		panels_row(panels, i, &in, last->product, false);
	last->valid = true;
}

/* A gathered field's vector, and its product if the last row had the value, too. */
static RowPart
gathered_part(Scorer *scorer, int p)
{
	const Shape *shape = &scorer->model->shape;
	RowScorer  *row = &scorer->row;
	int			dim = scorer->model->config.embed_dim;
	int			f = scorer->prepared.order[p];
	const RowTensor *table = &scorer->prepared.tables[shape->field_table[f]];
	RememberedProduct *last = &row->remembered[p];
	RowPart		part = {.x = row->x + (size_t) p * dim,.at = p * dim};
	const uint32_t *members;
	uint32_t	n_members = batch_members(&row->batch, shape, 0, f, &members);

	if (shape->field_is_list[f])
		embedding_value(table, shape_is_dense(shape, f), members, n_members, row->x + (size_t) p * dim,
					 &scorer->watch);
	else
	{
		part.x = table->values + (size_t) members[0] * dim;
		if (last->seen && last->id == members[0])
		{
			if (!last->valid)
				make_product(scorer, last, &part);
			part.product = last->product;
		}
		else
			*last = (RememberedProduct) {true, false, members[0], last->product};
	}
	return part;
}

static void
stack_forward_row(Scorer *scorer)
{
	const Prepared *prepared = &scorer->prepared;
	const Panels *panels = &prepared->stack;
	RowScorer  *row = &scorer->row;
	RowInput	in = {.start = row->start,.parts = row->parts,.n_parts = prepared->n_gathered,
		.length = scorer->model->config.embed_dim};

	in.n_starts = find_starts(scorer);
	for (int p = 0; p < prepared->n_gathered; p++)
		row->parts[p] = gathered_part(scorer, p);
	for (int p = 0; p < panels->n; p++)
	{
		if (watch_worked(&scorer->watch, (size_t) panels->n_in * panels->width))
			return;
		panels_row(panels, p, &in, row->z, p * panels->width < prepared->other_columns);
	}
}

double
row_score(Scorer *scorer, const ScoreRows *rows, size_t at)
{
	const Model *model = scorer->model;
	const Prepared *prepared = &scorer->prepared;
	RowScorer  *row = &scorer->row;
	ScoreRun	run = {.prepared = prepared,.buffers = &row->buffers,.scratch = &row->scratch,
		.n_rows = 1};

	row->batch.ids = (uint32_t *) rows->ids + at * model->shape.n_fields;
	row->batch.list_start = rows->list_start;
	row->batch.list_members = rows->list_members;
	run.domain = domain_of_id(row->batch.ids[model->shape.domain_field]);
	row->batch.segments[0] = (Segment) {.n_rows = 1,.domain = run.domain};
	batch_fill_history(&row->batch, &model->shape, scorer->history,
					   rows->histories ? rows->histories + at : NULL, false);
	/* they arrive while the wide part is computed */
	stack_prefetch(prepared, NULL, &row->batch, 0);
	score_run_ids(&run);
	if (prepared->n_columns > 0)
		stack_forward_row(scorer);
	for (int i = 0; i < prepared->n_groups; i++)
	{
		const ColumnGroup *group = &prepared->groups[i];

		group->layer->kind->score_group(group->layer, &run, group->number,
										(Matrix) {row->z + group->column, group->n});
	}
	score_run_layers(&run);
	return row->probability;
}
