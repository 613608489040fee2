/*
 * reliability.c
 *	  Rows in bins by their score.
 */
#include "engine/measure/reliability.h"

#include <math.h>

#include "engine/base/sort.h"
#include "engine/base/total.h"

/* Rows between two looks at the host. */
#define CHUNK ((size_t) 1 << 20)

/* Where bin b (from 1) ends, from where the one before did; keys [n] ascend. */
static size_t
end_of_bin(const uint64_t *keys, size_t n, size_t start, int b, int n_bins,
		   BinStrategy strategy)
{
	size_t		end = start;

	if (b == n_bins)
		return n;
	if (strategy == BINS_UNIFORM)
	{
		while (end < n && sort_value(keys[end]) <= (double) b / n_bins)
			end++;
		return end;
	}
	end = (n - 1) / n_bins * b + (n - 1) % n_bins * b / n_bins + 1;
	if (end <= start)
		return start;
	while (end < n && keys[end] == keys[end - 1])
		end++;
	return end;
}

/* Rows from .. to - 1, of which there is one. */
static bool
fill_bin(const uint64_t *keys, const uint32_t *labels, size_t from, size_t to, int b,
		 ReliabilityBin *bin, const EngineHost *host, EngineError *error)
{
	Total		sum = {0};

	*bin = (ReliabilityBin)
	{
		.bin = b,.rows = to - from,
		.lowest = sort_value(keys[from]),.highest = sort_value(keys[to - 1])
	};
	for (size_t i = from; i < to; i++)
	{
		if ((i - from) % CHUNK == 0 && !host_continue(host, error))
			return false;
		bin->positives += labels[i];
		total_add(&sum, sort_value(keys[i]));
	}
	/* tiny scores are rounded in the sum */
	bin->mean_score = fmin(fmax(total_value(&sum) / (double) bin->rows, bin->lowest),
						   bin->highest);
	return true;
}

bool
reliability_bins(Arena *arena, const double *scores, const uint8_t *labels, size_t n,
				 int n_bins, BinStrategy strategy, ReliabilityBin *bins, int *n_filled,
				 const EngineHost *host, EngineError *error)
{
	struct ArenaBlock *mark = arena_mark(arena);
	uint64_t   *keys = ARENA_ARRAY(arena, uint64_t, n);
	uint32_t   *sorted_labels = ARENA_ARRAY(arena, uint32_t, n);
	SortRoom	room;
	size_t		start = 0;

	*n_filled = 0;
	if (!arena_ok(arena, error) || !sort_room(&room, arena, n, true, error))
		return false;
	for (size_t i = 0; i < n; i++)
	{
		keys[i] = sort_key(scores[i]);
		sorted_labels[i] = labels[i];
	}
	if (!sort_keys(keys, sorted_labels, n, &room, host, error))
		return false;
	for (int b = 1; b <= n_bins && start < n; b++)
	{
		size_t		end = end_of_bin(keys, n, start, b, n_bins, strategy);

		if (end > start &&
			!fill_bin(keys, sorted_labels, start, end, b, &bins[(*n_filled)++], host, error))
			return false;
		start = end;
	}
	arena_reset_to(arena, mark);
	return true;
}
