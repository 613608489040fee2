/*
 * shuffle.c
 *	  The order in which an epoch visits training rows.
 */
#include "engine/data/shuffle.h"

size_t
shuffle_chunks(size_t n)
{
	return (n + CHUNK_ROWS - 1) / CHUNK_ROWS;
}

/* A chunk's rows -> order; returns how many. */
static size_t
unfold(uint32_t chunk, size_t n, uint32_t *order)
{
	size_t		first = (size_t) chunk * CHUNK_ROWS;
	size_t		rows = n - first < CHUNK_ROWS ? n - first : CHUNK_ROWS;

	for (size_t i = 0; i < rows; i++)
		order[i] = (uint32_t) (first + i);
	return rows;
}

void
shuffle_rows(Random *random, size_t n, uint32_t *chunks, uint32_t *order)
{
	size_t		n_chunks = shuffle_chunks(n);

	for (size_t c = 0; c < n_chunks; c++)
		chunks[c] = (uint32_t) c;
	if (n_chunks > WINDOW_CHUNKS)
		random_shuffle(random, chunks, n_chunks);
	for (size_t c = 0; c < n_chunks; c += WINDOW_CHUNKS)
	{
		size_t		end = c + WINDOW_CHUNKS < n_chunks ? c + WINDOW_CHUNKS : n_chunks;
		size_t		rows = 0;

		for (size_t i = c; i < end; i++)
			rows += unfold(chunks[i], n, order + rows);
		random_shuffle(random, order, rows);
		order += rows;
	}
}
