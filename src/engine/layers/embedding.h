/*
 * embedding.h
 *	  From ids to x0 (embedding tables); the pairwise term of a factorization machine.
 */
#ifndef AREAD_ENGINE_LAYERS_EMBEDDING_H
#define AREAD_ENGINE_LAYERS_EMBEDDING_H

#include "engine/data/batch.h"
#include "engine/data/row_tensor.h"

/*
 * Loops over lists' members end early once the watch (NULL: none) has stopped.
 */

/*
 * Rows from .. to - 1 of x0 (B, F * dim): a field's vector, of a list the mean
 * of its members' (none: zeros), of a dense field as vectors.h has it.
 */
extern void embedding_forward(real *x0, const RowTensor *tables, const Shape *shape,
							  const Batch *batch, int from, int to, int dim, Watch *watch);
/* Adds a field's part of d_x0 to the gradients of its table's rows; rows_begin() was called. */
extern void embedding_backward(RowTensor *table, const real *d_x0, const Shape *shape,
							   const Batch *batch, int field, int dim, Watch *watch);

/*
 * logit[B] += sum over pairs of fields f < g of x0_f . x0_g (Rendle 2010);
 * sums (B, dim) keeps sum_f x0_f for the backward pass.
 */
extern void pairwise_forward(real *logit, real *sums, const real *x0, int rows,
							 int n_fields, int dim);
/* d_x0 += d_logit * (sum - x0_f) */
extern void pairwise_backward(real *d_x0, const real *d_logit, const real *sums,
							  const real *x0, int rows, int n_fields, int dim);

/* Occurrences of a field's ids in a batch, at most. */
extern size_t batch_occurrences(const Batch *batch, const Shape *shape, int field);

#endif							/* AREAD_ENGINE_LAYERS_EMBEDDING_H */
