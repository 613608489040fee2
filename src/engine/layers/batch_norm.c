/*
 * batch_norm.c
 *	  Loops over matrices with something for each column.
 */
#include "engine/layers/batch_norm.h"

#include <string.h>

/* Columns of a wide row. */
#define WIDE 64

/* Rows that make a wide one; 1 where they do not fit it, or need not. */
static int
rows_at_once(int width)
{
	return width < WIDE && WIDE % width == 0 ? WIDE / width : 1;
}

/* Values of the columns of a wide row; themselves, if that is a row. */
static const real *
repeat(real *wide, const real *values, int width, int times)
{
	if (times <= 1)
		return values;
	for (int k = 0; k < times; k++)
		memcpy(wide + k * width, values, width * sizeof(real));
	return wide;
}

/* Sums of a wide row's columns to those of the columns. */
static void
fold(real *sum, const real *wide, int width, int times)
{
	for (int k = 0; k < times; k++)
		for (int c = 0; c < width; c++)
			sum[c] += wide[k * width + c];
}

static HOT void
add_rows(const real *restrict z, int rows, int width, real *restrict sum)
{
	for (int r = 0; r < rows; r++)
		for (int c = 0; c < width; c++)
			sum[c] += z[(size_t) r * width + c];
}

static HOT void
add_squares(const real *restrict z, int rows, int width, const real *restrict mean,
			real *restrict sum)
{
	for (int r = 0; r < rows; r++)
		for (int c = 0; c < width; c++)
		{
			real		from_mean = z[(size_t) r * width + c] - mean[c];

			sum[c] += from_mean * from_mean;
		}
}

void
column_statistics(const real *z, int rows, int width, real *mean, real *variance)
{
	int			times = rows_at_once(width);
	int			wide_rows = times > 1 ? rows / times : 0;
	const real *rest = z + (size_t) wide_rows * times * width;
	int			n_rest = rows - wide_rows * times;
	real		wide_mean[WIDE];
	real		sums[2][WIDE] = {{0}};

	memset(mean, 0, width * sizeof(real));
	memset(variance, 0, width * sizeof(real));
	add_rows(z, wide_rows, times * width, sums[0]);
	fold(mean, sums[0], width, wide_rows > 0 ? times : 0);
	add_rows(rest, n_rest, width, mean);
	for (int c = 0; c < width; c++)
		mean[c] /= rows;
	if (wide_rows > 0)
		add_squares(z, wide_rows, times * width, repeat(wide_mean, mean, width, times), sums[1]);
	fold(variance, sums[1], width, wide_rows > 0 ? times : 0);
	add_squares(rest, n_rest, width, mean, variance);
	for (int c = 0; c < width; c++)
		variance[c] /= rows;
}

static HOT void
normalize_rows(real *z, real *out, int rows, int width, const real *restrict mean,
			   const real *restrict inverse_std, const real *restrict scale,
			   const real *restrict bias)
{
	for (int r = 0; r < rows; r++)
	{
		real	   *row = z + (size_t) r * width;
		real	   *to = out + (size_t) r * width;

		for (int c = 0; c < width; c++)
		{
			real		normalized = (row[c] - mean[c]) * inverse_std[c];
			real		value = scale[c] * normalized + bias[c];

			row[c] = normalized;
			to[c] = value > 0 ? value : 0;
		}
	}
}

void
normalize_activate(real *z, real *out, int rows, int width, const real *mean,
				   const real *inverse_std, const real *scale, const real *bias)
{
	int			times = rows_at_once(width);
	int			wide_rows = rows / times;
	size_t		done = (size_t) wide_rows * times * width;
	real		wide[4][WIDE];

	normalize_rows(z, out, wide_rows, times * width, repeat(wide[0], mean, width, times),
				   repeat(wide[1], inverse_std, width, times),
				   repeat(wide[2], scale, width, times), repeat(wide[3], bias, width, times));
	normalize_rows(z + done, out + done, rows - wide_rows * times, width, mean, inverse_std, scale,
				   bias);
}

static HOT void
activate_rows_backward(real *restrict d, const real *restrict out,
					   const real *restrict normalized, int rows, int width, real keep_scale,
					   real *restrict sum, real *restrict sum_normalized)
{
	for (int r = 0; r < rows; r++)
		for (int c = 0; c < width; c++)
		{
			size_t		i = (size_t) r * width + c;
			real		value = out[i] > 0 ? d[i] * keep_scale : 0;

			d[i] = value;
			sum[c] += value;
			sum_normalized[c] += value * normalized[i];
		}
}

void
activate_backward(real *d, const real *out, const real *normalized, int rows, int width,
				  real keep_scale, real *sum, real *sum_normalized)
{
	int			times = rows_at_once(width);
	int			wide_rows = times > 1 ? rows / times : 0;
	size_t		done = (size_t) wide_rows * times * width;
	real		sums[2][WIDE] = {{0}};

	memset(sum, 0, width * sizeof(real));
	memset(sum_normalized, 0, width * sizeof(real));
	activate_rows_backward(d, out, normalized, wide_rows, times * width, keep_scale, sums[0],
						   sums[1]);
	fold(sum, sums[0], width, wide_rows > 0 ? times : 0);
	fold(sum_normalized, sums[1], width, wide_rows > 0 ? times : 0);
	activate_rows_backward(d + done, out + done, normalized + done, rows - wide_rows * times, width,
						   keep_scale, sum, sum_normalized);
}

static HOT void
normalize_rows_backward(real *restrict d, const real *restrict normalized, int rows, int width,
						const real *restrict scale, const real *restrict inverse_std,
						const real *restrict mean, const real *restrict mean_normalized)
{
	for (int r = 0; r < rows; r++)
		for (int c = 0; c < width; c++)
		{
			size_t		i = (size_t) r * width + c;

			d[i] = scale[c] * inverse_std[c] *
				(d[i] - mean[c] - normalized[i] * mean_normalized[c]);
		}
}

void
normalize_backward(real *d, const real *normalized, int rows, int width, const real *scale,
				   const real *inverse_std, const real *mean, const real *mean_normalized)
{
	int			times = rows_at_once(width);
	int			wide_rows = rows / times;
	size_t		done = (size_t) wide_rows * times * width;
	real		wide[4][WIDE];

	normalize_rows_backward(d, normalized, wide_rows, times * width,
							repeat(wide[0], scale, width, times),
							repeat(wide[1], inverse_std, width, times),
							repeat(wide[2], mean, width, times),
							repeat(wide[3], mean_normalized, width, times));
	normalize_rows_backward(d + done, normalized + done, rows - wide_rows * times, width, scale,
							inverse_std, mean, mean_normalized);
}
