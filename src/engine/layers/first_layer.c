/*
 * first_layer.c
 *	  The first layer over x0, field by field.
 */
#include "engine/layers/first_layer.h"

#include <math.h>
#include <string.h>

void
fields_choose(const Shape *shape, uint32_t *const *counts, int batch_rows, bool *shared)
{
	for (int f = 0; f < shape->n_fields; f++)
	{
		uint32_t	table = shape->field_table[f];
		double		total = 0;
		double		distinct = 0;

		for (uint32_t id = 0; id < shape->table_rows[table]; id++)
			total += counts[table][id];
		for (uint32_t id = 0; id < shape->table_rows[table]; id++)
			distinct += 1 - exp(-batch_rows * (counts[table][id] / fmax(total, 1)));
		shared[f] = !shape->field_is_list[f] && distinct < SHARE_BELOW * batch_rows;
	}
}

static void
init_shared(Fields *fields, int field, int rows, Arena *arena)
{
	uint32_t	table_rows = shape_rows(fields->shape, field);
	uint32_t	most = table_rows < (uint32_t) rows ? table_rows : (uint32_t) rows;
	SharedField *shared = &fields->shared[fields->n_shared++];

	shared->field = field;
	shared->ids = ARENA_ARRAY(arena, uint32_t, most);
	shared->place = ARENA_ARRAY(arena, uint32_t, rows);
	shared->place_of = ARENA_ARRAY(arena, uint32_t, table_rows);
	fields->capacity += most;
}

bool
fields_init(Fields *fields, const Shape *shape, int dim, int rows, const bool *shared,
			int n_products, Arena *arena, EngineError *error)
{
	*fields = (Fields) {.shape = shape,.dim = dim,.width = shape->n_fields * dim,
		.n_products = n_products};
	fields->shared = ARENA_ARRAY(arena, SharedField, shape->n_fields);
	fields->runs = ARENA_ARRAY(arena, FieldRun, shape->n_fields);
	if (!arena_ok(arena, error))
		return false;
	for (int f = 0; f < shape->n_fields; f++)
	{
		FieldRun   *last = fields->n_runs > 0 ? &fields->runs[fields->n_runs - 1] : NULL;

		if (shared && shared[f])
			init_shared(fields, f, rows, arena);
		else if (last && last->first + last->n == f)
			last->n++;
		else
			fields->runs[fields->n_runs++] = (FieldRun) {.first = f,.n = 1};
	}
	fields->values = ARENA_ARRAY(arena, real, fields->capacity * dim);
	fields->d_values = ARENA_ARRAY(arena, real, fields->capacity * dim * n_products);
	return arena_ok(arena, error);
}

static void
index_field(SharedField *shared, const Batch *batch)
{
	shared->n_distinct = 0;
	for (int b = 0; b < batch->n_rows; b++)
	{
		uint32_t	id = batch->ids[(size_t) b * batch->n_fields + shared->field];
		uint32_t	place = shared->place_of[id];

		if (place >= shared->n_distinct || shared->ids[place] != id)
		{
			place = shared->place_of[id] = shared->n_distinct++;
			shared->ids[place] = id;
		}
		shared->place[b] = place;
	}
}

void
fields_index(Fields *fields, const RowTensor *tables, const Batch *batch)
{
	fields->n_distinct = 0;
	for (int i = 0; i < fields->n_shared; i++)
	{
		SharedField *shared = &fields->shared[i];
		const real *table = tables[fields->shape->field_table[shared->field]].values;

		index_field(shared, batch);
		shared->start = fields->n_distinct;
		fields->n_distinct += shared->n_distinct;
		for (uint32_t k = 0; k < shared->n_distinct; k++)
			memcpy(fields->values + (shared->start + k) * fields->dim,
				   table + (size_t) shared->ids[k] * fields->dim, fields->dim * sizeof(real));
	}
}

/* Rows of a weight's columns that belong to a field. */
static real *
columns(const Fields *fields, const real *weight, int field)
{
	return (real *) weight + (size_t) field * fields->dim;
}

/* out (rows, n_out) gains each row's values' products. */
static HOT void
gather(const Fields *fields, real *restrict out, const real *restrict products, int rows,
	   int n_out, Watch *watch)
{
	for (int b = 0; b < rows; b++)
	{
		real	   *row = out + (size_t) b * n_out;

		if (watch_worked(watch, (size_t) fields->n_shared * n_out))
			return;
		for (int i = 0; i < fields->n_shared; i++)
		{
			const SharedField *shared = &fields->shared[i];
			const real *product = products + (shared->start + shared->place[b]) * n_out;

			for (int c = 0; c < n_out; c++)
				row[c] += product[c];
		}
	}
}

/* The counterpart: each value's sum gains its rows' gradients. */
static HOT void
scatter(const Fields *fields, real *restrict sums, const real *restrict d_out, int rows,
		int n_out, Watch *watch)
{
	for (int b = 0; b < rows; b++)
	{
		const real *row = d_out + (size_t) b * n_out;

		if (watch_worked(watch, (size_t) fields->n_shared * n_out))
			return;
		for (int i = 0; i < fields->n_shared; i++)
		{
			const SharedField *shared = &fields->shared[i];
			real	   *sum = sums + (shared->start + shared->place[b]) * n_out;

			for (int c = 0; c < n_out; c++)
				sum[c] += row[c];
		}
	}
}

void
fields_forward(const Fields *fields, real *out, const real *x0, const real *weight, int rows,
			   int n_out, Scratch *scratch)
{
	if (fields->n_runs == 0)
		memset(out, 0, (size_t) rows * n_out * sizeof(real));
	for (int i = 0; i < fields->n_runs; i++)
	{
		const FieldRun *run = &fields->runs[i];

		product_nt((Matrix) {out, n_out}, i > 0,
				   (Matrix) {columns(fields, x0, run->first), fields->width},
				   (Matrix) {columns(fields, weight, run->first), fields->width}, rows,
				   run->n * fields->dim, n_out, scratch->watch);
	}
	for (int i = 0; i < fields->n_shared; i++)
	{
		const SharedField *shared = &fields->shared[i];

		product_nt((Matrix) {scratch->products + shared->start * n_out, n_out}, 0,
				   (Matrix) {fields->values + shared->start * fields->dim, fields->dim},
				   (Matrix) {columns(fields, weight, shared->field), fields->width},
				   shared->n_distinct, fields->dim, n_out, scratch->watch);
	}
	gather(fields, out, scratch->products, rows, n_out, scratch->watch);
}

void
fields_backward(const Fields *fields, real *d_weight, int product, const real *d_out,
				const real *x0, const real *weight, int rows, int n_out, Scratch *scratch)
{
	real	   *d_values = fields->d_values + fields->capacity * fields->dim * product;

	for (int i = 0; i < fields->n_runs; i++)
	{
		const FieldRun *run = &fields->runs[i];

		product_tn((Matrix) {columns(fields, d_weight, run->first), fields->width},
				   (Matrix) {(real *) d_out, n_out},
				   (Matrix) {columns(fields, x0, run->first), fields->width}, rows,
				   n_out, run->n * fields->dim, scratch->watch);
	}
	memset(scratch->products, 0, fields->n_distinct * n_out * sizeof(real));
	scatter(fields, scratch->products, d_out, rows, n_out, scratch->watch);
	for (int i = 0; i < fields->n_shared; i++)
	{
		const SharedField *shared = &fields->shared[i];
		Matrix		sums = {scratch->products + shared->start * n_out, n_out};

		product_tn((Matrix) {columns(fields, d_weight, shared->field), fields->width}, sums,
				   (Matrix) {fields->values + shared->start * fields->dim, fields->dim},
				   shared->n_distinct, n_out, fields->dim, scratch->watch);
		product_nn((Matrix) {d_values + shared->start * fields->dim, fields->dim}, 0, sums,
				   (Matrix) {columns(fields, weight, shared->field), fields->width},
				   shared->n_distinct, n_out, fields->dim, scratch->watch);
	}
}

void
fields_backward_rows(const Fields *fields, real *d_x0, const real *d_out, const real *weight,
					 int from, int to, int n_out, Watch *watch)
{
	for (int i = 0; i < fields->n_runs; i++)
	{
		const FieldRun *run = &fields->runs[i];

		product_nn((Matrix) {columns(fields, d_x0, run->first) + (size_t) from * fields->width,
			fields->width}, 1,
				   (Matrix) {(real *) d_out + (size_t) from * n_out, n_out},
				   (Matrix) {columns(fields, weight, run->first), fields->width}, to - from,
				   n_out, run->n * fields->dim, watch);
	}
}

void
fields_add_values(const Fields *fields, int field, RowTensor *table)
{
	for (int i = 0; i < fields->n_shared; i++)
	{
		const SharedField *shared = &fields->shared[i];

		for (uint32_t k = 0; shared->field == field && k < shared->n_distinct; k++)
		{
			real	   *grad = table->grads + (size_t) rows_slot(table, shared->ids[k]) * table->dim;

			for (int p = 0; p < fields->n_products; p++)
				add_scaled(grad, 1, fields->d_values +
						   (fields->capacity * p + shared->start + k) * fields->dim, fields->dim);
		}
	}
}
