/*
 * test_columns.c
 *	  Loops over columns, several narrow rows at a time, against plain ones.
 */
#include <math.h>
#include <string.h>

#include "engine/layers/batch_norm.h"
#include "engine/base/random.h"
#include "unit.h"

#define MOST_ROWS 70
#define MOST_COLUMNS 100
#define MOST (MOST_ROWS * MOST_COLUMNS)

typedef struct Matrices
{
	int			rows;
	int			width;
	real		z[MOST];
	real		out[MOST];
	real		d[MOST];
	real		a[MOST_COLUMNS];
	real		b[MOST_COLUMNS];
	real		mean[MOST_COLUMNS];
	real		inverse_std[MOST_COLUMNS];
	real		scale[MOST_COLUMNS];
	real		bias[MOST_COLUMNS];
} Matrices;

static bool
near(double a, double b)
{
	return fabs(a - b) < 1e-4 * (1 + fabs(a));
}

static void
fill(Random *random, real *values, int n)
{
	for (int i = 0; i < n; i++)
		values[i] = random_normal(random);
}

static void
check_statistics(Matrices *m)
{
	column_statistics(m->z, m->rows, m->width, m->a, m->b);
	for (int c = 0; c < m->width; c++)
	{
		double		mean = 0;
		double		variance = 0;

		for (int r = 0; r < m->rows; r++)
			mean += m->z[r * m->width + c] / m->rows;
		for (int r = 0; r < m->rows; r++)
			variance += pow(m->z[r * m->width + c] - mean, 2) / m->rows;
		CHECK(near(mean, m->a[c]) && near(variance, m->b[c]));
	}
}

static void
check_forward(Matrices *m)
{
	static real z[MOST];
	int			wrong = 0;

	memcpy(z, m->z, sizeof(z));
	normalize_activate(z, m->out, m->rows, m->width, m->mean, m->inverse_std, m->scale, m->bias);
	for (int i = 0; i < m->rows * m->width; i++)
	{
		int			c = i % m->width;
		double		normalized = ((double) m->z[i] - m->mean[c]) * m->inverse_std[c];

		wrong += !near(normalized, z[i]) ||
			!near(fmax(m->scale[c] * normalized + m->bias[c], 0), m->out[i]);
	}
	CHECK(wrong == 0);
}

static void
check_backward(Matrices *m)
{
	static real d[MOST];
	int			wrong = 0;

	memcpy(d, m->d, sizeof(d));
	activate_backward(d, m->out, m->z, m->rows, m->width, 1.25, m->a, m->b);
	for (int c = 0; c < m->width; c++)
	{
		double		sum = 0;
		double		sum_normalized = 0;

		for (int i = c; i < m->rows * m->width; i += m->width)
		{
			double		value = m->out[i] > 0 ? m->d[i] * 1.25 : 0;

			wrong += !near(value, d[i]);
			sum += value;
			sum_normalized += value * m->z[i];
		}
		CHECK(near(sum, m->a[c]) && near(sum_normalized, m->b[c]));
	}
	memcpy(d, m->d, sizeof(d));
	normalize_backward(d, m->z, m->rows, m->width, m->scale, m->inverse_std, m->mean, m->bias);
	for (int i = 0; i < m->rows * m->width; i++)
	{
		int			c = i % m->width;

		wrong += !near(m->scale[c] * m->inverse_std[c] *
					   ((double) m->d[i] - m->mean[c] - (double) m->z[i] * m->bias[c]), d[i]);
	}
	CHECK(wrong == 0);
}

int
main(void)
{
	static const int widths[] = {1, 3, 8, 16, 32, 48, 64, MOST_COLUMNS};
	static const int rows[] = {1, 2, 7, 8, 9, 64, MOST_ROWS};
	static Matrices m;
	Random		random;

	random_start(&random, 7, RANDOM_WEIGHTS, 0);
	for (size_t w = 0; w < sizeof(widths) / sizeof(widths[0]); w++)
		for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++)
		{
			m.rows = rows[r];
			m.width = widths[w];
			fill(&random, m.z, MOST);
			fill(&random, m.d, MOST);
			fill(&random, m.mean, MOST_COLUMNS);
			fill(&random, m.inverse_std, MOST_COLUMNS);
			fill(&random, m.scale, MOST_COLUMNS);
			fill(&random, m.bias, MOST_COLUMNS);
			check_statistics(&m);
			check_forward(&m);
			check_backward(&m);
		}
	return unit_summary();
}
