/*
 * panels_kernel.h
 *	  Products with a panel in registers of VECTOR_BYTES: panels.c includes it
 *	  for each kind of registers.
 *
 * Defined before: KERNEL(name), its functions' names; TARGET, an attribute with
 * the instructions that they may use; BATCH_ACROSS and ROW_ACROSS, how many
 * vectors lie side by side at most in products of BLOCK rows and of one.
 *
 * A vector wider than the registers is taken apart by GCC, number by number by
 * way of the stack: vectors are as wide as the registers, and fewer than those.
 * Loops over rows and vectors have constant bounds once they are inlined, so
 * that sums stay in registers.  Each column is summed for itself and in the
 * same order, so that its sum does not depend on the width of vectors.
 */
typedef real KERNEL(Wide) __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(real)), may_alias));

#define WIDE KERNEL(Wide)
#define N_WIDE (VECTOR_BYTES / (int) sizeof(real))

/* What is below 0 becomes 0. */
INLINE TARGET void
KERNEL(cut) (WIDE *sum)
{
	__typeof__(*sum > 0) above = *sum > 0;

	*sum = (WIDE) (above & (__typeof__(above)) *sum);
}

/* Sums begin with what is added to a row's product. */
INLINE TARGET void
KERNEL(begin_sums) (WIDE (*sums)[BATCH_ACROSS], const Columns *columns, int row, const int n_rows,
					const int across)
{
	const PanelInput *in = columns->in;
	size_t		column = (size_t) columns->panel * columns->panels->width;

#pragma GCC unroll 6
	for (int r = 0; r < n_rows; r++)
	{
		const real *const *start = in->n_starts > 0 ?
			in->start + (size_t) (row + r) * in->start_stride : NULL;

#pragma GCC unroll 4
		for (int j = 0; j < across; j++)
			sums[r][j] = (WIDE) {0};
		for (int i = 0; i < in->n_starts; i++)
		{
			const WIDE *from = (const WIDE *) (start[i] + columns->first +
												   (in->offset ? in->offset[i] : column));

#pragma GCC unroll 4
			for (int j = 0; j < across; j++)
				sums[r][j] += from[j];
		}
	}
}

/* Their products with the inputs are added, part by part. */
INLINE TARGET void
KERNEL(add_products) (WIDE (*sums)[BATCH_ACROSS], const Columns *columns, int row,
					  const int n_rows, const int across)
{
	const PanelInput *in = columns->in;
	const Panels *panels = columns->panels;
	const real *values = panels->values + (size_t) columns->panel * panels->n_in * panels->width +
		columns->first;
	const real *x = in->x + (size_t) row * in->stride;
	size_t		stride = in->stride;

	for (int p = 0; p < in->n_parts; p++, x += in->length)
	{
		const real *weight = values + (in->at ? (size_t) in->at[p] * panels->width : 0);

		for (int i = 0; i < in->length; i++, weight += panels->width)
		{
#pragma GCC unroll 6
			for (int r = 0; r < n_rows; r++)
			{
				real		input = x[r * stride + i];

#pragma GCC unroll 4
				for (int j = 0; j < across; j++)
					sums[r][j] += input * ((const WIDE *) weight)[j];
			}
		}
	}
}

/* The sums, or what of them is above 0, as far as there are columns. */
INLINE TARGET void
KERNEL(end_sums) (WIDE (*sums)[BATCH_ACROSS], const Columns *columns, int row, const int n_rows,
				  const int across)
{
	int			first = columns->panel * columns->panels->width + columns->first;
	int			n = columns->panels->n_out - first;

#pragma GCC unroll 6
	for (int r = 0; r < n_rows; r++)
	{
		real	   *out = columns->out + (row + r) * columns->out_stride + columns->first;

		if (columns->relu)
#pragma GCC unroll 4
			for (int j = 0; j < across; j++)
				KERNEL(cut) (&sums[r][j]);
		if (n >= across * N_WIDE)
#pragma GCC unroll 4
			for (int j = 0; j < across; j++)
				((WIDE *) out)[j] = sums[r][j];
		else if (n > 0)
		{
			WIDE		some[BATCH_ACROSS] ALIGNED;

			for (int j = 0; j < across; j++)
				some[j] = sums[r][j];
			memcpy(out, some, n * sizeof(real));
		}
	}
}

INLINE TARGET void
KERNEL(some_rows) (const Columns *columns, int row, const int n_rows, const int across)
{
	WIDE		sums[BLOCK][BATCH_ACROSS] ALIGNED;

	KERNEL(begin_sums) (sums, columns, row, n_rows, across);
	KERNEL(add_products) (sums, columns, row, n_rows, across);
	KERNEL(end_sums) (sums, columns, row, n_rows, across);
}

/* What a division by BLOCK leaves takes three steps at most. */
INLINE TARGET void
KERNEL(all_rows) (const Columns *columns, int rows, const int across)
{
	int			row = 0;

	for (; row + BLOCK <= rows; row += BLOCK)
		KERNEL(some_rows) (columns, row, BLOCK, across);
	for (; row + 3 <= rows; row += 3)
		KERNEL(some_rows) (columns, row, 3, across);
	for (; row < rows; row++)
		KERNEL(some_rows) (columns, row, 1, across);
}

/* panels_forward(): the panel's columns from left to right. */
static TARGET void
KERNEL(forward) (Columns *columns, int rows)
{
	int			n = columns->panels->width / N_WIDE;
	int			across = n < BATCH_ACROSS ? n : BATCH_ACROSS;

	for (; columns->first < columns->panels->width; columns->first += across * N_WIDE)
	{
		/* the narrowest panel has LANES columns */
		if (LANES >= BATCH_ACROSS * N_WIDE || across == BATCH_ACROSS)
			KERNEL(all_rows) (columns, rows, BATCH_ACROSS);
		else if (across == BATCH_ACROSS / 2)
			KERNEL(all_rows) (columns, rows, BATCH_ACROSS / 2);
		else
			KERNEL(all_rows) (columns, rows, 1);
	}
}

/* A part's product, if it is not made yet. */
INLINE TARGET void
KERNEL(part_product) (WIDE *products, const RowColumns *columns, const RowPart *part,
					  const int across)
{
	int			width = columns->panels->width;
	const real *weight = columns->weight + (size_t) part->at * width;

#pragma GCC unroll 8
	for (int j = 0; j < across; j++)
		products[j] = part->product ? ((const WIDE *) (part->product + columns->first))[j] :
			(WIDE) {0};
	if (part->product)
		return;
	for (int i = 0; i < columns->in->length; i++, weight += width)
#pragma GCC unroll 8
		for (int j = 0; j < across; j++)
			products[j] += part->x[i] * ((const WIDE *) weight)[j];
}

/* Some of a panel's columns of out: starts, and one after the other the parts' products. */
INLINE TARGET void
KERNEL(add_parts) (const RowColumns *columns, real *out, bool relu, const int across)
{
	const RowInput *in = columns->in;
	WIDE		sums[ROW_ACROSS] ALIGNED;

#pragma GCC unroll 8
	for (int j = 0; j < across; j++)
		sums[j] = (WIDE) {0};
	for (int i = 0; i < in->n_starts; i++)
#pragma GCC unroll 8
		for (int j = 0; j < across; j++)
			sums[j] += ((const WIDE *) (in->start[i] + columns->first))[j];
	for (int p = 0; p < in->n_parts; p++)
	{
		WIDE		products[ROW_ACROSS] ALIGNED;

		KERNEL(part_product) (products, columns, &in->parts[p], across);
#pragma GCC unroll 8
		for (int j = 0; j < across; j++)
			sums[j] += products[j];
	}
#pragma GCC unroll 8
	for (int j = 0; j < across; j++)
	{
		if (relu)
			KERNEL(cut) (&sums[j]);
		((WIDE *) (out + columns->first))[j] = sums[j];
	}
}

/* panels_row() */
static TARGET void
KERNEL(row) (const Panels *panels, int panel, const RowInput *in, real *out, bool relu)
{
	int			n = panels->width / N_WIDE;
	int			across = n < ROW_ACROSS ? n : ROW_ACROSS;
	int			begin = panel * panels->width;

	for (int at = 0; at < panels->width; at += across * N_WIDE)
	{
		RowColumns	columns = {panels, in, begin + at,
		panels->values + (size_t) begin * panels->n_in + at};

		if (across == ROW_ACROSS)
			KERNEL(add_parts) (&columns, out, relu, ROW_ACROSS);
		else if (across == ROW_ACROSS / 2)
			KERNEL(add_parts) (&columns, out, relu, ROW_ACROSS / 2);
		else
			KERNEL(add_parts) (&columns, out, relu, ROW_ACROSS / 4);
	}
}

/* out [n_out, or so many columns] = relu(bias + inputs times their weights) */
INLINE TARGET void
KERNEL(add_inputs) (const RowInputs *inputs, const real *weights, const real *bias, real *out,
					int n_out, const int across)
{
	WIDE		sums[ROW_ACROSS] ALIGNED;

#pragma GCC unroll 8
	for (int j = 0; j < across; j++)
		sums[j] = ((const WIDE *) bias)[j];
	for (int i = 0; i < inputs->n; i++)
	{
		/* find_inputs() filled it up to n, which the analyzer does not follow */
		real		input = inputs->in[inputs->found[i]];	/* NOLINT(clang-analyzer-core.uninitialized.ArraySubscript) */
		const WIDE *weight = (const WIDE *) (weights +
												 (size_t) inputs->found[i] * inputs->width);

#pragma GCC unroll 8
		for (int j = 0; j < across; j++)
			sums[j] += input * weight[j];
	}
#pragma GCC unroll 8
	for (int j = 0; j < across; j++)
	{
		int			n = n_out - j * N_WIDE;

		KERNEL(cut) (&sums[j]);
		if (n >= N_WIDE)
			((WIDE *) out)[j] = sums[j];
		else if (n > 0)
			memcpy(out + j * N_WIDE, &sums[j], n * sizeof(real));
	}
}

/* A panel of panels_layer_row(). */
static TARGET void
KERNEL(layer_row) (const RowInputs *inputs, const real *weights, const real *bias, real *out,
				   int n_out)
{
	int			n = inputs->width / N_WIDE;
	int			across = n < ROW_ACROSS ? n : ROW_ACROSS;

	for (int at = 0; at < inputs->width && at < n_out; at += across * N_WIDE)
	{
		if (across == ROW_ACROSS)
			KERNEL(add_inputs) (inputs, weights + at, bias + at, out + at, n_out - at, ROW_ACROSS);
		else if (across == ROW_ACROSS / 2)
			KERNEL(add_inputs) (inputs, weights + at, bias + at, out + at, n_out - at,
								ROW_ACROSS / 2);
		else
			KERNEL(add_inputs) (inputs, weights + at, bias + at, out + at, n_out - at,
								ROW_ACROSS / 4);
	}
}

#undef WIDE
#undef N_WIDE
#undef VECTOR_BYTES
#undef BATCH_ACROSS
#undef ROW_ACROSS
#undef TARGET
#undef KERNEL
