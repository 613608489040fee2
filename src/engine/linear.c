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

void
linear_forward(Matrix out, Matrix in, const real *weight, int rows, int n_in, int n_out)
{
	gemm(CblasRowMajor, CblasNoTrans, CblasTrans, rows, n_out, n_in, 1, in.data,
		 in.stride, weight, n_in, 0, out.data, out.stride);
}

void
linear_backward(Matrix d_in, real keep, real *d_weight, Matrix d_out, Matrix in,
				const real *weight, int rows, int n_in, int n_out)
{
	gemm(CblasRowMajor, CblasTrans, CblasNoTrans, n_out, n_in, rows, 1, d_out.data,
		 d_out.stride, in.data, in.stride, 1, d_weight, n_in);
	if (d_in.data)
		gemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, n_in, n_out, 1,
			 d_out.data, d_out.stride, weight, n_in, keep, d_in.data, d_in.stride);
}

real
dot(const real *x, const real *y, size_t n)
{
	return blas_dot(n, x, 1, y, 1);
}
