/*
 * vectors.c
 *	  Values of dense fields: numbers times rows of the field's table.
 */
#include "engine/data/vectors.h"

#include <string.h>

#include "engine/base/linear.h"

HOT real
vector_dot(const uint32_t *members, size_t n, const real *weights)
{
	const uint32_t *numbers = members + 1;
	const real *w = weights + FIRST_ID;
	real		sums[LANES] = {0};
	real		sum = weights[members[0]];
	size_t		i = 0;

	for (; i + LANES <= n - 1; i += LANES)
		for (int lane = 0; lane < LANES; lane++)
			sums[lane] += vector_number(numbers[i + lane]) * w[i + lane];
	for (int lane = 0; lane < LANES; lane++)
		sum += sums[lane];
	for (; i < n - 1; i++)
		sum += vector_number(numbers[i]) * w[i];
	return sum;
}

HOT void
vector_add(const uint32_t *members, size_t n, double scale, double *restrict sums)
{
	sums[members[0]] += scale;
	for (size_t i = 1; i < n; i++)
		sums[FIRST_ID + i - 1] += scale * vector_number(members[i]);
}

HOT void
vector_add_squares(const uint32_t *members, size_t n, double scale, double *restrict sums)
{
	sums[members[0]] += scale;
	for (size_t i = 1; i < n; i++)
	{
		double		x = vector_number(members[i]);

		sums[FIRST_ID + i - 1] += scale * x * x;
	}
}

HOT void
vector_embed(real *out, const real *table, const uint32_t *members, size_t n, int dim)
{
	memcpy(out, table + (size_t) members[0] * dim, dim * sizeof(real));
	for (size_t i = 1; i < n; i++)
		add_scaled(out, vector_number(members[i]), table + (FIRST_ID + i - 1) * dim, dim);
}

/* grads (n, dim) += numbers [n] times d [dim] */
static HOT void
add_outer(real *grads, const uint32_t *numbers, const real *d, size_t n, int dim)
{
	for (size_t i = 0; i < n; i++)
		add_scaled(grads + i * dim, vector_number(numbers[i]), d, dim);
}

/*
 * The slots of all components, which follow each other: no other field has the
 * table, so they are all new or all there.  Returns the first.
 */
static uint32_t
component_slots(RowTensor *table)
{
	uint32_t	first = rows_slot(table, FIRST_ID);

	for (uint32_t row = FIRST_ID + 1; row < table->n_rows; row++)
		(void) rows_slot(table, row);
	return first;
}

void
vectors_backward(RowTensor *table, const real *d_x0, const Shape *shape, const Batch *batch,
				 int field)
{
	int			dim = table->dim;
	uint32_t	n_numbers = table->n_rows - FIRST_ID;
	uint32_t	first = 0;
	uint32_t	n_vectors = 0;

	for (int b = 0; b < batch->n_rows; b++)
	{
		const real *d = d_x0 + ((size_t) b * shape->n_fields + field) * dim;
		const uint32_t *members;
		uint32_t	n = batch_members(batch, shape, b, field, &members);

		add_scaled(rows_touch(table, members[0]), 1, d, dim);
		if (n == 1)
			continue;
		if (n_vectors++ == 0)
			first = component_slots(table);
		add_outer(table->grads + (size_t) first * dim, members + 1, d, n_numbers, dim);
	}
	for (uint32_t i = 0; i < n_numbers && n_vectors > 0; i++)
		table->occurrences[first + i] += n_vectors;
}
