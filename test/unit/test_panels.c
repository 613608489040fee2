/*
 * test_panels.c
 *	  Products with panels against plain loops, by every kernel that the processor
 *	  has: all shapes of blocks, registers and remainders, parts, starts, ReLU;
 *	  nothing written beyond the columns.  Kernels give the same bits, since tests
 *	  are compiled without fused multiply-adds, which not all kernels have.
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
some_panels(const PanelKernel *kernel, int n_in, int n_out)
{
	Panels		panels = panels_of(n_in, n_out);

	memset(values, 0, sizeof(values));
	panels.kernel = kernel;
	panels.values = values;
	panels_fill(&panels, 0, 0, (Matrix) {weight, MOST_IN}, n_in, n_out);
	return panels;
}

/* Are these numbers the bits that the first kernel made? */
static bool
same_bits(const PanelKernel *kernel, const real *made, size_t n, real *first)
{
	if (kernel == panel_kernel(0))
		memcpy(first, made, n * sizeof(real));
	return memcmp(first, made, n * sizeof(real)) == 0;
}

/* Layers of rows, and of one row after the other. */
static void
check_layer(const PanelKernel *kernel, int rows, int n_in, int n_out)
{
	static real first[2][sizeof(out) / sizeof(*out)];
	Panels		panels = some_panels(kernel, n_in, n_out);
	int			stride = n_out + 1;
	bool		equal = true;

	CHECK(panels_columns(n_out) == panels.n * panels.width);
	for (int one = 0; one < 2; one++)
	{
		for (size_t i = 0; i < sizeof(out) / sizeof(*out); i++)
			out[i] = GUARD;
		if (!one)
			panels_layer(&panels, bias, (Matrix) {x, MOST_IN}, rows, (Matrix) {out, stride});
		for (int b = 0; one && b < rows; b++)
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
		equal &= same_bits(kernel, out, rows * stride, first[one]);
	}
	CHECK(equal);
}

enum {PART_ROWS = 9, PART_DIM = 8, PART_OUT = 2 * MAX_PANEL};
static real starts[3][PART_ROWS * PART_OUT];
static const int part_at[3] = {2 * PART_DIM, 0, 3 * PART_DIM};

/* What a row's parts, which meet rows of the weights out of order, add to column o. */
static double
parts_sum(int row, int o)
{
	double		sum = 0;

	for (int k = 0; k < 3; k++)
		for (int i = 0; i < PART_DIM; i++)
			sum += (double) x[(row * 3 + k) * PART_DIM + i] *
				weight[o * MOST_IN + part_at[k] + i];
	return sum;
}

/* Parts of a batch, and starts of every kind. */
static void
check_parts(const PanelKernel *kernel)
{
	static real first[2][PART_ROWS * PART_OUT];
	const real *start[PART_ROWS * 3];
	size_t		offset[3];
	Panels		panels = some_panels(kernel, 4 * PART_DIM, PART_OUT);
	PanelInput	in = {.x = x,.stride = 3 * PART_DIM,.n_parts = 3,.length = PART_DIM,.at = part_at,
	.start = start,.n_starts = 3,.start_stride = 3,.offset = offset};
	bool		equal = true;

	for (int b = 0; b < PART_ROWS; b++)
		for (int i = 0; i < 3; i++)
			start[b * 3 + i] = starts[i] + (i == 1 ? 0 : b) * PART_OUT;
	for (int p = 0; p < panels.n; p++)
	{
		for (int i = 0; i < 3; i++)
			offset[i] = i == 2 ? 0 : p * panels.width;
		panels_forward(&panels, p, &in, PART_ROWS, out, PART_OUT, false);
		for (int b = 0; b < PART_ROWS; b++)
			for (int c = 0; c < panels.width; c++)
			{
				int			o = p * panels.width + c;

				equal &= near(out[b * PART_OUT + c], parts_sum(b, o) + starts[0][b * PART_OUT + o] +
							  starts[1][o] + starts[2][b * PART_OUT + c]);
			}
		equal &= same_bits(kernel, out, PART_ROWS * PART_OUT, first[p]);
	}
	CHECK(equal);
}

/* One row, in panels of each width: two starts, and parts of which one's product is made before. */
static void
check_row(const PanelKernel *kernel, int n_out, bool relu)
{
	static real first[PART_OUT];
	Panels		panels = some_panels(kernel, 4 * PART_DIM, n_out);
	RowPart		parts[3];
	RowInput	in = {.start = (const real *const[]) {starts[0], starts[1]},.n_starts = 2,
	.parts = parts,.n_parts = 3,.length = PART_DIM};
	RowInput	made = {.parts = parts + 1,.n_parts = 1,.length = PART_DIM};
	real		product[PART_OUT];
	bool		equal = true;

	for (int k = 0; k < 3; k++)
		parts[k] = (RowPart) {NULL, x + k * PART_DIM, part_at[k]};
	for (int p = 0; p < panels.n; p++)
		panels_row(&panels, p, &made, product, false);
	for (int again = 0; again < 2; again++)
	{
		for (int p = 0; p < panels.n; p++)
			panels_row(&panels, p, &in, out, relu);
		for (int o = 0; o < n_out; o++)
		{
			double		sum = starts[0][o] + starts[1][o] + parts_sum(0, o);

			equal &= near(out[o], relu && sum < 0 ? 0 : sum);
		}
		/* the product changes no bit either */
		equal &= same_bits(again ? NULL : kernel, out, n_out, first);
		parts[1].product = product;
	}
	CHECK(equal);
}

/* Each case is done by one kernel after the other, so that they can be compared. */
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
		{
			fill(&random, x, MOST_ROWS * MOST_IN, 0.5);
			for (int k = 0; panel_kernel(k); k++)
				check_layer(panel_kernel(k), rows, rows == 7 ? MOST_IN : 1 + rows * 5, widths[w]);
		}
	fill(&random, x, MOST_ROWS * MOST_IN, 0);
	fill(&random, starts[0], 3 * PART_ROWS * PART_OUT, 0);
	for (int k = 0; panel_kernel(k); k++)
		check_parts(panel_kernel(k));
	for (int n_out = LANES; n_out <= PART_OUT; n_out *= 2)
		for (int relu = 0; relu < 2; relu++)
			for (int k = 0; panel_kernel(k); k++)
				check_row(panel_kernel(k), n_out, relu);
	return unit_summary();
}
