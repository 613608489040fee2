/*
 * test_ranking.c
 *	  Measures of lists against every order of tied rows.
 */
#include <math.h>
#include <string.h>

#include "engine/base/random.h"
#include "engine/measure/ranking.h"
#include "toy.h"
#include "unit.h"

#define N 6

static bool
near(double a, double b)
{
	return fabs(a - b) < 1e-12;
}

/* Measures summed over all orders of rows that have descending scores. */
typedef struct Orders
{
	const double *scores;
	const double *gains;
	int			k;
	double		n;
	double		dcg;
	double		found;			/* gain in the first k */
	double		hits;			/* orders with gain in the first k */
	double		precisions;		/* up to each gain in the first k */
	double		reciprocal;		/* 1 / rank of the first gain in the first k */
} Orders;

static void
add_order(Orders *orders, const int *rows)
{
	double		found = 0;

	for (int i = 1; i < N; i++)
		if (orders->scores[rows[i - 1]] < orders->scores[rows[i]])
			return;
	orders->n++;
	for (int i = 0; i < orders->k; i++)
	{
		orders->dcg += orders->gains[rows[i]] / log2(i + 2);
		orders->found += orders->gains[rows[i]];
		if (orders->gains[rows[i]] == 0)
			continue;
		orders->reciprocal += found == 0 ? 1.0 / (i + 1) : 0;
		orders->precisions += ++found / (i + 1);
	}
	orders->hits += found > 0;
}

static void
permute(Orders *orders, int *rows, int from)
{
	if (from == N)
		add_order(orders, rows);
	for (int i = from; i < N; i++)
	{
		int			row = rows[i];

		rows[i] = rows[from];
		rows[from] = row;
		permute(orders, rows, from + 1);
		rows[from] = rows[i];
		rows[i] = row;
	}
}

static Orders
all_orders(const double *scores, const double *gains, int k)
{
	Orders		orders = {.scores = scores,.gains = gains,.k = k};
	int			rows[N];

	for (int i = 0; i < N; i++)
		rows[i] = i;
	permute(&orders, rows, 0);
	return orders;
}

static double
of_kind(RankingKind kind, const double *scores, const uint8_t *labels, size_t n, uint64_t k)
{
	EngineHost	host = toy_host();
	EngineError error;
	Arena		arena;
	double		value = -1;

	arena_init_malloc(&arena);
	CHECK(ranking_measure(kind, &arena, scores, labels, n, k, &value, &host, &error));
	arena_free_all(&arena);
	return value;
}

/* Lists of one tie, of no row or positive, shorter than k, and with ties far down. */
static void
test_labels(void)
{
	double		level[5] = {1, 1, 1, 1, 1};
	uint8_t		one[5] = {0, 0, 1, 0, 0};
	uint8_t		none[5] = {0};
	uint8_t		all[5] = {1, 1, 1, 1, 1};

	CHECK(near(of_kind(RANKING_HIT_RATE, level, one, 5, 2), 0.4));
	CHECK(near(of_kind(RANKING_PRECISION, level, one, 5, 2), 0.2));
	CHECK(near(of_kind(RANKING_RECIPROCAL_RANK, level, one, 5, 0),
			   (1 + 1 / 2.0 + 1 / 3.0 + 1 / 4.0 + 1 / 5.0) / 5));
	CHECK(near(of_kind(RANKING_RECIPROCAL_RANK, level, one, 5, 2), (1 + 1 / 2.0) / 5));
	CHECK(of_kind(RANKING_AVERAGE_PRECISION, level, all, 5, 0) == 1);
	CHECK(of_kind(RANKING_AVERAGE_PRECISION, level, all, 5, 9) == 1);
	CHECK(near(of_kind(RANKING_PRECISION, level, all, 5, 10), 0.5));
	CHECK(of_kind(RANKING_PRECISION, level, all, 5, 0) == 1);
	CHECK(of_kind(RANKING_PRECISION, level, none, 5, 3) == 0);
	CHECK(isnan(of_kind(RANKING_PRECISION, level, none, 0, 3)));
	for (int kind = RANKING_RECALL; kind <= RANKING_RECIPROCAL_RANK; kind++)
		if (kind != RANKING_PRECISION)
			CHECK(isnan(of_kind(kind, level, none, 5, 3)) &&
				  isnan(of_kind(kind, level, none, 0, 0)));
}

static void
test_against_orders(Arena *arena)
{
	EngineHost	host = toy_host();
	EngineError error;
	Random		random;

	random_start(&random, 3, RANDOM_SCORE, 0);
	for (int round = 0; round < 60; round++)
	{
		double		scores[N];
		double		gains[N];
		double		relevant[N];
		uint8_t		labels[N];
		double		n_relevant = 0;
		double		ndcg;
		double		recall;
		int			k = 1 + round % N;

		for (int i = 0; i < N; i++)
		{
			scores[i] = (double) random_below(&random, 3) - 1;
			gains[i] = (double) random_below(&random, 4) / 2;
			labels[i] = gains[i] > 0.7;
			relevant[i] = labels[i];
			n_relevant += labels[i];
		}
		CHECK(ranking_ndcg(arena, scores, gains, N, k, &ndcg, &host, &error));
		CHECK(ranking_measure(RANKING_RECALL, arena, scores, labels, N, k, &recall, &host, &error));
		if (n_relevant == 0)
		{
			CHECK(isnan(recall));
			continue;
		}
		Orders		ranked = all_orders(scores, gains, k);
		Orders		best = all_orders(gains, gains, k);
		Orders		found = all_orders(scores, relevant, k);

		CHECK(near(ndcg, ranked.dcg / ranked.n / (best.dcg / best.n)));
		CHECK(near(recall, found.found / found.n / n_relevant));
		CHECK(near(of_kind(RANKING_PRECISION, scores, labels, N, k), found.found / found.n / k));
		CHECK(near(of_kind(RANKING_HIT_RATE, scores, labels, N, k), found.hits / found.n));
		CHECK(near(of_kind(RANKING_AVERAGE_PRECISION, scores, labels, N, k),
				   found.precisions / found.n / fmin(n_relevant, k)));
		CHECK(near(of_kind(RANKING_RECIPROCAL_RANK, scores, labels, N, k),
				   found.reciprocal / found.n));
	}
}

/* The order of rows does not matter, all rows are a k, and the best order has 1. */
static void
test_many(Arena *arena)
{
	enum
	{
		ROWS = 3000
	};
	static double scores[ROWS];
	static double gains[ROWS];
	static double scores_back[ROWS];
	static double gains_back[ROWS];
	EngineHost	host = toy_host();
	EngineError error;
	Random		random;
	double		ndcg;
	double		back;

	random_start(&random, 4, RANDOM_SCORE, 0);
	for (int i = 0; i < ROWS; i++)
	{
		scores[i] = (double) random_below(&random, 200) / 7;
		gains[i] = random_uniform(&random) * 1e300;
		scores_back[ROWS - 1 - i] = scores[i];
		gains_back[ROWS - 1 - i] = gains[i];
	}
	CHECK(ranking_ndcg(arena, scores, gains, ROWS, 100, &ndcg, &host, &error));
	CHECK(ranking_ndcg(arena, scores_back, gains_back, ROWS, 100, &back, &host, &error));
	CHECK(ndcg > 0 && ndcg < 1 && ndcg == back);
	CHECK(ranking_ndcg(arena, scores, gains, ROWS, 0, &ndcg, &host, &error));
	CHECK(ranking_ndcg(arena, scores, gains, ROWS, ROWS + 9, &back, &host, &error));
	CHECK(ndcg == back);
	CHECK(ranking_ndcg(arena, gains, gains, ROWS, 0, &ndcg, &host, &error));
	CHECK(ndcg == 1);
}

static void
test_edges(Arena *arena)
{
	double		scores[] = {INFINITY, -INFINITY};
	double		gains[] = {0, 0};
	uint8_t		labels[] = {0, 1};
	EngineHost	host = toy_host();
	EngineError error;
	double		value;

	CHECK(ranking_ndcg(arena, scores, gains, 2, 1, &value, &host, &error) && isnan(value));
	CHECK(ranking_ndcg(arena, scores, gains, 0, 1, &value, &host, &error) && isnan(value));
	CHECK(ranking_measure(RANKING_RECALL, arena, scores, labels, 0, 1, &value, &host, &error) && isnan(value));
	CHECK(ranking_measure(RANKING_RECALL, arena, scores, labels, 2, 1, &value, &host, &error) && value == 0);
	CHECK(ranking_measure(RANKING_RECALL, arena, scores, labels, 2, 0, &value, &host, &error) && value == 1);
	gains[1] = 3;
	CHECK(ranking_ndcg(arena, scores, gains, 2, 0, &value, &host, &error));
	CHECK(near(value, 1 / log2(3)));
}

/* Of a tie's places those among the first k count. */
static void
test_ties(void)
{
	const EngineHost host = toy_host();
	EngineError error;
	int			wrong = 0;

	for (size_t first = 0; first < 8; first++)
		for (size_t n = 1; n < 8; n++)
			for (size_t k = 0; k < 16; k++)
			{
				Tie			tie = tie_of(first, n, k, 2);
				size_t		counted = 0;
				double		expected = 0;
				double		sum;

				for (size_t place = first; place < first + n && place < k; place++)
				{
					counted++;
					expected += 1 / log2((double) place + 2);
				}
				wrong += !tie_discounts(&tie, &sum, &host, &error) || sum != expected;
				wrong += tie.counted != counted || !near(tie_positives(&tie), 2.0 * counted / n);
			}
	CHECK(wrong == 0);
}

int
main(void)
{
	Arena		arena;

	arena_init_malloc(&arena);
	test_labels();
	test_against_orders(&arena);
	test_many(&arena);
	test_edges(&arena);
	test_ties();
	arena_free_all(&arena);
	return unit_summary();
}
