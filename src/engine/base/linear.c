/*
 * linear.c
 *	  Matrix products.
 */
#include "engine/base/linear.h"

#include <cblas.h>

#ifdef AREAD_DOUBLE
#define gemm cblas_dgemm
#else
#define gemm cblas_sgemm
#endif

/*
 * Rows of one call to the BLAS, which cannot be interrupted: some 2e9
 * multiply-adds, tens of milliseconds.
 */
static int
slice_rows(int rows, int n_in, int n_out)
{
	size_t		slice = (size_t) 2e9 / ((size_t) n_in * n_out) + 1;

	return slice < (size_t) rows ? (int) slice : rows;
}

void
product_nt(Matrix out, real keep, Matrix a, Matrix b, int rows, int n_in, int n_out,
		   Watch *watch)
{
	int			slice = slice_rows(rows, n_in, n_out);

	for (int r = 0; r < rows && !watch_stopped(watch); r += slice)
		gemm(CblasRowMajor, CblasNoTrans, CblasTrans, r + slice < rows ? slice : rows - r, n_out,
			 n_in, 1, a.data + (size_t) r * a.stride, a.stride, b.data, b.stride, keep,
			 out.data + (size_t) r * out.stride, out.stride);
}

void
product_nn(Matrix out, real keep, Matrix a, Matrix b, int rows, int n_in, int n_out,
		   Watch *watch)
{
	int			slice = slice_rows(rows, n_in, n_out);

	for (int r = 0; r < rows && !watch_stopped(watch); r += slice)
		gemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, r + slice < rows ? slice : rows - r, n_out,
			 n_in, 1, a.data + (size_t) r * a.stride, a.stride, b.data, b.stride, keep,
			 out.data + (size_t) r * out.stride, out.stride);
}

void
product_tn(Matrix out, Matrix a, Matrix b, int rows, int n_a, int n_b, Watch *watch)
{
	int			slice = slice_rows(rows, n_a, n_b);

	for (int r = 0; r < rows && !watch_stopped(watch); r += slice)
		gemm(CblasRowMajor, CblasTrans, CblasNoTrans, n_a, n_b, r + slice < rows ? slice : rows - r,
			 1, a.data + (size_t) r * a.stride, a.stride, b.data + (size_t) r * b.stride,
			 b.stride, 1, out.data, out.stride);
}

void
linear_forward(Matrix out, Matrix in, const real *weight, int rows, int n_in, int n_out,
			   Watch *watch)
{
	product_nt(out, 0, in, (Matrix) {(real *) weight, n_in}, rows, n_in, n_out, watch);
}

void
linear_backward(Matrix d_in, real keep, real *d_weight, Matrix d_out, Matrix in,
				const real *weight, int rows, int n_in, int n_out, Watch *watch)
{
	product_tn((Matrix) {d_weight, n_in}, d_out, in, rows, n_out, n_in, watch);
	if (d_in.data)
		product_nn(d_in, keep, d_out, (Matrix) {(real *) weight, n_in}, rows, n_out, n_in, watch);
}

HOT real
dot(const real *x, const real *y, size_t n)
{
	real		sums[LANES] = {0};
	real		sum = 0;
	size_t		i = 0;

	for (; i + LANES <= n; i += LANES)
		for (int lane = 0; lane < LANES; lane++)
			sums[lane] += x[i + lane] * y[i + lane];
	for (int lane = 0; lane < LANES; lane++)
		sum += sums[lane];
	for (; i < n; i++)
		sum += x[i] * y[i];
	return sum;
}
