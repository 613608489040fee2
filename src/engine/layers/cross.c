/*
 * cross.c
 *	  The cross network, forward and backward.
 */
#include "engine/layers/cross.h"

static real *
layer_output(const Cross *cross, int k)
{
	return cross->x + (size_t) k * cross->capacity * cross->width;
}

real *
cross_output(const Cross *cross)
{
	return layer_output(cross, cross->n_layers - 1);
}

HOT void
cross_forward(Cross *cross, const real *x0, int rows)
{
	size_t		width = cross->width;

	for (int k = 0; k < cross->n_layers; k++)
	{
		const real *below = k > 0 ? layer_output(cross, k - 1) : x0;
		const real *v = cross->weight + k * width;
		const real *bias = cross->bias + k * width;
		real	   *out = layer_output(cross, k);
		real	   *product = cross->product + k * cross->capacity;

		for (int b = 0; b < rows; b++)
		{
			const real *x = below + b * width;

			product[b] = dot(x, v, width);
			for (size_t i = 0; i < width; i++)
				out[b * width + i] = x0[b * width + i] * product[b] + bias[i] + x[i];
		}
	}
}

HOT void
cross_backward(const Cross *cross, real *d_x0, real *d_weight, real *d_bias, real *d,
			   const real *x0, int rows)
{
	size_t		width = cross->width;

	for (int k = cross->n_layers - 1; k >= 0; k--)
	{
		const real *below = k > 0 ? layer_output(cross, k - 1) : x0;
		const real *v = cross->weight + k * width;
		const real *product = cross->product + k * cross->capacity;

		for (int b = 0; b < rows; b++)
		{
			real	   *d_row = d + b * width;
			real		d_product = dot(d_row, x0 + b * width, width);

			add_scaled(d_bias + k * width, 1, d_row, width);
			add_scaled(d_x0 + b * width, product[b], d_row, width);
			add_scaled(d_weight + k * width, d_product, below + b * width, width);
			add_scaled(d_row, d_product, v, width);
		}
	}
	for (int b = 0; b < rows; b++)
		add_scaled(d_x0 + b * width, 1, d + b * width, width);
}
