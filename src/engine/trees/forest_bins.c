/*
 * forest_bins.c
 *	  Thresholds by quantiles, and rows' bins.
 *
 * One input after the other: the caller fills its values, some of the training
 * rows are sorted, thresholds are put between their values, and threads find the
 * bins of all rows.
 */
#include "engine/trees/forest_bins.h"

#include <math.h>
#include <string.h>

#include "engine/base/sort.h"

/* Training rows whose values decide on thresholds, at most; evenly spaced. */
#define MAX_SORTED 100000
/* Rows of a task. */
#define PART_ROWS 65536
/* Values that are compared together. */
#define BLOCK 128

/* An input at work. */
typedef struct BinJob
{
	const ForestData *data;
	const float *values;		/* [n_train + n_valid] */
	const float *thresholds;	/* [n_thresholds] */
	int			n_thresholds;
	uint8_t    *bins;
} BinJob;

/* A threshold with low at most at it, and high above it. */
static float
between(float low, float high)
{
	float		middle = (float) (((double) low + high) / 2);

	/* rounding or an infinity may lead to the upper end, or nowhere */
	return middle >= low && middle < high ? middle : low;
}

/* Distinct values among n sorted keys; the search ends beyond "most". */
static int
count_distinct(const uint64_t *keys, size_t n, int most)
{
	int			distinct = 1;

	for (size_t i = 1; i < n && distinct <= most; i++)
		distinct += keys[i] != keys[i - 1];
	return distinct;
}

/*
 * Thresholds between n sorted values; returns their number.  Few values have a
 * bin each.  Of many, each bin takes an even share of what is left, and a value
 * that is as common as that has a bin of its own.
 */
static int
find_thresholds(const uint64_t *keys, size_t n, float *thresholds)
{
	bool		bin_each = count_distinct(keys, n, FOREST_BINS) <= FOREST_BINS;
	size_t		start = 0;		/* of the present bin */
	int			found = 0;

	for (size_t from = 0, to; from < n && found < FOREST_BINS - 1; from = to)
	{
		size_t		share = (n - start) / (size_t) (FOREST_BINS - found);

		for (to = from + 1; to < n && keys[to] == keys[from];)
			to++;
		if (from == start || (!bin_each && from - start < share && to - from < share))
			continue;
		thresholds[found++] = between((float) sort_value(keys[from - 1]),
									  (float) sort_value(keys[from]));
		start = from;
	}
	return found;
}

/*
 * How many thresholds is a value above?  Comparing it with all of them is fast in
 * vectors, and a search is not.
 */
static HOT void
find_bins(const float *thresholds, int n_thresholds, const float *values, uint8_t *bins, size_t n)
{
	int32_t		above[BLOCK];

	for (size_t from = 0; from < n; from += BLOCK)
	{
		int			rows = n - from < BLOCK ? (int) (n - from) : BLOCK;

		memset(above, 0, sizeof(above));
		for (int k = 0; k < n_thresholds; k++)
			for (int i = 0; i < rows; i++)
				above[i] += values[from + i] > thresholds[k];
		for (int i = 0; i < rows; i++)
			bins[from + i] = (uint8_t) above[i];
	}
}

static void
bin_part(void *context, int part, int thread)
{
	const BinJob *job = context;
	size_t		n = job->data->n_train + job->data->n_valid;
	size_t		from = (size_t) part * PART_ROWS;
	size_t		rows = n - from < PART_ROWS ? n - from : PART_ROWS;

	(void) thread;
	find_bins(job->thresholds, job->n_thresholds, job->values + from, job->bins + from, rows);
}

/* Sort some training rows' values, NaN as -infinity: both go left everywhere. */
static bool
sort_values(const BinJob *job, uint64_t *keys, size_t n, SortRoom *room, const EngineHost *host,
			EngineError *error)
{
	for (size_t i = 0; i < n; i++)
	{
		float		value = job->values[(uint64_t) i * job->data->n_train / n];

		keys[i] = sort_key(isnan(value) ? -INFINITY : value);
	}
	return sort_keys(keys, NULL, n, room, host, error);
}

bool
forest_bins_build(ForestBins *bins, Arena *arena, const ForestData *data, Team *team,
				  const EngineHost *host, EngineError *error)
{
	size_t		n_rows = data->n_train + data->n_valid;
	size_t		n_sorted = data->n_train < MAX_SORTED ? data->n_train : MAX_SORTED;
	Watch		watch = {.host = host};
	float	   *values;
	uint64_t   *keys;
	SortRoom	room;

	*bins = (ForestBins) {.inputs = ARENA_ARRAY(arena, BinnedInput, data->n_inputs)};
	values = ARENA_ARRAY(arena, float, n_rows);
	keys = ARENA_ARRAY(arena, uint64_t, n_sorted);
	if (!sort_room(&room, arena, n_sorted, false, error))
		return false;
	for (int i = 0; i < data->n_inputs; i++)
	{
		BinnedInput *input = &bins->inputs[bins->n_inputs];
		BinJob		job = {.data = data,.values = values,.thresholds = input->thresholds};

		if (!data->column(data->context, i, values, error) ||
			!sort_values(&job, keys, n_sorted, &room, host, error))
			return false;
		job.n_thresholds = find_thresholds(keys, n_sorted, input->thresholds);
		input->input = i;
		input->n_bins = job.n_thresholds + 1;
		if (input->n_bins == 1)
			continue;
		input->bins = job.bins = ARENA_ARRAY(arena, uint8_t, n_rows);
		if (!arena_ok(arena, error))
			return false;
		team_run(team, &watch, bin_part, &job, (int) ((n_rows + PART_ROWS - 1) / PART_ROWS));
		if (!watch_continue(&watch, error))
			return false;
		bins->n_inputs++;
	}
	return true;
}
