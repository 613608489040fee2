/*
 * first_layer_batch.c
 *	  The stack over a batch.
 *
 * First, for the whole batch: which fields have one value in all rows, and which
 * have few (stack_index()).  Then vectors of the other fields are gathered, by
 * parts of the rows (stack_gather()).  Last come products, panel by panel
 * (stack_forward()): a row begins with products that it shares with other rows or
 * that were made beforehand, and its gathered vectors are multiplied on top.
 *
 * Threads: gathering is by rows and products are by panels.  Each thread has a
 * scratch for the products that rows share, of one panel at a time.
 */
#include "engine/score/first_layer_batch.h"

#include <string.h>

#include "engine/base/linear.h"
#include "engine/layers/embedding.h"

/* Weights' rows whose part of a panel stays in the cache from some rows to the next. */
#define SLICE 1024

/* So many rows ahead memory is fetched for a row. */
#define AHEAD 8

static int
n_slots(const Stack *stack)
{
	int			n = 2;

	while (n < 2 * stack->capacity)
		n *= 2;
	return n;
}

/* Distinct values of a field that is shared at most; of a list none. */
static size_t
most_distinct(const Stack *stack, int p)
{
	const Shape *shape = &stack->prepared->model->shape;
	int			f = stack->prepared->order[p];
	size_t		most = (size_t) (SHARE_BELOW * stack->capacity) + 1;
	size_t		rows = shape_rows(shape, f);

	if (shape->field_is_list[f])
		return 0;
	return rows < most ? rows : most;
}

bool
stack_init(Stack *stack, const Prepared *prepared, int capacity, Arena *arena,
		   EngineError *error)
{
	size_t		dim = prepared->model->config.embed_dim;
	size_t		rows = capacity;

	*stack = (Stack) {.prepared = prepared,.capacity = capacity};
	stack->fields = ARENA_ARRAY(arena, StackField, prepared->n_gathered);
	stack->slots = ARENA_ARRAY(arena, uint32_t, n_slots(stack));
	stack->common = ARENA_ARRAY(arena, bool, prepared->model->shape.n_fields);
	stack->x = ARENA_ARRAY(arena, real, rows * prepared->n_gathered * dim);
	stack->at = ARENA_ARRAY(arena, int, prepared->n_gathered);
	stack->common_x = ARENA_ARRAY(arena, real, prepared->n_gathered * dim);
	stack->common_at = ARENA_ARRAY(arena, int, prepared->n_gathered);
	for (int p = 0; p < prepared->n_gathered && !arena->failed; p++)
	{
		StackField *field = &stack->fields[p];

		if (prepared->model->shape.field_is_list[prepared->order[p]])
			continue;
		field->ids = ARENA_ARRAY(arena, uint32_t, rows);
		field->place = ARENA_ARRAY(arena, uint32_t, rows);
		field->values = ARENA_ARRAY(arena, real, most_distinct(stack, p) * dim);
	}
	return arena_ok(arena, error);
}

/* Pointers to what a row begins with at most. */
static int
most_starts(const Stack *stack)
{
	return 2 + stack->prepared->model->shape.n_fields;
}

bool
stack_scratch_init(StackScratch *scratch, const Stack *stack, Arena *arena, EngineError *error)
{
	size_t		rows = stack->capacity;
	size_t		starts = most_starts(stack);
	size_t		n_products = 0;

	for (int p = 0; p < stack->prepared->n_gathered; p++)
		n_products += most_distinct(stack, p);
	scratch->common = ARENA_ARRAY(arena, real, MAX_PANEL);
	scratch->lists = ARENA_ARRAY(arena, real, rows * MAX_PANEL);
	scratch->products = ARENA_ARRAY(arena, real, n_products * MAX_PANEL);
	scratch->sums = ARENA_ARRAY(arena, const real *, rows);
	scratch->start = ARENA_ARRAY(arena, const real *, rows * starts);
	scratch->common_start = ARENA_ARRAY(arena, const real *, starts);
	scratch->offset = ARENA_ARRAY(arena, size_t, starts);
	return arena_ok(arena, error);
}

/* Distinct values of a field, while they may be few enough. */
static void
index_field(Stack *stack, const Batch *batch, int p)
{
	StackField *field = &stack->fields[p];
	int			most = (int) (SHARE_BELOW * batch->n_rows);
	uint32_t	mask = n_slots(stack) - 1;
	const uint32_t *id = batch->ids + stack->prepared->order[p];

	memset(stack->slots, 0, (mask + 1) * sizeof(uint32_t));
	field->n_distinct = 0;
	field->shared = false;
	for (int b = 0; b < batch->n_rows; b++, id += batch->n_fields)
	{
		uint32_t	slot = *id * UINT32_C(0x9E3779B1) >> 7 & mask;

		while (stack->slots[slot] != 0 && field->ids[stack->slots[slot] - 1] != *id)
			slot = (slot + 1) & mask;
		if (stack->slots[slot] == 0)
		{
			if (field->n_distinct == most)
				return;
			field->ids[field->n_distinct] = *id;
			stack->slots[slot] = ++field->n_distinct;
		}
		field->place[b] = stack->slots[slot] - 1;
	}
	field->shared = true;
}

/* Is a field's value the same in all rows? */
static bool
is_common(const Batch *batch, int field)
{
	const uint32_t *id = batch->ids + field;

	for (int b = 1; b < batch->n_rows; b++)
		if (id[(size_t) b * batch->n_fields] != *id)
			return false;
	return true;
}

static const RowTensor *
table_of(const Stack *stack, int p)
{
	return &stack->prepared->tables[stack->prepared->model->shape.field_table[stack->prepared->order[p]]];
}

/* A field's vectors, if rows share them. */
static void
take_values(Stack *stack, const Batch *batch, int p)
{
	StackField *field = &stack->fields[p];
	size_t		dim = stack->prepared->model->config.embed_dim;

	if (field->ids)
		index_field(stack, batch, p);
	if (!field->shared)
	{
		stack->at[stack->n_parts++] = p * (int) dim;
		return;
	}
	stack->n_shared += batch->n_rows - field->n_distinct;
	for (int k = 0; k < field->n_distinct; k++)
		embedding_value(table_of(stack, p), false, &field->ids[k], 1, field->values + k * dim, NULL);
	if (!stack->common[stack->prepared->order[p]])
		return;
	memcpy(stack->common_x + stack->n_common * dim, field->values, dim * sizeof(real));
	stack->common_at[stack->n_common++] = p * (int) dim;
}

void
stack_index(Stack *stack, const Batch *batch)
{
	const Prepared *prepared = stack->prepared;
	int			n_premultiplied = prepared->model->shape.n_fields - prepared->n_gathered;

	stack->n_shared += (uint64_t) batch->n_rows * n_premultiplied;
	for (int f = 0; f < prepared->model->shape.n_fields; f++)
		stack->common[f] = !prepared->model->shape.field_is_list[f] && is_common(batch, f);
	stack->n_parts = 0;
	stack->n_common = 0;
	for (int p = 0; p < prepared->n_gathered; p++)
		take_values(stack, batch, p);
}

void
stack_prefetch(const Prepared *prepared, const StackField *fields, const Batch *batch, int row)
{
	const Shape *shape = &prepared->model->shape;

	for (int p = 0; p < prepared->n_gathered; p++)
	{
		const RowTensor *table = &prepared->tables[shape->field_table[prepared->order[p]]];
		const uint32_t *members;
		uint32_t	n;

		if ((fields && fields[p].shared) || shape_is_dense(shape, prepared->order[p]))
			continue;
		n = batch_members(batch, shape, row, prepared->order[p], &members);
		for (uint32_t i = 0; i < n && i < WATCH_MEMBERS; i++)
			for (int e = 0; e < table->dim; e += 64 / (int) sizeof(real))
				__builtin_prefetch(table->values + (size_t) members[i] * table->dim + e);
	}
}

void
stack_gather(Stack *stack, const Batch *batch, int from, int to, Watch *watch)
{
	const Prepared *prepared = stack->prepared;
	size_t		dim = prepared->model->config.embed_dim;

	for (int b = from; b < to; b++)
	{
		real	   *x = stack->x + (size_t) b * prepared->n_gathered * dim;

		if (b + AHEAD < to)
			stack_prefetch(prepared, stack->fields, batch, b + AHEAD);
		for (int p = 0; p < prepared->n_gathered; p++)
		{
			const Shape *shape = &prepared->model->shape;
			int			f = prepared->order[p];
			const uint32_t *members;
			uint32_t	n;

			if (stack->fields[p].shared)
				continue;
			n = batch_members(batch, shape, b, f, &members);
			embedding_value(table_of(stack, p), shape_is_dense(shape, f), members, n, x, watch);
			x += dim;
		}
	}
}

HOT void
stack_list(const Prepared *prepared, int field, const uint32_t *members, uint32_t n_members,
		   real *out, int first, int n, Watch *watch)
{
	real		scale = (real) 1 / n_members;

	for (uint32_t i = 0; i < n_members; i++)
	{
		if (i % WATCH_MEMBERS == 0 && watch_worked(watch, (size_t) WATCH_MEMBERS * n))
			return;
		add_scaled(out, scale, prepared->premultiplied[field] + members[i] * (size_t) prepared->n_columns +
				   first, n);
	}
}

/* A pass over a batch, by one thread. */
typedef struct StackPass
{
	const Stack *stack;
	const Batch *batch;
	StackScratch *scratch;
	int			n_common_starts;
	int			n_starts;
	int			n_premultiplied;		/* of the starts, from the second on: these are as wide as the stack */
	bool		lists;			/* are there premultiplied ones? */
} StackPass;

/*
 * Adds one term to every row's sum: row b also starts from start + k * stride,
 * where k is places[b * step], or b itself if places is NULL.
 */
static void
add_start(StackPass *pass, const real *start, const uint32_t *places, int step, size_t stride)
{
	const real **to = pass->scratch->start + pass->n_starts++;

	for (int b = 0; b < pass->batch->n_rows; b++, to += most_starts(pass->stack))
		*to = start + (places ? places[(size_t) b * step] : (size_t) b) * stride;
}

/* What rows begin with: what all have in common, their premultiplied fields, others' products. */
static void
find_starts(StackPass *pass)
{
	const Stack *stack = pass->stack;
	const Prepared *prepared = stack->prepared;
	const Shape *shape = &prepared->model->shape;
	const uint32_t *ids = pass->batch->ids;
	StackScratch *scratch = pass->scratch;
	const real *products = scratch->products;

	scratch->common_start[pass->n_common_starts++] = prepared->bias;
	add_start(pass, scratch->common, NULL, 0, 0);
	for (int i = prepared->n_gathered; i < shape->n_fields; i++)
	{
		int			f = prepared->order[i];

		if (shape->field_is_list[f])
			pass->lists = true;
		else if (stack->common[f])
			scratch->common_start[pass->n_common_starts++] =
				prepared->premultiplied[f] + ids[f] * (size_t) prepared->n_columns;
		else
			add_start(pass, prepared->premultiplied[f], ids + f, shape->n_fields, prepared->n_columns);
	}
	pass->n_premultiplied = pass->n_starts - 1;
	for (int p = 0; p < prepared->n_gathered; p++)
	{
		const StackField *field = &stack->fields[p];

		if (!field->shared || stack->common[prepared->order[p]])
			continue;
		add_start(pass, products, field->place, 1, MAX_PANEL);
		products += (size_t) field->n_distinct * MAX_PANEL;
	}
	if (pass->lists)
		add_start(pass, scratch->lists, NULL, 0, MAX_PANEL);
}

/* What all rows of a panel have in common, once. */
static void
make_common(const StackPass *pass, int panel)
{
	const Stack *stack = pass->stack;
	PanelInput	in = {.x = stack->common_x,.n_parts = stack->n_common,
		.length = stack->prepared->model->config.embed_dim,.at = stack->common_at,
		.start = pass->scratch->common_start,.n_starts = pass->n_common_starts};

	panels_forward(&stack->prepared->stack, panel, &in, 1, pass->scratch->common, 0, false);
}

/* Products of shared fields' values with a panel. */
static void
make_products(const StackPass *pass, int panel)
{
	const Stack *stack = pass->stack;
	const Prepared *prepared = stack->prepared;
	int			dim = prepared->model->config.embed_dim;
	real	   *products = pass->scratch->products;

	for (int p = 0; p < prepared->n_gathered; p++)
	{
		const StackField *field = &stack->fields[p];
		int			at = p * dim;
		PanelInput	in = {.x = field->values,.stride = dim,.n_parts = 1,.length = dim,.at = &at};

		if (!field->shared || stack->common[prepared->order[p]])
			continue;
		panels_forward(&prepared->stack, panel, &in, field->n_distinct, products, MAX_PANEL, false);
		products += (size_t) field->n_distinct * MAX_PANEL;
	}
}

/* The means of premultiplied lists' products with a panel. */
static void
make_lists(const StackPass *pass, int panel)
{
	const Prepared *prepared = pass->stack->prepared;
	const Shape *shape = &prepared->model->shape;
	int			width = prepared->stack.width;

	for (int b = 0; b < pass->batch->n_rows; b++)
	{
		real	   *to = pass->scratch->lists + (size_t) b * MAX_PANEL;

		memset(to, 0, width * sizeof(real));
		for (int i = prepared->n_gathered; i < shape->n_fields; i++)
		{
			int			f = prepared->order[i];
			const uint32_t *members;
			uint32_t	n;

			if (!shape->field_is_list[f])
				continue;
			n = batch_members(pass->batch, shape, b, f, &members);
			stack_list(prepared, f, members, n, to, panel * width, width,
					   pass->scratch->watch);
		}
	}
}

/*
 * One panel's products, some fields after the others: of a few that is one
 * slice; of many the panel would leave the cache before the next rows read it.
 */
static void
add_slices(const StackPass *pass, int panel, PanelInput in, real *out, size_t stride, bool relu)
{
	const Panels *panels = &pass->stack->prepared->stack;
	int			n_parts = in.n_parts;
	int			some = SLICE / in.length > 0 ? SLICE / in.length : 1;
	const size_t no_offset = 0;

	for (int b = 0; b < pass->batch->n_rows && n_parts > some; b++)
		pass->scratch->sums[b] = out + b * stride;
	for (int first = 0; first == 0 || first < n_parts; first += some)
	{
		bool		last = first + some >= n_parts;

		in.n_parts = last ? n_parts - first : some;
		if (watch_worked(pass->scratch->watch, (size_t) pass->batch->n_rows * in.n_parts *
						 in.length * panels->width))
			return;
		panels_forward(panels, panel, &in, pass->batch->n_rows, out, stride, relu && last);
		in.x += (size_t) some * in.length;
		in.at += some;
		in.start = pass->scratch->sums;
		in.n_starts = in.start_stride = 1;
		in.offset = &no_offset;
	}
}

void
stack_forward(const Stack *stack, const Batch *batch, int first, int n, real *out, size_t stride,
			  bool relu, StackScratch *scratch)
{
	const Panels *panels = &stack->prepared->stack;
	int			dim = stack->prepared->model->config.embed_dim;
	StackPass		pass = {.stack = stack,.batch = batch,.scratch = scratch};
	PanelInput	in = {.x = stack->x,.stride = (size_t) stack->prepared->n_gathered * dim,
		.n_parts = stack->n_parts,.length = dim,.at = stack->at,.start = scratch->start,
		.start_stride = most_starts(stack),.offset = scratch->offset};

	find_starts(&pass);
	in.n_starts = pass.n_starts;
	for (int p = first; p < first + n; p++)
	{
		make_common(&pass, p);
		make_products(&pass, p);
		if (pass.lists)
			make_lists(&pass, p);
		for (int i = 0; i < pass.n_starts; i++)
			scratch->offset[i] = i >= 1 && i <= pass.n_premultiplied ? (size_t) p * panels->width : 0;
		add_slices(&pass, p, in, out + (size_t) (p - first) * panels->width, stride, relu);
	}
}
