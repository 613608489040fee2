/*
 * panels.c
 *	  Products with weights cut into panels.
 *
 * They are made by kernels, one for each kind of vector registers; panels are
 * bound to the widest that the processor has.  Which functions of a kernel may
 * use which instructions is said by an attribute, not by the compiler's options.
 */
#include "engine/base/panels.h"

#include <string.h>

#include "engine/base/limits.h"

/* Rows of a batch that are summed at once. */
#define BLOCK 6
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
	Panels		panels = {.n_in = n_in,.n_out = n_out,.kernel = panel_kernel(0)};

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

/* The same for one row. */
typedef struct RowColumns
{
	const Panels *panels;
	const RowInput *in;
	int			first;			/* of all panels' columns */
	const real *weight;			/* the first column's of the first row */
} RowColumns;

/* Inputs of a row that meet panels of a width. */
typedef struct RowInputs
{
	const real *in;
	const int  *found;			/* [n] those that are not 0 */
	int			n;
	int			width;
} RowInputs;

struct PanelKernel
{
	const char *name;
	bool		(*fits) (void); /* has this processor its instructions? */
	void		(*forward) (Columns *columns, int rows);
	void		(*row) (const Panels *panels, int panel, const RowInput *in, real *out, bool relu);
	/* of a panel's weights, bias and columns of out, up to n_out of these */
	void		(*layer_row) (const RowInputs *inputs, const real *weights, const real *bias,
							  real *out, int n_out);
};

/* Kernels for more than what every processor has. */
#if defined(__x86_64__)
#if !defined(AREAD_ONE_TARGET) || defined(__AVX512VL__)
#define AVX512
#endif
#if !defined(AREAD_ONE_TARGET) || defined(__AVX2__)
#define AVX2
#endif
#endif

#ifdef AVX512
/* A batch's sums are in 24 of 32 registers. */
#define VECTOR_BYTES 64
#define BATCH_ACROSS 4
#define ROW_ACROSS 4
#define TARGET __attribute__((target("avx512f,avx512bw,avx512cd,avx512dq,avx512vl")))
#define KERNEL(name) avx512_##name
#include "engine/base/panels_kernel.h"

static bool
avx512_fits(void)
{
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
		__builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
		__builtin_cpu_supports("avx512vl");
}
#endif

#ifdef AVX2
/* A batch's sums are in 12 of 16 registers. */
#define VECTOR_BYTES 32
#define BATCH_ACROSS 2
#define ROW_ACROSS 8
#define TARGET __attribute__((target("avx2,fma")))
#define KERNEL(name) avx2_##name
#include "engine/base/panels_kernel.h"

static bool
avx2_fits(void)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
#endif

/* What every processor has: 16 registers, those of Arm 32. */
#define VECTOR_BYTES 16
#if defined(__x86_64__)
#define BATCH_ACROSS 2
#else
#define BATCH_ACROSS 4
#endif
#define ROW_ACROSS 8
#define TARGET
#define KERNEL(name) base_##name
#include "engine/base/panels_kernel.h"

static bool
base_fits(void)
{
	return true;
}

/* The fastest first. */
static const PanelKernel kernels[] = {
#ifdef AVX512
	{"avx512", avx512_fits, avx512_forward, avx512_row, avx512_layer_row},
#endif
#ifdef AVX2
	{"avx2", avx2_fits, avx2_forward, avx2_row, avx2_layer_row},
#endif
	{"base", base_fits, base_forward, base_row, base_layer_row},
};

const PanelKernel *
panel_kernel(int number)
{
	for (size_t i = 0; i < sizeof(kernels) / sizeof(*kernels); i++)
		if (kernels[i].fits() && number-- == 0)
			return &kernels[i];
	return NULL;
}

const char *
panel_kernel_name(const PanelKernel *kernel)
{
	return kernel->name;
}

void
panels_forward(const Panels *panels, int panel, const PanelInput *in, int rows, real *out,
			   size_t out_stride, bool relu)
{
	Columns		columns = {panels, in, panel, 0, out, out_stride, relu};

	panels->kernel->forward(&columns, rows);
}

void
panels_row(const Panels *panels, int panel, const RowInput *in, real *out, bool relu)
{
	panels->kernel->row(panels, panel, in, out, relu);
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

/*
 * Which of some inputs are not 0; returns how many.  It looks at bits, all but
 * the sign: that takes half as long as comparing numbers.
 */
static inline int
find_inputs(const real *in, int n, int *found)
{
#ifdef AREAD_DOUBLE
	uint64_t	bits;
#else
	uint32_t	bits;
#endif
	size_t		n_found = 0;

	for (int i = 0; i < n; i++)
	{
		memcpy(&bits, &in[i], sizeof(bits));
		found[n_found] = i;
		n_found += bits << 1 != 0;
	}
	return (int) n_found;
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

		panels->kernel->layer_row(&inputs, panels->values + (size_t) column * panels->n_in,
								  bias + column, out + column, panels->n_out - column);
	}
}
