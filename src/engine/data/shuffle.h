/*
 * shuffle.h
 *	  The order in which an epoch visits training rows.
 *
 * Rows lie in an order of no meaning (dataset.h).  Chunks of them are put in a
 * random order, and rows are shuffled within windows of many chunks: a batch is
 * drawn from all over the rows, yet only a window of them need be in memory at
 * a time.  Few rows are one window.
 */
#ifndef AREAD_ENGINE_DATA_SHUFFLE_H
#define AREAD_ENGINE_DATA_SHUFFLE_H

#include "engine/base/random.h"

/* Rows of a chunk, chunks of a window. */
#define CHUNK_ROWS 512
#define WINDOW_CHUNKS 128

/* Chunks of n rows. */
extern size_t shuffle_chunks(size_t n);
/* order[n]: the numbers 0 .. n - 1; chunks[shuffle_chunks(n)] is scratch. */
extern void shuffle_rows(Random *random, size_t n, uint32_t *chunks, uint32_t *order);

#endif							/* AREAD_ENGINE_DATA_SHUFFLE_H */
