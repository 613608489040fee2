/*
 * test_panels.c
 *	  Products with panels against plain loops: all shapes of blocks, registers
 *	  and remainders, parts, starts, ReLU; nothing written beyond the columns.
 */
#include <math.h>
#include <string.h>

#include "engine/base/panels.h"
#include "engine/base/random.h"
#include "unit.h"

#define MOST_ROWS 20
#define MOST_IN 600
#define MOST_OUT 150
#define GUARD 12345

static real x[MOST_ROWS * MOST_IN];
static real weight[MOST_OUT * MOST_IN];
static real values[MOST_IN * (MOST_OUT + MAX_PANEL)];
static real bias[MOST_OUT + MAX_PANEL];
static real out[MOST_ROWS * (MOST_OUT + 1) + MAX_PANEL];

/* Numbers in -1 .. 1, of which a share is 0. */
static void
fill(Random *random, real *to, size_t n, double zeros)
{
	for (size_t i = 0; i < n; i++)
	{
		double		value = 2 * random_uniform(random) - 1;

		to[i] = random_uniform(random) < zeros ? 0 : value;
	}
}

static bool
near(double a, double b)
{
	return fabs(a - b) <= 1e-4;
}

static Panels
some_panels(int n_in, int n_out)
{
	Panels		panels = panels_of(n_in, n_out);

	memset(values, 0, sizeof(values));
	panels.values = values;
	panels_fill(&panels, 0, 0, (Matrix) {weight, MOST_IN}, n_in, n_out);
	return panels;
}

/* Layers of rows, of one row, and both kinds of registers. */
static void
check_layer(Random *random, int rows, int n_in, int n_out)
{
	Panels		panels = some_panels(n_in, n_out);
	int			stride = n_out + 1;
	bool		equal = true;

	CHECK(panels_columns(n_out) == panels.n * panels.width);
	fill(random, x, MOST_ROWS * MOST_IN, 0.5);
	for (int kind = 0; kind < 3; kind++)
	{
		PanelInput	in = {.x = x,.stride = MOST_IN,.n_parts = 1,.length = n_in,
			.start = (const real *const[]) {bias},.n_starts = 1};

		for (size_t i = 0; i < sizeof(out) / sizeof(*out); i++)
			out[i] = GUARD;
		if (kind == 0)
			panels_layer(&panels, bias, (Matrix) {x, MOST_IN}, rows, (Matrix) {out, stride});
		for (int p = 0; kind == 1 && p < panels.n; p++)
			panels_forward_narrow(&panels, p, &in, rows, out + p * panels.width, stride, true);
		for (int b = 0; kind == 2 && b < rows; b++)
			panels_layer_row(&panels, bias, x + b * MOST_IN, out + b * stride);
		for (int b = 0; b < rows; b++)
		{
			for (int o = 0; o < n_out; o++)
			{
				double		sum = bias[o];

				for (int i = 0; i < n_in; i++)
					sum += (double) x[b * MOST_IN + i] * weight[o * MOST_IN + i];
				equal &= near(out[b * stride + o], sum > 0 ? sum : 0);
			}
			equal &= out[b * stride + n_out] == GUARD;
		}
	}
	CHECK(equal);
}

/* Parts that meet rows of the weights out of order, and starts of every kind. */
static void
check_parts(Random *random, bool narrow)
{
	enum {rows = 9, dim = 8, n_out = 2 * MAX_PANEL};
	static real starts[3][rows * n_out];
	static const int at[3] = {2 * dim, 0, 3 * dim};
	const real *start[rows * 3];
	size_t		offset[3];
	Panels		panels = some_panels(4 * dim, n_out);
	PanelInput	in = {.x = x,.stride = 3 * dim,.n_parts = 3,.length = dim,.at = at,.start = start,
		.n_starts = 3,.start_stride = 3,.offset = offset};
	bool		equal = true;

	fill(random, x, MOST_ROWS * MOST_IN, 0);
	fill(random, starts[0], 3 * rows * n_out, 0);
	for (int b = 0; b < rows; b++)
		for (int i = 0; i < 3; i++)
			start[b * 3 + i] = starts[i] + (i == 1 ? 0 : b) * n_out;
	for (int p = 0; p < panels.n; p++)
	{
		for (int i = 0; i < 3; i++)
			offset[i] = i == 2 ? 0 : p * panels.width;
		(narrow ? panels_forward_narrow : panels_forward) (&panels, p, &in, rows, out, n_out, false);
		for (int b = 0; b < rows; b++)
			for (int c = 0; c < panels.width; c++)
			{
				int			o = p * panels.width + c;
				double		sum = starts[0][b * n_out + o] + starts[1][o] + starts[2][b * n_out + c];

				for (int k = 0; k < 3; k++)
					for (int i = 0; i < dim; i++)
						sum += (double) x[(b * 3 + k) * dim + i] * weight[o * MOST_IN + at[k] + i];
				equal &= near(out[b * n_out + c], sum);
			}
	}
	CHECK(equal);
}

int
main(void)
{
	static const int widths[] = {1, 7, 8, 9, 16, 17, 32, 33, 64, 65, 100, 128, MOST_OUT};
	Random		random;

	random_start(&random, 7, 0, 0);
	fill(&random, weight, MOST_OUT * MOST_IN, 0);
	fill(&random, bias, MOST_OUT, 0);
	for (size_t w = 0; w < sizeof(widths) / sizeof(*widths); w++)
		for (int rows = 1; rows <= MOST_ROWS; rows++)
			check_layer(&random, rows, rows == 7 ? MOST_IN : 1 + rows * 5, widths[w]);
	check_parts(&random, false);
	check_parts(&random, true);
	return unit_summary();
}
