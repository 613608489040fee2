/*
 * embedding.h
 *	  From ids to x0: the fields' vectors out of embedding tables.
 */
#ifndef AREAD_ENGINE_LAYERS_EMBEDDING_H
#define AREAD_ENGINE_LAYERS_EMBEDDING_H

#include "engine/layers/plan.h"

/* The tables "embedding.<t>"; returns the slot of x0 (B, 1, W).  Every network's first layer. */
extern int	plan_embedding(NetworkPlan *plan);
/*
 * The model's row tensors [n_rows], embedding tables first; only with "training"
 * room for gradients.
 */
extern RowTensor *tables_bind(const Model *model, bool training, Arena *arena);

/*
 * Loops over lists' members end early once the watch (NULL: none) has stopped.
 */

/* out[dim] = the vector of a value: of a list its members' mean, of a dense field as vectors.h has it. */
extern void embedding_value(const RowTensor *table, bool dense, const uint32_t *members,
							uint32_t n_members, real *out, Watch *watch);
/*
 * Rows from .. to - 1 of x0 (B, F * dim): the fields' vectors; of an empty list zeros.
 */
extern void embedding_forward(real *x0, const RowTensor *tables, const Shape *shape,
							  const Batch *batch, int from, int to, int dim, Watch *watch);
/* Adds a field's part of d_x0 to the gradients of its table's rows; rows_begin() was called. */
extern void embedding_backward(RowTensor *table, const real *d_x0, const Shape *shape,
							   const Batch *batch, int field, int dim, Watch *watch);

/* Occurrences of a field's ids in a batch, at most. */
extern size_t batch_occurrences(const Batch *batch, const Shape *shape, int field);

#endif							/* AREAD_ENGINE_LAYERS_EMBEDDING_H */
