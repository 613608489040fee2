/*
 * gate.c
 *	  Softmax gates and mixtures, forward and backward.
 */
#include "engine/layers/gate.h"

#include <math.h>
#include <string.h>

#include "engine/base/linear.h"

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

HOT void
mix_forward(real *h, const real *gates, real *const *e, int from, int to, int n_out, int n_in,
			int dim)
{
	memset(h + (size_t) from * n_out * dim, 0,
		   (size_t) (to - from) * n_out * dim * sizeof(real));
	for (size_t b = from; b < (size_t) to; b++)
		for (int n = 0; n < n_out; n++)
			for (int m = 0; m < n_in; m++)
				add_scaled(h + (b * n_out + n) * dim, gates[(b * n_out + n) * n_in + m],
						   e[m] + b * dim, dim);
}

HOT void
mix_backward(real *d_gates, real *const *d_e, const real *d_h, const real *gates,
			 real *const *e, int from, int to, int n_out, int n_in, int dim)
{
	for (int m = 0; m < n_in; m++)
		memset(d_e[m] + (size_t) from * dim, 0, (size_t) (to - from) * dim * sizeof(real));
	for (size_t b = from; b < (size_t) to; b++)
		for (int n = 0; n < n_out; n++)
			for (int m = 0; m < n_in; m++)
			{
				size_t		gate = (b * n_out + n) * n_in + m;
				const real *d_row = d_h + (b * n_out + n) * dim;
				const real *e_row = e[m] + b * dim;
				real		sum = 0;

				for (int i = 0; i < dim; i++)
					sum += d_row[i] * e_row[i];
				d_gates[gate] = sum;
				add_scaled(d_e[m] + b * dim, gates[gate], d_row, dim);
			}
}
