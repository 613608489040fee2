/*
 * panels_rows.h
 *	  Products of rows with a panel, for registers of VECTOR_BYTES: included by
 *	  panels.c for each kind, with ROWS(name) to tell its functions' names.
 *
 * Loops over rows and registers have constant bounds once they are inlined, so
 * that sums stay in registers.
 */
typedef real ROWS(Vector) __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(real)), may_alias));

#define VECTOR ROWS(Vector)
#define N_VECTOR (VECTOR_BYTES / (int) sizeof(real))

/* Sums begin with what is added to a row's product. */
INLINE void
ROWS(begin_sums) (VECTOR (*sums)[MOST_ACROSS], const Columns *columns, int row, const int n_rows,
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
			sums[r][j] = (VECTOR) {0};
		for (int i = 0; i < in->n_starts; i++)
		{
			const VECTOR *from = (const VECTOR *) (start[i] + columns->first +
												   (in->offset ? in->offset[i] : column));

#pragma GCC unroll 4
			for (int j = 0; j < across; j++)
				sums[r][j] += from[j];
		}
	}
}

/* Their products with the inputs are added, part by part. */
INLINE void
ROWS(add_products) (VECTOR (*sums)[MOST_ACROSS], const Columns *columns, int row, const int n_rows,
					const int across)
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
					sums[r][j] += input * ((const VECTOR *) weight)[j];
			}
		}
	}
}

/* The sums, or what of them is above 0, as far as there are columns. */
INLINE void
ROWS(end_sums) (VECTOR (*sums)[MOST_ACROSS], const Columns *columns, int row, const int n_rows,
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
			{
				__typeof__(sums[r][j] > 0) above = sums[r][j] > 0;

				sums[r][j] = (VECTOR) (above & (__typeof__(above)) sums[r][j]);
			}
		if (n >= across * N_VECTOR)
#pragma GCC unroll 4
			for (int j = 0; j < across; j++)
				((VECTOR *) out)[j] = sums[r][j];
		else if (n > 0)
		{
			VECTOR		some[MOST_ACROSS] ALIGNED;

			for (int j = 0; j < across; j++)
				some[j] = sums[r][j];
			memcpy(out, some, n * sizeof(real));
		}
	}
}

INLINE void
ROWS(some_rows) (const Columns *columns, int row, const int n_rows, const int across)
{
	VECTOR		sums[BLOCK][MOST_ACROSS] ALIGNED;

	ROWS(begin_sums) (sums, columns, row, n_rows, across);
	ROWS(add_products) (sums, columns, row, n_rows, across);
	ROWS(end_sums) (sums, columns, row, n_rows, across);
}

/* What a division by BLOCK leaves takes three steps at most. */
INLINE void
ROWS(all_rows) (const Columns *columns, int rows, const int across)
{
	int			row = 0;

	for (; row + BLOCK <= rows; row += BLOCK)
		ROWS(some_rows) (columns, row, BLOCK, across);
	for (; row + 3 <= rows; row += 3)
		ROWS(some_rows) (columns, row, 3, across);
	for (; row < rows; row++)
		ROWS(some_rows) (columns, row, 1, across);
}

#undef VECTOR
#undef N_VECTOR
#undef VECTOR_BYTES
#undef ROWS
