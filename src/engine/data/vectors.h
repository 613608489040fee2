/*
 * vectors.h
 *	  Values of dense fields: numbers times rows of the field's table.
 *
 * dataset.h says how they are stored.  Members are a list's, n of them; without
 * a vector n is 1, and there are no numbers.
 */
#ifndef AREAD_ENGINE_DATA_VECTORS_H
#define AREAD_ENGINE_DATA_VECTORS_H

#include "engine/data/batch.h"
#include "engine/data/row_tensor.h"

/* The vector's product with weights [n_rows] of the table's rows: one each. */
extern real vector_dot(const uint32_t *members, size_t n, const real *weights);
/* sums [n_rows] += scale * number, and += scale at the first member. */
extern void vector_add(const uint32_t *members, size_t n, double scale, double *sums);
/* sums [n_rows] += scale * number^2, likewise. */
extern void vector_add_squares(const uint32_t *members, size_t n, double scale, double *sums);

/* out[dim] = the sum of the table's rows (n_rows, dim), each times its number. */
extern void vector_embed(real *out, const real *table, const uint32_t *members, size_t n, int dim);
/* Adds a dense field's part of d_x0 (B, F * dim) to its table's gradients; rows_begin() was called. */
extern void vectors_backward(RowTensor *table, const real *d_x0, const Shape *shape,
							 const Batch *batch, int field);

#endif							/* AREAD_ENGINE_DATA_VECTORS_H */
