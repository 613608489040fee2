/*
 * encoding.c
 *	  Looking up what training rows told of a row's values.
 */
#include "engine/trees/encoding.h"

#include "engine/base/search.h"

/* The cell of a row; n_cells: unseen. */
static uint32_t
find_cell(const Encoding *encoding, uint32_t a, uint32_t b)
{
	uint32_t	end = encoding->start[a + 1];
	uint32_t	cell = (uint32_t) sorted_place(encoding->second, encoding->start[a], end, b);

	return cell < end && encoding->second[cell] == b ? cell : encoding->n_cells;
}

/* Inputs of a row by one encoding. */
static inline const float *
find_values(const Encodings *encodings, const Encoding *encoding, const uint32_t *ids)
{
	uint32_t	cell = ids[encoding->a];

	if (encoding->b != NO_FIELD)
		cell = find_cell(encoding, cell, ids[encoding->b]);
	return cell < encoding->n_cells ? encoding->values + (size_t) ENCODING_INPUTS * cell :
		encodings->unseen;
}

void
encodings_inputs(const Encodings *encodings, const uint32_t *ids, float *inputs)
{
	for (int i = 0; i < encodings->n; i++)
	{
		const float *values = find_values(encodings, &encodings->list[i], ids);

		for (int k = 0; k < ENCODING_INPUTS; k++)
			*inputs++ = values[k];
	}
}

void
encodings_column(const Encodings *encodings, int i, const uint32_t *ids, int n_fields, int n,
				 float *x, size_t stride)
{
	for (int row = 0; row < n; row++, ids += n_fields)
	{
		const float *values = find_values(encodings, &encodings->list[i], ids);

		for (int k = 0; k < ENCODING_INPUTS; k++)
			x[(size_t) k * stride + (size_t) row] = values[k];
	}
}
