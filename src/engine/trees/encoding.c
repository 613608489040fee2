/*
 * encoding.c
 *	  Looking up what training rows told of a row's values.
 */
#include "engine/trees/encoding.h"

/* The cell of a row; n_cells: unseen. */
static uint32_t
find_cell(const Encoding *encoding, uint32_t a, uint32_t b)
{
	uint32_t	low = encoding->start[a];
	uint32_t	high = encoding->start[a + 1];
	uint32_t	end = high;

	while (low < high)
	{
		uint32_t	middle = low + (high - low) / 2;

		if (encoding->second[middle] < b)
			low = middle + 1;
		else
			high = middle;
	}
	return low < end && encoding->second[low] == b ? low : encoding->n_cells;
}

void
encodings_inputs(const Encodings *encodings, const uint32_t *ids, float *inputs)
{
	for (int i = 0; i < encodings->n; i++)
	{
		const Encoding *encoding = &encodings->list[i];
		uint32_t	cell = ids[encoding->a];
		const float *values = encodings->unseen;

		if (encoding->b != NO_FIELD)
			cell = find_cell(encoding, cell, ids[encoding->b]);
		if (cell < encoding->n_cells)
			values = encoding->values + (size_t) ENCODING_INPUTS * cell;
		for (int k = 0; k < ENCODING_INPUTS; k++)
			*inputs++ = values[k];
	}
}
