/*
 * linear.h
 *	  Matrix products with row-major matrices, and element loops that layers share.
 */
#ifndef AREAD_ENGINE_BASE_LINEAR_H
#define AREAD_ENGINE_BASE_LINEAR_H

#include "engine/base/base.h"

/* A row-major matrix inside a larger one: row r starts at data + r * stride. */
typedef struct Matrix
{
	real	   *data;
	int			stride;
} Matrix;

/* Sums side by side, as many as the widest registers hold. */
#define LANES (64 / (int) sizeof(real))

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

/*
 * The three products that these are made of, on matrices of any stride; with
 * "keep" (0 or 1) times what is there.
 */
/* out (rows, n_out) = a (rows, n_in) . b (n_out, n_in)^T */
extern void product_nt(Matrix out, real keep, Matrix a, Matrix b, int rows, int n_in, int n_out,
					   Watch *watch);
/* out (rows, n_out) = a (rows, n_in) . b (n_in, n_out) */
extern void product_nn(Matrix out, real keep, Matrix a, Matrix b, int rows, int n_in, int n_out,
					   Watch *watch);
/* out (n_a, n_b) += a (rows, n_a)^T . b (rows, n_b) */
extern void product_tn(Matrix out, Matrix a, Matrix b, int rows, int n_a, int n_b,
					   Watch *watch);

/* y[n] += a * x[n] */
static inline void
add_scaled(real *restrict y, real a, const real *restrict x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		y[i] += a * x[i];
}

extern real dot(const real *x, const real *y, size_t n);

#endif							/* AREAD_ENGINE_BASE_LINEAR_H */
