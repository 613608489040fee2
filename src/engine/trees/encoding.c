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
