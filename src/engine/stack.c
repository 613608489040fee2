/*
 * stack.c
 *	  The stack over a batch.
 */
#include "stack.h"

#include <string.h>

#include "linear.h"

/* So many rows ahead memory is fetched for a row. */
#define AHEAD 8

/* Products that are summed at once. */
#define MOST_PRODUCTS 16

static int
n_slots(const Stack *stack)
{
	int			n = 2;

	while (n < 2 * stack->capacity)
		n *= 2;
	return n;
}

bool
stack_init(Stack *stack, const Prepared *prepared, const RowTensor *tables, int capacity,
		   Arena *arena, EngineError *error)
{
	size_t		dim = prepared->model->config.embed_dim;
	size_t		rows = capacity;

	*stack = (Stack) {.prepared = prepared,.tables = tables,.capacity = capacity};
	stack->fields = ARENA_ARRAY(arena, StackField, prepared->n_plain);
	stack->slots = ARENA_ARRAY(arena, uint32_t, n_slots(stack));
	stack->common = ARENA_ARRAY(arena, bool, prepared->model->shape.n_fields);
	stack->x = ARENA_ARRAY(arena, real, rows * prepared->n_plain * dim);
	for (int p = 0; p < prepared->n_plain && !arena->failed; p++)
	{
		StackField *field = &stack->fields[p];

		if (prepared->model->shape.field_is_list[prepared->order[p]])
			continue;
		field->ids = ARENA_ARRAY(arena, uint32_t, rows);
		field->place = ARENA_ARRAY(arena, uint32_t, rows);
		field->values = ARENA_ARRAY(arena, real, (size_t) (SHARE_VALUES_BELOW * rows + 1) * dim);
	}
	return arena_ok(arena, error);
}

/* Distinct values of a field, while they may be few enough. */
static void
index_field(Stack *stack, const Batch *batch, int p)
{
	StackField *field = &stack->fields[p];
	int			most = (int) (SHARE_VALUES_BELOW * batch->n_rows);
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
	return &stack->tables[stack->prepared->model->shape.field_table[stack->prepared->order[p]]];
}

void
stack_index(Stack *stack, const Batch *batch)
{
	const Prepared *prepared = stack->prepared;
	int			n_ready = prepared->model->shape.n_fields - prepared->n_plain;

	stack->n_shared += (uint64_t) batch->n_rows * n_ready;
	for (int f = 0; f < prepared->model->shape.n_fields; f++)
		stack->common[f] = !prepared->model->shape.field_is_list[f] && is_common(batch, f);
	for (int p = 0; p < prepared->n_plain; p++)
	{
		StackField *field = &stack->fields[p];

		if (!field->ids)
			continue;
		index_field(stack, batch, p);
		if (field->shared)
			stack->n_shared += batch->n_rows - field->n_distinct;
		for (int k = 0; field->shared && k < field->n_distinct; k++)
			stack_vector(table_of(stack, p), &field->ids[k], 1,
						 field->values + (size_t) k * prepared->model->config.embed_dim);
	}
}

void
stack_vector(const RowTensor *table, const uint32_t *members, uint32_t n_members, real *out)
{
	size_t		dim = table->dim;

	if (n_members == 1)
	{
		memcpy(out, table->values + members[0] * dim, dim * sizeof(real));
		return;
	}
	memset(out, 0, dim * sizeof(real));
	for (uint32_t i = 0; i < n_members; i++)
		add_scaled(out, (real) 1 / n_members, table->values + members[i] * dim, dim);
}

void
stack_expect(const Prepared *prepared, const RowTensor *tables, const StackField *fields,
			 const Batch *batch, int row)
{
	const Shape *shape = &prepared->model->shape;

	for (int p = 0; p < prepared->n_plain; p++)
	{
		const RowTensor *table = &tables[shape->field_table[prepared->order[p]]];
		const uint32_t *members;
		uint32_t	n;

		if (fields && fields[p].shared)
			continue;
		n = batch_members(batch, shape, row, prepared->order[p], &members);
		for (uint32_t i = 0; i < n; i++)
			for (int e = 0; e < table->dim; e += 64 / (int) sizeof(real))
				__builtin_prefetch(table->values + (size_t) members[i] * table->dim + e);
	}
}

void
stack_gather(Stack *stack, const Batch *batch, int from, int to)
{
	const Prepared *prepared = stack->prepared;
	size_t		dim = prepared->model->config.embed_dim;

	for (int b = from; b < to; b++)
	{
		if (b + AHEAD < to)
			stack_expect(prepared, stack->tables, stack->fields, batch, b + AHEAD);
		for (int p = 0; p < prepared->n_plain; p++)
		{
			const uint32_t *members;
			uint32_t	n;

			if (stack->fields[p].shared)
				continue;
			n = batch_members(batch, &prepared->model->shape, b, prepared->order[p], &members);
			stack_vector(table_of(stack, p), members, n,
						 stack->x + ((size_t) b * prepared->n_plain + p) * dim);
		}
	}
}

/* Rows gain the products of their values of a shared field. */
static HOT void
add_shared(const StackField *field, real *out, size_t stride, const real *products, int rows,
		   int n)
{
	for (int b = 0; b < rows; b++)
	{
		const real *product = products + (size_t) field->place[b] * n;
		real	   *row = out + b * stride;

		for (int c = 0; c < n; c++)
			row[c] += product[c];
	}
}

/* out[n] = start + the sum of some products: the sum stays in registers, products are read once. */
static HOT void
sum_products(real *out, const real *start, const real *const *products, int n_products, int n)
{
	int			c = 0;

	for (; c + 4 * LANES <= n; c += 4 * LANES)
	{
		const Lanes *from = (const Lanes *) (start + c);
		Lanes	   *to = (Lanes *) (out + c);
		Lanes		a = from[0];
		Lanes		b = from[1];
		Lanes		d = from[2];
		Lanes		e = from[3];

		for (int p = 0; p < n_products; p++)
		{
			const Lanes *product = (const Lanes *) (products[p] + c);

			a += product[0];
			b += product[1];
			d += product[2];
			e += product[3];
		}
		to[0] = a;
		to[1] = b;
		to[2] = d;
		to[3] = e;
	}
	for (; c < n; c++)
	{
		real		sum = start[c];

		for (int p = 0; p < n_products; p++)
			sum += products[p][c];
		out[c] = sum;
	}
}

/* A list's members' products, averaged. */
static HOT void
add_list(const Prepared *prepared, int field, const uint32_t *members, uint32_t n_members,
		 real *out, int first, int n)
{
	real		scale = (real) 1 / n_members;

	for (uint32_t i = 0; i < n_members; i++)
		add_scaled(out, scale, prepared->ready[field] + members[i] * (size_t) prepared->columns.n +
				   first, n);
}

void
stack_start(const Prepared *prepared, const Batch *batch, int row, ReadyFields which,
			const bool *common, const real *start, real *out, int first, int n)
{
	const Shape *shape = &prepared->model->shape;
	const uint32_t *ids = batch->ids + (size_t) row * batch->n_fields;
	const real *products[MOST_PRODUCTS];
	int			n_products = 0;

	for (int i = prepared->n_plain; i < shape->n_fields; i++)
	{
		int			f = prepared->order[i];

		if (shape->field_is_list[f] || (which != READY_ALL && common[f] != (which == READY_COMMON)))
			continue;
		if (n_products == MOST_PRODUCTS)
		{
			sum_products(out, start, products, n_products, n);
			start = out;
			n_products = 0;
		}
		products[n_products++] = prepared->ready[f] + ids[f] * (size_t) prepared->columns.n + first;
	}
	sum_products(out, start, products, n_products, n);
	for (int i = prepared->n_plain; i < shape->n_fields && which != READY_COMMON; i++)
	{
		int			f = prepared->order[i];
		const uint32_t *members;
		uint32_t	n_members;

		if (!shape->field_is_list[f])
			continue;
		n_members = batch_members(batch, shape, row, f, &members);
		add_list(prepared, f, members, n_members, out, first, n);
	}
}

/* What all rows have in common, once: bias, ready fields, and products of the others' one value. */
static void
start_rows(const Stack *stack, const Batch *batch, real *out, int first, int n, real *start)
{
	const Prepared *prepared = stack->prepared;
	size_t		dim = prepared->model->config.embed_dim;

	stack_start(prepared, batch, 0, READY_COMMON, stack->common, prepared->bias + first, start,
				first, n);
	for (int p = 0; p < prepared->n_plain; p++)
		if (stack->common[prepared->order[p]])
			for (size_t i = 0; i < dim; i++)
				add_scaled(start, stack->fields[p].values[i],
						   prepared->weight + (p * dim + i) * prepared->columns.n + first, n);
	for (int b = 0; b < batch->n_rows; b++)
		stack_start(prepared, batch, b, READY_OTHERS, stack->common, start,
					out + (size_t) b * prepared->columns.n, first, n);
}

void
stack_forward(const Stack *stack, const Batch *batch, real *out, int first, int n_columns,
			  real *products, Watch *watch)
{
	const Prepared *prepared = stack->prepared;
	size_t		dim = prepared->model->config.embed_dim;
	int			n = prepared->columns.n;
	int			next;

	out += first;
	start_rows(stack, batch, out, first, n_columns, products);
	for (int p = 0; p < prepared->n_plain; p = next)
	{
		const StackField *field = &stack->fields[p];
		Matrix		weight = {prepared->weight + p * dim * n + first, n};

		for (next = p + 1; !field->shared && next < prepared->n_plain; next++)
			if (stack->fields[next].shared)
				break;
		if (stack->common[prepared->order[p]])
			continue;
		if (!field->shared)
		{
			product_nn((Matrix) {out, n}, 1,
					   (Matrix) {stack->x + p * dim, prepared->n_plain * dim}, weight,
					   batch->n_rows, (next - p) * dim, n_columns, watch);
			continue;
		}
		product_nn((Matrix) {products, n_columns}, 0, (Matrix) {field->values, dim}, weight,
				   field->n_distinct, dim, n_columns, watch);
		add_shared(field, out, n, products, batch->n_rows, n_columns);
	}
}
