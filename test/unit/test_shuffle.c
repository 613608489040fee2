/*
 * test_shuffle.c
 *	  An epoch's order: every row once, near rows apart, windows that hold what
 *	  they say.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/data/shuffle.h"
#include "unit.h"

#define WINDOW_ROWS (CHUNK_ROWS * WINDOW_CHUNKS)

/* Chunks that a window's rows come from. */
static size_t
chunks_of_window(const uint32_t *order, size_t n, size_t n_chunks)
{
	uint8_t    *seen = calloc(n_chunks, 1);
	size_t		count = 0;

	for (size_t i = 0; i < n; i++)
	{
		count += !seen[order[i] / CHUNK_ROWS];
		seen[order[i] / CHUNK_ROWS] = 1;
	}
	free(seen);
	return count;
}

static void
check_order(size_t n)
{
	size_t		n_chunks = shuffle_chunks(n);
	uint32_t   *chunks = malloc((n_chunks + 1) * sizeof(uint32_t));
	uint32_t   *order = malloc((n + 1) * sizeof(uint32_t));
	uint32_t   *other = malloc((n + 1) * sizeof(uint32_t));
	uint8_t    *seen = calloc(n + 1, 1);
	size_t		twice = 0;
	size_t		neighbours = 0;
	Random		random;

	random_start(&random, 1, RANDOM_SHUFFLE, 1);
	shuffle_rows(&random, n, chunks, order);
	for (size_t i = 0; i < n; i++)
	{
		CHECK(order[i] < n);
		twice += seen[order[i]]++;
		neighbours += i > 0 && order[i] == order[i - 1] + 1;
	}
	CHECK(twice == 0);
	/* by chance one in a window */
	CHECK(neighbours <= 10 + 5 * (n / WINDOW_ROWS));
	/* a chunk that is not full shifts the windows behind it */
	for (size_t at = 0; at + WINDOW_ROWS <= n && n % CHUNK_ROWS == 0; at += WINDOW_ROWS)
		CHECK(chunks_of_window(order + at, WINDOW_ROWS, n_chunks) == WINDOW_CHUNKS);

	/* the same again, and another one in another epoch */
	random_start(&random, 1, RANDOM_SHUFFLE, 1);
	shuffle_rows(&random, n, chunks, other);
	CHECK(memcmp(order, other, n * sizeof(uint32_t)) == 0);
	random_start(&random, 1, RANDOM_SHUFFLE, 2);
	shuffle_rows(&random, n, chunks, other);
	CHECK(n < 10 || memcmp(order, other, n * sizeof(uint32_t)) != 0);

	free(chunks);
	free(order);
	free(other);
	free(seen);
}

/* Rows of the first window come from all over. */
static void
check_spread(void)
{
	size_t		n = 20 * WINDOW_ROWS;
	uint32_t   *chunks = malloc(shuffle_chunks(n) * sizeof(uint32_t));
	uint32_t   *order = malloc(n * sizeof(uint32_t));
	double		sum = 0;
	Random		random;

	random_start(&random, 7, RANDOM_SHUFFLE, 1);
	shuffle_rows(&random, n, chunks, order);
	for (size_t i = 0; i < WINDOW_ROWS; i++)
		sum += (double) order[i] / n;
	/* a mean of 128 uniform ones: 0.5 give or take 0.026 */
	CHECK(sum / WINDOW_ROWS > 0.4 && sum / WINDOW_ROWS < 0.6);
	free(chunks);
	free(order);
}

int
main(void)
{
	check_order(0);
	check_order(1);
	check_order(CHUNK_ROWS);
	check_order(1000);
	check_order(WINDOW_ROWS);
	check_order(WINDOW_ROWS + 1);
	check_order(3 * WINDOW_ROWS);
	check_order(3 * WINDOW_ROWS + 700);
	check_spread();
	return unit_summary();
}
