/*
 * panels.c
 *	  Products with weights cut into panels.
 */
#include "engine/base/panels.h"

#include <string.h>

#include "engine/base/limits.h"

/* Rows that are summed at once: sums are in 24 of 32 registers, with AVX2 in 12 of 16. */
#define BLOCK 6
#define MOST_ACROSS 4
#define INLINE static inline __attribute__((always_inline))
/* Vectors that are not in registers: GCC 14 takes them for aligned, ASan's frames are not. */
#define ALIGNED __attribute__((aligned(64)))

int
panels_columns(int n_out)
{
	Panels		panels = panels_of(0, n_out);

	return panels.n * panels.width;
}

Panels
panels_of(int n_in, int n_out)
{
	Panels		panels = {.n_in = n_in,.n_out = n_out};

	panels.width = n_out <= LANES ? LANES : MAX_PANEL;
	/* where half a panel would stay empty, panels are half as wide */
	if (n_out > LANES && n_out < 4 * MAX_PANEL && (n_out - 1) % MAX_PANEL < MAX_PANEL / 2)
		panels.width = MAX_PANEL / 2;
	panels.n = (n_out + panels.width - 1) / panels.width;
	return panels;
}

size_t
panels_size(const Panels *panels)
{
	return (size_t) panels->n * panels->n_in * panels->width;
}

void
panels_fill(Panels *panels, int row, int column, Matrix from, int n_in, int n_out)
{
	for (int o = 0; o < n_out; o++)
	{
		int			panel = (column + o) / panels->width;
		real	   *to = panels->values + (column + o) % panels->width +
			((size_t) panel * panels->n_in + row) * panels->width;

		for (int i = 0; i < n_in; i++)
			to[(size_t) i * panels->width] = from.data[(size_t) o * from.stride + i];
	}
}

/* A panel at work: its columns from "first" on. */
typedef struct Columns
{
	const Panels *panels;
	const PanelInput *in;
	int			panel;
	int			first;
	real	   *out;
	size_t		out_stride;
	bool		relu;
} Columns;

/* Registers of AVX2, of which there are 16, or those that every processor has. */
#if defined(__x86_64__)
#define NARROW_BYTES 32
#else
#define NARROW_BYTES 16
#endif
#define VECTOR_BYTES NARROW_BYTES
#define ROWS(name) narrow_##name
#include "engine/base/panels_rows.h"

static HOT void
narrow_rows(Columns *columns, int rows)
{
	for (; columns->first < columns->panels->width; columns->first += LANES)
		narrow_all_rows(columns, rows, 64 / NARROW_BYTES);
}

void
panels_forward_narrow(const Panels *panels, int panel, const PanelInput *in, int rows, real *out,
					  size_t out_stride, bool relu)
{
	Columns		columns = {panels, in, panel, 0, out, out_stride, relu};

	narrow_rows(&columns, rows);
}

#if defined(__x86_64__)

#define VECTOR_BYTES 64
#define ROWS(name) wide_##name
#include "engine/base/panels_rows.h"

/* All columns of a panel at once. */
static __attribute__((target("avx512f,avx512bw,avx512cd,avx512dq,avx512vl"))) void
wide_rows(const Columns *columns, int rows)
{
	if (columns->panels->width == 4 * LANES)
		wide_all_rows(columns, rows, 4);
	else if (columns->panels->width == 2 * LANES)
		wide_all_rows(columns, rows, 2);
	else
		wide_all_rows(columns, rows, 1);
}

static bool
has_wide_registers(void)
{
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
		__builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
		__builtin_cpu_supports("avx512vl");
}

#endif

void
panels_forward(const Panels *panels, int panel, const PanelInput *in, int rows, real *out,
			   size_t out_stride, bool relu)
{
#if defined(__x86_64__)
	if (has_wide_registers())
	{
		Columns		columns = {panels, in, panel, 0, out, out_stride, relu};

		wide_rows(&columns, rows);
		return;
	}
#endif
	panels_forward_narrow(panels, panel, in, rows, out, out_stride, relu);
}

void
panels_layer(const Panels *panels, const real *bias, Matrix in, int rows, Matrix out)
{
	PanelInput	input = {.x = in.data,.stride = in.stride,.n_parts = 1,.length = panels->n_in,
		.start = &bias,.n_starts = 1};

	/* zeros are left out, which changes no sum */
	if (rows == 1)
	{
		panels_layer_row(panels, bias, in.data, out.data);
		return;
	}
	for (int p = 0; p < panels->n; p++)
		panels_forward(panels, p, &input, rows, out.data + (size_t) p * panels->width, out.stride,
					   true);
}

/* Which of some inputs are not 0; returns how many. */
static inline int
find_inputs(const real *in, int n, int *found)
{
	int			n_found = 0;

	for (int i = 0; i < n; i++)
	{
		found[n_found] = i;
		n_found += in[i] != 0;
	}
	return n_found;
}

/* A panel's columns of out: starts, and one after the other the parts' products. */
INLINE void
add_parts(const Panels *panels, int panel, const RowInput *in, real *out, bool relu, const int lanes)
{
	size_t		column = (size_t) panel * panels->width;
	const real *values = panels->values + column * panels->n_in;
	Lanes		sums[4] ALIGNED;

#pragma GCC unroll 4
	for (int j = 0; j < lanes; j++)
		sums[j] = (Lanes) {0};
	for (int i = 0; i < in->n_starts; i++)
#pragma GCC unroll 4
		for (int j = 0; j < lanes; j++)
			sums[j] += ((const Lanes *) (in->start[i] + column))[j];
	for (int p = 0; p < in->n_parts; p++)
	{
		const RowPart *part = &in->parts[p];
		const real *weight = values + (size_t) part->at * panels->width;
		Lanes		products[4] ALIGNED;

#pragma GCC unroll 4
		for (int j = 0; j < lanes; j++)
			products[j] = part->product ? ((const Lanes *) (part->product + column))[j] : (Lanes) {0};
		for (int i = 0; !part->product && i < in->length; i++, weight += panels->width)
#pragma GCC unroll 4
			for (int j = 0; j < lanes; j++)
				products[j] += part->x[i] * ((const Lanes *) weight)[j];
#pragma GCC unroll 4
		for (int j = 0; j < lanes; j++)
			sums[j] += products[j];
	}
#pragma GCC unroll 4
	for (int j = 0; j < lanes; j++)
	{
		__typeof__(sums[j] > 0) above = sums[j] > 0;

		((Lanes *) (out + column))[j] = relu ? (Lanes) (above & (__typeof__(above)) sums[j]) : sums[j];
	}
}

HOT void
panels_row(const Panels *panels, int panel, const RowInput *in, real *out, bool relu)
{
	if (panels->width == 4 * LANES)
		add_parts(panels, panel, in, out, relu, 4);
	else if (panels->width == 2 * LANES)
		add_parts(panels, panel, in, out, relu, 2);
	else
		add_parts(panels, panel, in, out, relu, 1);
}

/* Inputs of a row, and a panel. */
typedef struct RowInputs
{
	const real *in;
	const int  *found;			/* [n] those that are not 0 */
	int			n;
	const real *panel;
	int			width;
} RowInputs;

/* out [n_out, or a panel's columns] = relu(bias + inputs times their weights) */
INLINE void
add_inputs(const RowInputs *inputs, const real *bias, real *out, int n_out, const int lanes)
{
	Lanes		sums[4] ALIGNED;

#pragma GCC unroll 4
	for (int j = 0; j < lanes; j++)
		sums[j] = ((const Lanes *) bias)[j];
	for (int i = 0; i < inputs->n; i++)
	{
		/* find_inputs() filled it up to n, which the analyzer does not follow */
		real		input = inputs->in[inputs->found[i]];	/* NOLINT(clang-analyzer-core.uninitialized.ArraySubscript) */
		const Lanes *weight = (const Lanes *) (inputs->panel +
											   (size_t) inputs->found[i] * inputs->width);

#pragma GCC unroll 4
		for (int j = 0; j < lanes; j++)
			sums[j] += input * weight[j];
	}
#pragma GCC unroll 4
	for (int j = 0; j < lanes; j++)
	{
		__typeof__(sums[j] > 0) above = sums[j] > 0;
		Lanes		sum = (Lanes) (above & (__typeof__(above)) sums[j]);
		int			n = n_out - j * LANES;

		if (n >= LANES)
			((Lanes *) out)[j] = sum;
		else if (n > 0)
			memcpy(out + j * LANES, &sum, n * sizeof(real));
	}
}

static HOT void
add_panel(const RowInputs *inputs, const real *bias, real *out, int n_out)
{
	if (inputs->width == 4 * LANES)
		add_inputs(inputs, bias, out, n_out, 4);
	else if (inputs->width == 2 * LANES)
		add_inputs(inputs, bias, out, n_out, 2);
	else
		add_inputs(inputs, bias, out, n_out, 1);
}

void
panels_layer_row(const Panels *panels, const real *bias, const real *in, real *out)
{
	int			found[MAX_WIDTH];
	RowInputs	inputs = {.in = in,.found = found,.width = panels->width};

	inputs.n = find_inputs(in, panels->n_in, found);
	for (int p = 0; p < panels->n; p++)
	{
		int			column = p * panels->width;

		inputs.panel = panels->values + (size_t) column * panels->n_in;
		add_panel(&inputs, bias + column, out + column, panels->n_out - column);
	}
}
