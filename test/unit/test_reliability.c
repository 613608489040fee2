/*
 * test_reliability.c
 *	  Bins of scores: where they end, what is in them.
 */
#include <math.h>

#include "engine/base/random.h"
#include "engine/measure/reliability.h"
#include "toy.h"
#include "unit.h"

#define ROWS 5000
#define BINS 10

static bool
near(double a, double b)
{
	return fabs(a - b) < 1e-12;
}

static void
test_by_hand(Arena *arena)
{
	double		scores[] = {0.9, 0.1, 0.5, 0.5, 0.5, 0.2, 0.0, 1.0};
	uint8_t		labels[] = {1, 0, 1, 0, 1, 0, 0, 1};
	ReliabilityBin bins[4];
	EngineHost	host = toy_host();
	EngineError error;
	int			n;

	CHECK(reliability_bins(arena, scores, labels, 8, 4, BINS_UNIFORM, bins, &n, &host, &error));
	CHECK(n == 3 && bins[0].bin == 1 && bins[1].bin == 2 && bins[2].bin == 4);
	CHECK(bins[0].rows == 3 && bins[0].positives == 0 && near(bins[0].mean_score, 0.1));
	CHECK(bins[1].rows == 3 && bins[1].positives == 2 && bins[1].mean_score == 0.5);
	CHECK(bins[2].rows == 2 && bins[2].lowest == 0.9 && bins[2].highest == 1);
	/* ranks 1, 3 and 5 end bins: 0 0.1 | 0.2 0.5 0.5 0.5 | (none) | 0.9 1 */
	CHECK(reliability_bins(arena, scores, labels, 8, 4, BINS_QUANTILE, bins, &n, &host, &error));
	CHECK(n == 3 && bins[0].bin == 1 && bins[1].bin == 2 && bins[2].bin == 4);
	CHECK(bins[0].rows == 2 && bins[1].rows == 4 && bins[2].rows == 2);
	CHECK(bins[1].lowest == 0.2 && bins[1].highest == 0.5 && near(bins[1].mean_score, 1.7 / 4));
}

static void
test_many(Arena *arena)
{
	static double scores[ROWS];
	static uint8_t labels[ROWS];
	ReliabilityBin bins[BINS];
	EngineHost	host = toy_host();
	EngineError error;
	Random		random;
	uint64_t	rows = 0;
	int			wrong = 0;
	int			n;

	random_start(&random, 2, RANDOM_SCORE, 0);
	for (int i = 0; i < ROWS; i++)
	{
		scores[i] = random_uniform(&random);
		labels[i] = random_uniform(&random) < scores[i];
	}
	CHECK(reliability_bins(arena, scores, labels, ROWS, BINS, BINS_QUANTILE, bins, &n, &host,
						   &error));
	CHECK(n == BINS);
	for (int b = 0; b < n; b++)
	{
		wrong += bins[b].rows != ROWS / BINS || bins[b].lowest > bins[b].mean_score ||
			(b > 0 && bins[b].lowest <= bins[b - 1].highest) ||
			fabs(bins[b].mean_score - (double) bins[b].positives / bins[b].rows) > 0.1;
		rows += bins[b].rows;
	}
	CHECK(wrong == 0 && rows == ROWS);
	CHECK(reliability_bins(arena, scores, labels, ROWS, BINS, BINS_UNIFORM, bins, &n, &host,
						   &error));
	for (int b = 0; b < n; b++)
		wrong += bins[b].bin != b + 1 || bins[b].lowest <= b / 10.0 ||
			bins[b].highest > (b + 1) / 10.0;
	CHECK(wrong == 0 && n == BINS);
}

static void
test_edges(Arena *arena)
{
	double		scores[] = {1e-300, 1e-300, 0.3};
	uint8_t		labels[] = {0, 1, 1};
	ReliabilityBin bins[BINS];
	EngineHost	host = toy_host();
	EngineError error;
	int			n = 7;

	CHECK(reliability_bins(arena, scores, labels, 0, BINS, BINS_QUANTILE, bins, &n, &host, &error));
	CHECK(n == 0);
	CHECK(reliability_bins(arena, scores, labels, 2, BINS, BINS_QUANTILE, bins, &n, &host, &error));
	CHECK(n == 1 && bins[0].bin == 1 && bins[0].rows == 2 && bins[0].mean_score == 1e-300);
	/* fewer rows than bins: a bin each */
	CHECK(reliability_bins(arena, scores + 1, labels, 2, BINS, BINS_QUANTILE, bins, &n, &host, &error));
	CHECK(n == 2 && bins[0].bin == 1 && bins[1].bin == BINS);
	/* an edge belongs to the bin below it */
	CHECK(reliability_bins(arena, scores + 2, labels, 1, BINS, BINS_UNIFORM, bins, &n, &host, &error));
	CHECK(n == 1 && bins[0].bin == 3);
	CHECK(reliability_bins(arena, scores, labels, 3, 1, BINS_UNIFORM, bins, &n, &host, &error));
	CHECK(n == 1 && bins[0].rows == 3 && near(bins[0].mean_score, 0.1));
}

int
main(void)
{
	Arena		arena;

	arena_init_malloc(&arena);
	test_by_hand(&arena);
	test_many(&arena);
	test_edges(&arena);
	arena_free_all(&arena);
	return unit_summary();
}
