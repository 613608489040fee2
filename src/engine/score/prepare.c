/*
 * prepare.c
 *	  A trained model's weights as scoring wants them.
 *
 * Phases: the planned layers are copied, bound and asked for their columns over
 * x0; columns get their places, groups first; fields are chosen whose products are
 * made beforehand; everything is laid out twice, to be measured and to get its
 * place; layers fill in their weights, and products are made.
 *
 * Memory: one block of values without pointers, which processes can share.  With
 * a block of an earlier scorer nothing is computed: the layout is the same.
 */
#include "engine/score/prepare.h"

#include <string.h>

#include "engine/layers/embedding.h"

/*
 * Fields of the smallest tables are premultiplied, as far as there is room;
 * others, and dense ones, whose values come but once, are first.
 */
static bool
order_fields(Prepared *prepared, size_t bytes, EngineError *error)
{
	const Shape *shape = &prepared->model->shape;
	int			n_fields = shape->n_fields;
	size_t		left = bytes / ((size_t) prepared->n_columns * sizeof(real));
	int			last = n_fields;
	bool	   *chosen = ARENA_ARRAY(prepared->arena, bool, n_fields);

	prepared->order = ARENA_ARRAY(prepared->arena, int, n_fields);
	prepared->premultiplied = ARENA_ARRAY(prepared->arena, real *, n_fields);
	if (!arena_ok(prepared->arena, error))
		return false;
	for (;;)
	{
		int			smallest = -1;

		for (int f = 0; f < n_fields; f++)
			if (!chosen[f] && !shape_is_dense(shape, f) &&
				(smallest < 0 || shape_rows(shape, f) < shape_rows(shape, smallest)))
				smallest = f;
		if (smallest < 0 || shape_rows(shape, smallest) > left)
			break;
		left -= shape_rows(shape, smallest);
		chosen[smallest] = true;
		prepared->order[--last] = smallest;
	}
	for (int f = 0; f < n_fields; f++)
		if (!chosen[f])
			prepared->order[prepared->n_gathered++] = f;
	return true;
}

/* Columns of a panel: as many as suit the first group, or all columns. */
static int
panel_width(const Prepared *prepared)
{
	int			n = prepared->n_groups > 0 ? prepared->groups[0].n : prepared->end;

	return panels_of(0, panels_columns(n)).width;
}

/* Where the claimed columns lie: groups first, each from a panel on, then the others. */
static void
place_columns(Prepared *prepared)
{
	int			width = panel_width(prepared);

	for (int i = 0; i < prepared->n_groups; i++)
	{
		ColumnGroup *group = &prepared->groups[i];

		group->column = prepared->other_columns;
		group->panels = (group->n + width - 1) / width;
		prepared->other_columns += group->panels * width;
	}
	prepared->end += prepared->other_columns;
	prepared->n_columns = (prepared->end + width - 1) / width * width;
}

/* Panels over vectors of some fields. */
static Panels
stack_panels(const Prepared *prepared, int n_fields)
{
	Panels		panels = panels_of(n_fields * prepared->model->config.embed_dim,
								   prepared->n_columns);

	panels.width = panel_width(prepared);
	panels.n = panels.n_out / panels.width;
	return panels;
}

/* Where everything lies, in "values" if there are any; counts them. */
static void
lay_out(Prepared *prepared)
{
	const Shape *shape = &prepared->model->shape;
	size_t		n = prepared->n_columns;

	prepared->n_values = 0;
	if (n > 0)
	{
		prepared->stack = stack_panels(prepared, prepared->n_gathered);
		prepared->stack.values = prepared_take(prepared, panels_size(&prepared->stack));
		prepared->bias = prepared_take(prepared, n);
	}
	for (int i = 0; i < prepared->n_layers; i++)
		if (prepared->layers[i]->kind->lay_out)
			prepared->layers[i]->kind->lay_out(prepared->layers[i], prepared);
	for (int i = prepared->n_gathered; i < shape->n_fields && n > 0; i++)
	{
		int			f = prepared->order[i];

		prepared->premultiplied[f] = prepared_take(prepared, shape_rows(shape, f) * n);
	}
}

/* Products of all values of the fields that are premultiplied. */
static void
premultiply(const Prepared *prepared)
{
	const Shape *shape = &prepared->model->shape;
	const Panels *panels = &prepared->premultiplied_stack;
	int			dim = prepared->model->config.embed_dim;

	for (int i = prepared->n_gathered; i < shape->n_fields; i++)
	{
		int			f = prepared->order[i];
		uint32_t	n_rows = shape_rows(shape, f);
		int			at = (i - prepared->n_gathered) * dim;
		PanelInput	in = {.x = prepared->tables[shape->field_table[f]].values,.stride = dim,
			.n_parts = 1,.length = dim,.at = &at};

		for (int p = 0; p < panels->n &&
			 !watch_worked(prepared->watch, (size_t) n_rows * dim * panels->width); p++)
			panels_forward(panels, p, &in, n_rows,
						   prepared->premultiplied[f] + (size_t) p * panels->width,
						   prepared->n_columns, false);
	}
}

static bool
fill(Prepared *prepared, EngineError *error)
{
	Arena	   *arena = prepared->arena;
	struct ArenaBlock *mark;
	Panels	   *panels = &prepared->premultiplied_stack;

	prepared->values = ARENA_ARRAY(arena, real, prepared->n_values);
	if (!arena_ok(arena, error))
		return false;
	lay_out(prepared);
	mark = arena_mark(arena);
	if (prepared->n_columns > 0)
	{
		*panels = stack_panels(prepared, prepared->model->shape.n_fields - prepared->n_gathered);
		panels->values = ARENA_ARRAY(arena, real, panels_size(panels));
	}
	if (!arena_ok(arena, error))
		return false;
	for (int i = 0; i < prepared->n_layers; i++)
		if (prepared->layers[i]->kind->prepare &&
			!prepared->layers[i]->kind->prepare(prepared->layers[i], prepared, error))
			return false;
	if (prepared->n_columns > 0)
		premultiply(prepared);
	arena_reset_to(arena, mark);
	return watch_continue(prepared->watch, error);
}

/* Copies of the planned layers, bound to the model; they claim their columns. */
static bool
bind_layers(Prepared *prepared, EngineError *error)
{
	const NetworkPlan *plan = prepared->model->plan;
	Arena	   *arena = prepared->arena;

	prepared->n_layers = plan->n_layers;
	prepared->layers = ARENA_ARRAY(arena, Layer *, plan->n_layers);
	prepared->slots = ARENA_ARRAY(arena, Slot, plan->n_slots);
	if (!arena_ok(arena, error) ||
		!plan_bind(prepared->model, prepared->layers, false, arena, error))
		return false;
	memcpy(prepared->slots, plan->slots, plan->n_slots * sizeof(Slot));
	for (int i = 0; i < plan->n_layers; i++)
		if (prepared->layers[i]->kind->claim)
			prepared->layers[i]->kind->claim(prepared->layers[i], prepared);
	return true;
}

bool
prepare(Prepared *prepared, const Model *model, size_t premultiplied_bytes, real *values,
		Arena *arena, Watch *watch, EngineError *error)
{
	*prepared = (Prepared) {.model = model,.arena = arena,.watch = watch};
	prepared->tables = tables_bind(model, false, arena);
	if (!arena_ok(arena, error) || !bind_layers(prepared, error))
		return false;
	if (prepared->n_groups > 0 || prepared->end > 0)
	{
		place_columns(prepared);
		if (!order_fields(prepared, premultiplied_bytes, error))
			return false;
	}
	prepared->values = values;
	lay_out(prepared);
	if (!arena_ok(arena, error))
		return false;
	return values || prepared->n_values == 0 ? true : fill(prepared, error);
}
