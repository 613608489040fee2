/*
 * first_layer.h
 *	  The first layer over x0, field by field.
 *
 * x0 is the fields' vectors side by side, so its product with a weight is a
 * sum over fields.  Of a field that has few distinct values in a batch each
 * value's product is computed once, and rows gather theirs and add; backward
 * the gradients of rows with the same value are summed first.  The result is
 * the same but for the order of sums.
 */
#ifndef AREAD_ENGINE_LAYERS_FIRST_LAYER_H
#define AREAD_ENGINE_LAYERS_FIRST_LAYER_H

#include "engine/data/batch.h"
#include "engine/base/linear.h"
#include "engine/data/row_tensor.h"
#include "engine/layers/workers.h"

/* A field whose distinct values are multiplied, and those of the present batch. */
typedef struct SharedField
{
	int			field;
	size_t		start;			/* where its values begin among all fields' */
	uint32_t	n_distinct;
	uint32_t   *ids;			/* [n_distinct] */
	uint32_t   *place;			/* [B] a row's value among them */
	uint32_t   *place_of;		/* [table's rows]: valid where ids[place_of[id]] == id */
} SharedField;

/* Fields side by side that are multiplied row by row. */
typedef struct FieldRun
{
	int			first;
	int			n;
} FieldRun;

typedef struct Fields
{
	const Shape *shape;
	int			dim;			/* E */
	int			width;			/* W */
	int			n_shared;
	SharedField *shared;
	int			n_runs;
	FieldRun   *runs;
	size_t		capacity;		/* of the next two: distinct values of a batch at most */
	size_t		n_distinct;
	real	   *values;			/* (n_distinct, E): their vectors */
	int			n_products;		/* what is multiplied with x0: groups of layers */
	real	   *d_values;		/* (n_products, capacity, E): the vectors' gradients by each */
} Fields;

/*
 * Which fields to share: those that are no list, and in a batch of so many
 * training rows have distinct values for less than SHARE_BELOW of them, as
 * counts [n_tables] of training rows let expect.
 */
#define SHARE_BELOW 0.6
extern void fields_choose(const Shape *shape, uint32_t *const *counts, int batch_rows,
						  bool *shared);

/* For n_products with batches of up to "rows" rows; shared [n_fields], NULL: none. */
extern bool fields_init(Fields *fields, const Shape *shape, int dim, int rows,
						const bool *shared, int n_products, Arena *arena, EngineError *error);
/* The distinct values of a batch and their vectors. */
extern void fields_index(Fields *fields, const RowTensor *tables, const Batch *batch);

/* out (rows, n_out) = x0 (rows, W) . weight (n_out, W)^T */
extern void fields_forward(const Fields *fields, real *out, const real *x0, const real *weight,
						   int rows, int n_out, Scratch *scratch);
/*
 * d_weight (n_out, W) += d_out (rows, n_out)^T . x0; of shared fields also the
 * values' gradients, as those of that product.
 */
extern void fields_backward(const Fields *fields, real *d_weight, int product,
							const real *d_out, const real *x0, const real *weight, int rows,
							int n_out, Scratch *scratch);
/* The other fields': rows from .. to - 1 of d_x0 (rows, W) += d_out . weight. */
extern void fields_backward_rows(const Fields *fields, real *d_x0, const real *d_out,
								 const real *weight, int from, int to, int n_out,
								 Watch *watch);
/* A shared field's gradients, of all products, to the rows that the batch touched. */
extern void fields_add_values(const Fields *fields, int field, RowTensor *table);

#endif							/* AREAD_ENGINE_LAYERS_FIRST_LAYER_H */
