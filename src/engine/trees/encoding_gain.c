/*
 * encoding_gain.c
 *	  Bins of rate and count, a Newton step for each of them, and what it is worth.
 *
 * Two walks over the cells: the first one samples training rows, whose quantiles
 * become the edges of bins; the second one adds up the bins' terms.  Nothing is kept
 * for each row but its place in the order of cells.
 *
 * Threads: an encoding is one task, and its sums are in the order of its walk.
 */
#include "engine/trees/encoding_gain.h"

#include <math.h>

#include "engine/base/sort.h"
#include "engine/measure/calibration.h"

#define RATE_BINS 16
#define COUNT_BINS 6
/* Bins of a binary search without branches. */
#define COUNT_PLACES 8

/* Training rows whose values decide on edges, about so many. */
#define SAMPLED_ROWS 16384

/* Added to second derivatives: a bin of few rows takes a small step. */
#define LAMBDA 20.0

/* Edges between bins, ascending; a value on an edge is above it. */
typedef struct BinEdges
{
	double		rates[RATE_BINS - 1];
	double		counts[COUNT_PLACES - 1];
} BinEdges;

typedef struct BinSums
{
	double		slope;
	double		bend;
} BinSums;

/* Probabilities of validation rows are calibrated. */
static bool
calibrate_valid(const EncodingRows *rows, double *probabilities, const EngineHost *host,
				EngineError *error)
{
	const Dataset *data = rows->data;
	size_t		n_train = rows->n_train;
	Calibration calibration = {0};

	if (!calibration_fit(probabilities + n_train, data->labels + n_train,
						 data->weights ? data->weights + n_train : NULL, rows->n_rows - n_train,
						 &calibration, host, error))
		return false;
	for (size_t row = n_train; row < rows->n_rows; row++)
		probabilities[row] = calibrate(&calibration, probabilities[row], 0);
	return true;
}

bool
gain_terms(Arena *arena, const EncodingRows *rows, const double *logits, GainTerm *terms,
		   const EngineHost *host, EngineError *error)
{
	struct ArenaBlock *mark = arena_mark(arena);
	double	   *probabilities = ARENA_ARRAY(arena, double, rows->n_rows);

	if (!arena_ok(arena, error))
		return false;
	for (size_t row = 0; row < rows->n_rows; row++)
		probabilities[row] = logits ? sigmoid(logits[row]) : rows->prior;
	if (!calibrate_valid(rows, probabilities, host, error))
		return false;
	for (size_t row = 0; row < rows->n_rows; row++)
	{
		double		p = probabilities[row];
		double		weight = dataset_weight(rows->data, row);

		terms[row] = (GainTerm) {
			.slope = (float) (weight * (rows->data->labels[row] - p)),
			.bend = (float) (weight * p * (1 - p))
		};
	}
	arena_reset_to(arena, mark);
	return true;
}

/* Training rows from one sampled row to the next. */
static size_t
sample_stride(const EncodingRows *rows)
{
	return rows->n_train / SAMPLED_ROWS + 1;
}

bool
gain_room(GainRoom *room, Arena *arena, const EncodingRows *rows, EngineError *error)
{
	size_t		n = rows->n_train / sample_stride(rows) + 1;

	if (!cell_room(&room->cells, arena, rows, error))
		return false;
	room->rates = ARENA_ARRAY(arena, uint64_t, n);
	room->counts = ARENA_ARRAY(arena, uint64_t, n);
	room->sorting = ARENA_ARRAY(arena, uint64_t, n);
	return arena_ok(arena, error);
}

/* Sample training rows' values in the order of cells; returns their number. */
static size_t
sample_values(CellWalk walk, GainRoom *room, uint32_t *n_cells)
{
	const EncodingRows *rows = walk.rows;
	size_t		stride = sample_stride(rows);
	size_t		seen = 0;
	size_t		n = 0;
	Cell		cell;

	*n_cells = 0;
	while (cell_next(&walk, &cell))
	{
		*n_cells += cell.n_train > 0 && !cell.unseen;
		for (size_t i = 0; i < cell.n; i++)
		{
			CellValue	value;

			if (cell.rows[i] >= rows->n_train || seen++ % stride != 0)
				continue;
			value = cell_value_for(rows, &cell, cell.rows[i]);
			room->rates[n] = sort_key(value.rate);
			room->counts[n++] = sort_key(value.count);
		}
	}
	return n;
}

/* For sorting in a thread, where the host is not asked. */
static bool
is_stopped(void *watch)
{
	return ((const Watch *) watch)->stopped;
}

/* Edges between n_bins bins of sorted keys [n], and beyond them infinities [n_edges]. */
static bool
find_edges(uint64_t *keys, size_t n, GainRoom *room, int n_bins, double *edges, int n_edges,
		   Watch *watch)
{
	SortRoom	sorting = {.keys = room->sorting};
	EngineHost	host = {.interrupted = is_stopped,.context = watch};
	EngineError error;

	if (!sort_keys(keys, NULL, n, &sorting, &host, &error))
		return false;
	for (int i = 0; i < n_edges; i++)
		edges[i] = i < n_bins - 1 ? sort_value(keys[n * (size_t) (i + 1) / (size_t) n_bins]) :
			INFINITY;
	return true;
}

/* How many of the edges [2 half - 1] is a value not below? */
static inline int
find_bin(const double *edges, int half, double value)
{
	int			bin = 0;

	for (int step = half; step > 0; step /= 2)
		bin += value >= edges[bin + step - 1] ? step : 0;
	return bin;
}

/* The bins' terms of training rows and of validation rows -> sums [2]. */
static void
add_up(CellWalk walk, const BinEdges *edges, const GainTerm *terms,
	   BinSums sums[2][RATE_BINS * COUNT_PLACES])
{
	const EncodingRows *rows = walk.rows;
	Cell		cell;

	while (cell_next(&walk, &cell))
		for (size_t i = 0; i < cell.n; i++)
		{
			uint32_t	row = cell.rows[i];
			CellValue	value = cell_value_for(rows, &cell, row);
			int			bin = find_bin(edges->rates, RATE_BINS / 2, value.rate) * COUNT_PLACES +
				find_bin(edges->counts, COUNT_PLACES / 2, value.count);
			BinSums    *sum = &sums[row >= rows->n_train][bin];

			sum->slope += terms[row].slope;
			sum->bend += terms[row].bend;
		}
}

double
encoding_gain(const EncodingRows *rows, int a, int b, const uint32_t *by_second,
			  const GainTerm *terms, double min_cells, GainRoom *room, Watch *watch,
			  uint32_t *n_cells)
{
	BinSums		sums[2][RATE_BINS * COUNT_PLACES] = {0};
	BinEdges	edges;
	CellWalk	walk;
	double		gain = 0;
	size_t		n;

	if (!cells_sort(rows, a, by_second, &room->cells, watch))
		return NAN;
	walk = cell_walk(rows, a, b, room->cells.order, watch);
	n = sample_values(walk, room, n_cells);
	if (*n_cells <= min_cells || n == 0 || watch_stopped(watch) ||
		!find_edges(room->rates, n, room, RATE_BINS, edges.rates, RATE_BINS - 1, watch) ||
		!find_edges(room->counts, n, room, COUNT_BINS, edges.counts, COUNT_PLACES - 1, watch))
		return NAN;
	add_up(walk, &edges, terms, sums);
	for (int bin = 0; bin < RATE_BINS * COUNT_PLACES; bin++)
	{
		double		step = sums[0][bin].slope / (sums[0][bin].bend + LAMBDA);

		gain += sums[1][bin].slope * step - sums[1][bin].bend * step * step / 2;
	}
	return gain;
}
