/*
 * panels.h
 *	  Weights cut into panels, and the products that scoring is made of.
 *
 * A panel is some columns of a weight matrix, as many as a row's sums of them
 * stay in registers; in memory it lies row by row, so that a product reads
 * straight on.  A product begins with sums (a bias, products that were made
 * before) and may end with ReLU, without its result being written in between:
 * with the shapes of scoring that is 5 to 45 % faster than calls of sgemm, whose
 * weights are packed anew each time.
 */
#ifndef AREAD_ENGINE_BASE_PANELS_H
#define AREAD_ENGINE_BASE_PANELS_H

#include "engine/base/linear.h"

/* Columns of a panel at most. */
#define MAX_PANEL (4 * LANES)

/*
 * How products are made, with the vector registers of one kind.  All kinds give
 * the same bits, but for those of processors without fused multiply-adds.
 */
typedef struct PanelKernel PanelKernel;

typedef struct Panels
{
	const PanelKernel *kernel;
	int			n_in;
	int			n_out;
	int			width;			/* columns of a panel: 1, 2 or 4 times LANES */
	int			n;				/* panels */
	real	   *values;			/* [n] (n_in, width); columns beyond n_out are 0 */
} Panels;

/* Columns that panels for n_out columns have, those beyond n_out included. */
extern int	panels_columns(int n_out);
/* Everything but values; the kernel is the fastest one. */
extern Panels panels_of(int n_in, int n_out);
/* How many values there are. */
extern size_t panels_size(const Panels *panels);
/* From that row and column on, weights become those of from (n_out, n_in)^T. */
extern void panels_fill(Panels *panels, int row, int column, Matrix from, int n_in, int n_out);

/*
 * What a product is of: rows of inputs, in parts that meet other rows of the
 * weights, and what is added to it.
 */
typedef struct PanelInput
{
	const real *x;				/* a row's parts one after the other */
	size_t		stride;			/* from a row to the next */
	int			n_parts;
	int			length;			/* of a part */
	const int  *at;				/* [n_parts] row of the weights that a part begins at; NULL: one
								 * part, at 0 */
	const real *const *start;	/* rows' pointers to what is added, n_starts each */
	int			n_starts;
	int			start_stride;	/* n_starts; 0: all rows have the same */
	const size_t *offset;		/* [n_starts] where in it the panel begins; NULL: at the panel's
								 * first column */
} PanelInput;

/*
 * out (rows, n_out or less), one panel's columns of it: out points to the first
 * one's place.  relu: what is below 0 becomes 0.
 */
extern void panels_forward(const Panels *panels, int panel, const PanelInput *in, int rows,
						   real *out, size_t out_stride, bool relu);

/* A part of one row's inputs, or its product. */
typedef struct RowPart
{
	const real *product;		/* [panels' columns] made before; NULL: of x */
	const real *x;				/* [length] */
	int			at;				/* row of the weights */
} RowPart;

typedef struct RowInput
{
	const real *const *start;	/* [n_starts] what is added */
	int			n_starts;
	const RowPart *parts;		/* [n_parts] */
	int			n_parts;
	int			length;
} RowInput;

/*
 * One panel's columns of out [panels' columns], for one row.  Each part's
 * product is summed by itself, so that it is the same whether it was made
 * before or not.
 */
extern void panels_row(const Panels *panels, int panel, const RowInput *in, real *out, bool relu);

/* out (rows, n_out) = bias [panels_columns(n_out)] + in (rows, n_in) . weights, then ReLU. */
extern void panels_layer(const Panels *panels, const real *bias, Matrix in, int rows, Matrix out);
/* The same for one row, many of whose inputs may be 0: these cost nothing.  n_in: up to MAX_WIDTH. */
extern void panels_layer_row(const Panels *panels, const real *bias, const real *in, real *out);

/* For tests: this processor's kernels, the fastest first; NULL beyond the last one. */
extern const PanelKernel *panel_kernel(int number);
extern const char *panel_kernel_name(const PanelKernel *kernel);

#endif							/* AREAD_ENGINE_BASE_PANELS_H */
