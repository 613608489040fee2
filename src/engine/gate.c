/*
 * gate.c
 *	  Softmax gates and mixtures, forward and backward.
 */
#include "gate.h"

#include <math.h>
#include <string.h>

#include "linear.h"

void
softmax_forward(real *logits, size_t groups, int n)
{
	for (size_t g = 0; g < groups; g++)
	{
		real	   *x = logits + g * n;
		real		max = x[0];
		real		sum = 0;

		for (int i = 1; i < n; i++)
			max = x[i] > max ? x[i] : max;
		for (int i = 0; i < n; i++)
		{
			x[i] = exp(x[i] - max);
			sum += x[i];
		}
		for (int i = 0; i < n; i++)
			x[i] /= sum;
	}
}

void
softmax_backward(real *d, const real *gates, size_t groups, int n)
{
	for (size_t g = 0; g < groups; g++)
	{
		real	   *d_row = d + g * n;
		const real *p = gates + g * n;
		real		mean = 0;

		for (int i = 0; i < n; i++)
			mean += d_row[i] * p[i];
		for (int i = 0; i < n; i++)
			d_row[i] = p[i] * (d_row[i] - mean);
	}
}

void
mix_forward(real *h, const real *gates, const real *e, int rows, int n_out, int n_in,
			int dim)
{
	memset(h, 0, (size_t) rows * n_out * dim * sizeof(real));
	for (size_t b = 0; b < (size_t) rows; b++)
		for (int n = 0; n < n_out; n++)
			for (int m = 0; m < n_in; m++)
				add_scaled(h + (b * n_out + n) * dim, gates[(b * n_out + n) * n_in + m],
						   e + (b * n_in + m) * dim, dim);
}

void
mix_backward(real *d_gates, real *d_e, const real *d_h, const real *gates, const real *e,
			 int rows, int n_out, int n_in, int dim)
{
	memset(d_e, 0, (size_t) rows * n_in * dim * sizeof(real));
	for (size_t b = 0; b < (size_t) rows; b++)
		for (int n = 0; n < n_out; n++)
			for (int m = 0; m < n_in; m++)
			{
				size_t		gate = (b * n_out + n) * n_in + m;
				const real *d_row = d_h + (b * n_out + n) * dim;

				d_gates[gate] = dot(d_row, e + (b * n_in + m) * dim, dim);
				add_scaled(d_e + (b * n_in + m) * dim, gates[gate], d_row, dim);
			}
}
