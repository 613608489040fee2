/*
 * linear.h
 *	  Matrix products with row-major matrices, and element loops that layers share.
 */
#ifndef AREAD_ENGINE_LINEAR_H
#define AREAD_ENGINE_LINEAR_H

#include "base.h"

/* A row-major matrix inside a larger one: row r starts at data + r * stride. */
typedef struct Matrix
{
	real	   *data;
	int			stride;
} Matrix;

/*
 * Large products are done in slices of rows, between which the watch (NULL:
 * none) may end them.
 */

/* out (rows, n_out) = in (rows, n_in) . weight (n_out, n_in)^T */
extern void linear_forward(Matrix out, Matrix in, const real *weight, int rows,
						   int n_in, int n_out, Watch *watch);
/*
 * d_weight (n_out, n_in) += d_out^T . in
 * d_in (rows, n_in) = keep * d_in + d_out . weight; d_in.data may be NULL
 */
extern void linear_backward(Matrix d_in, real keep, real *d_weight, Matrix d_out,
							Matrix in, const real *weight, int rows, int n_in,
							int n_out, Watch *watch);

/* y[n] += a * x[n] */
static inline void
add_scaled(real *restrict y, real a, const real *restrict x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		y[i] += a * x[i];
}

extern real dot(const real *x, const real *y, size_t n);

#endif							/* AREAD_ENGINE_LINEAR_H */
