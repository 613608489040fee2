/*
 * embedding.c
 *	  Embedding tables, pairwise term: forward and backward.
 */
#include "engine/layers/embedding.h"

#include <string.h>

#include "engine/base/linear.h"
#include "engine/data/vectors.h"

/* So many rows ahead memory is fetched for a row. */
#define AHEAD 8

/* Vectors that a row will add up. */
static inline void
prefetch_vectors(const RowTensor *tables, const Shape *shape, const Batch *batch, int b, int dim)
{
	for (int f = 0; f < shape->n_fields; f++)
	{
		const real *values = tables[shape->field_table[f]].values;
		const uint32_t *members;
		uint32_t	n = batch_members(batch, shape, b, f, &members);

		for (uint32_t i = 0; i < n && i < WATCH_MEMBERS && !shape_is_dense(shape, f); i++)
			for (int e = 0; e < dim; e += 64 / (int) sizeof(real))
				__builtin_prefetch(values + (size_t) members[i] * dim + e);
	}
}

void
embedding_forward(real *x0, const RowTensor *tables, const Shape *shape,
				  const Batch *batch, int from, int to, int dim, Watch *watch)
{
	for (int b = from; b < to; b++)
	{
		if (b + AHEAD < to)
			prefetch_vectors(tables, shape, batch, b + AHEAD, dim);
		for (int f = 0; f < shape->n_fields; f++)
		{
			const real *values = tables[shape->field_table[f]].values;
			real	   *out = x0 + ((size_t) b * shape->n_fields + f) * dim;
			const uint32_t *members;
			uint32_t	n = batch_members(batch, shape, b, f, &members);

			if (shape_is_dense(shape, f))
			{
				vector_embed(out, values, members, n, dim);
				continue;
			}
			if (n == 1)
			{
				memcpy(out, values + (size_t) members[0] * dim, dim * sizeof(real));
				continue;
			}
			memset(out, 0, dim * sizeof(real));
			for (uint32_t i = 0; i < n; i++)
			{
				if (i % WATCH_MEMBERS == 0 && watch_worked(watch, (size_t) WATCH_MEMBERS * dim))
					return;
				add_scaled(out, (real) 1 / n, values + (size_t) members[i] * dim, dim);
			}
		}
	}
}

/* The slots that a row will look for. */
static inline void
prefetch_slots(const RowTensor *table, const Shape *shape, const Batch *batch, int b, int field)
{
	const uint32_t *members;
	uint32_t	n = batch_members(batch, shape, b, field, &members);

	for (uint32_t i = 0; i < n && i < WATCH_MEMBERS; i++)
		__builtin_prefetch(&table->slot_of[members[i]]);
}

void
embedding_backward(RowTensor *table, const real *d_x0, const Shape *shape, const Batch *batch,
				   int field, int dim, Watch *watch)
{
	if (shape_is_dense(shape, field))
	{
		vectors_backward(table, d_x0, shape, batch, field);
		return;
	}
	for (int b = 0; b < batch->n_rows; b++)
	{
		const real *d = d_x0 + ((size_t) b * shape->n_fields + field) * dim;
		const uint32_t *members;
		uint32_t	n = batch_members(batch, shape, b, field, &members);

		if (b + AHEAD < batch->n_rows)
			prefetch_slots(table, shape, batch, b + AHEAD, field);
		for (uint32_t i = 0; i < n; i++)
		{
			if (i % WATCH_MEMBERS == 0 && watch_worked(watch, (size_t) WATCH_MEMBERS * dim))
				return;
			add_scaled(rows_touch(table, members[i]), (real) 1 / n, d, dim);
		}
	}
}

void
pairwise_forward(real *logit, real *sums, const real *x0, int rows, int n_fields, int dim)
{
	for (int b = 0; b < rows; b++)
	{
		const real *x = x0 + (size_t) b * n_fields * dim;
		real	   *sum = sums + (size_t) b * dim;
		real		squares = 0;
		real		square_of_sum = 0;

		memset(sum, 0, dim * sizeof(real));
		for (int f = 0; f < n_fields; f++)
			for (int e = 0; e < dim; e++)
			{
				sum[e] += x[f * dim + e];
				squares += x[f * dim + e] * x[f * dim + e];
			}
		for (int e = 0; e < dim; e++)
			square_of_sum += sum[e] * sum[e];
		logit[b] += (square_of_sum - squares) / 2;
	}
}

void
pairwise_backward(real *d_x0, const real *d_logit, const real *sums, const real *x0,
				  int rows, int n_fields, int dim)
{
	for (int b = 0; b < rows; b++)
	{
		const real *sum = sums + (size_t) b * dim;

		for (int f = 0; f < n_fields; f++)
		{
			size_t		at = ((size_t) b * n_fields + f) * dim;

			for (int e = 0; e < dim; e++)
				d_x0[at + e] += d_logit[b] * (sum[e] - x0[at + e]);
		}
	}
}

size_t
batch_occurrences(const Batch *batch, const Shape *shape, int field)
{
	size_t		n = 0;

	if (!shape->field_is_list[field])
		return batch->n_rows;
	if (shape_is_dense(shape, field))
		return shape->table_rows[shape->field_table[field]];
	for (int b = 0; b < batch->n_rows; b++)
	{
		const uint32_t *members;

		n += batch_members(batch, shape, b, field, &members);
	}
	return n;
}
