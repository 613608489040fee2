/*
 * linear.c
 *	  Matrix products.
 */
#include "linear.h"

#include <cblas.h>

#ifdef AREAD_DOUBLE
#define gemm cblas_dgemm
#define blas_dot cblas_ddot
#else
#define gemm cblas_sgemm
#define blas_dot cblas_sdot
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
linear_forward(Matrix out, Matrix in, const real *weight, int rows, int n_in, int n_out,
			   Watch *watch)
{
	int			slice = slice_rows(rows, n_in, n_out);

	for (int r = 0; r < rows && !watch_stopped(watch); r += slice)
		gemm(CblasRowMajor, CblasNoTrans, CblasTrans, r + slice < rows ? slice : rows - r, n_out,
			 n_in, 1, in.data + (size_t) r * in.stride, in.stride, weight, n_in, 0,
			 out.data + (size_t) r * out.stride, out.stride);
}

void
linear_backward(Matrix d_in, real keep, real *d_weight, Matrix d_out, Matrix in,
				const real *weight, int rows, int n_in, int n_out, Watch *watch)
{
	int			slice = slice_rows(rows, n_in, n_out);

	for (int r = 0; r < rows && !watch_stopped(watch); r += slice)
	{
		int			n = r + slice < rows ? slice : rows - r;
		const real *d = d_out.data + (size_t) r * d_out.stride;

		gemm(CblasRowMajor, CblasTrans, CblasNoTrans, n_out, n_in, n, 1, d, d_out.stride,
			 in.data + (size_t) r * in.stride, in.stride, 1, d_weight, n_in);
		if (d_in.data)
			gemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, n_in, n_out, 1, d,
				 d_out.stride, weight, n_in, keep, d_in.data + (size_t) r * d_in.stride,
				 d_in.stride);
	}
}

real
dot(const real *x, const real *y, size_t n)
{
	return blas_dot(n, x, 1, y, 1);
}
