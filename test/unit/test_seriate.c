/*
 * test_seriate.c
 *	  Orders: planted groups, a planted line, ties, nothing alike.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/random.h"
#include "draw/seriate.h"
#include "unit.h"

#define N 30

static bool
is_permutation(const int *order, int n)
{
	bool		seen[N] = {false};

	for (int i = 0; i < n; i++)
	{
		if (order[i] < 0 || order[i] >= n || seen[order[i]])
			return false;
		seen[order[i]] = true;
	}
	return true;
}

static bool
run(const double *similarity, int n, int *order)
{
	EngineError error;
	Arena		arena;
	bool		done;

	arena_init_malloc(&arena);
	done = seriate(&arena, similarity, n, order, &error);
	arena_free_all(&arena);
	return done;
}

/* Things of one group of three are more alike, whatever the noise: groups stay together. */
static void
test_groups(void)
{
	double		similarity[N * N];
	int			order[N];
	int			changes = 0;
	Random		random;

	random_start(&random, 7, RANDOM_SIMULATE, 0);
	for (int a = 0; a < N; a++)
		for (int b = a; b < N; b++)
			similarity[a * N + b] = similarity[b * N + a] =
				(a % 3 == b % 3 ? 0.5 : 0.1) + 0.3 * random_uniform(&random);
	CHECK(run(similarity, N, order));
	CHECK(is_permutation(order, N));
	for (int i = 1; i < N; i++)
		changes += order[i] % 3 != order[i - 1] % 3;
	CHECK(changes == 2);
}

/* Things on a line, numbered out of order: the line comes back, its end with the lower number first. */
static void
test_line(void)
{
	double		similarity[N * N];
	int			order[N];
	int			wrong = 0;

	for (int a = 0; a < N; a++)
		for (int b = 0; b < N; b++)
		{
			double		distance = fabs((double) (a * 7 % N) - b * 7 % N);

			similarity[a * N + b] = 1 / (1 + distance);
		}
	CHECK(run(similarity, N, order));
	CHECK(is_permutation(order, N));
	CHECK(order[0] < order[N - 1]);
	for (int i = 1; i < N; i++)
		wrong += abs(order[i] * 7 % N - order[i - 1] * 7 % N) != 1;
	/* single steps at the joints of clusters may be missed, most are not */
	CHECK(wrong <= 6);
}

/* Average linkage, by hand: 0 and 2 join first, then 1 and 3, and 2 and 3 are the ends most alike. */
static void
test_by_hand(void)
{
	const double similarity[16] = {
		1.0, 0.1, 0.9, 0.2,
		0.1, 1.0, 0.1, 0.8,
		0.9, 0.1, 1.0, 0.3,
		0.2, 0.8, 0.3, 1.0
	};
	const int	wanted[4] = {0, 2, 3, 1};
	int			order[4];

	CHECK(run(similarity, 4, order));
	CHECK(memcmp(order, wanted, sizeof(wanted)) == 0);
}

static void
test_edges(void)
{
	double		similarity[N * N] = {0};
	int			order[N] = {-1};

	CHECK(run(similarity, 0, order));
	CHECK(order[0] == -1);
	similarity[0] = NAN;
	CHECK(run(similarity, 1, order));
	CHECK(order[0] == 0);
	/* all alike, or none at all: nothing to tell them by, but all are there */
	for (int i = 0; i < N * N; i++)
		similarity[i] = 1;
	CHECK(run(similarity, N, order) && is_permutation(order, N));
	for (int i = 0; i < N * N; i++)
		similarity[i] = NAN;
	CHECK(run(similarity, N, order) && is_permutation(order, N));
	/* but one pair */
	similarity[3 * N + 17] = similarity[17 * N + 3] = 0.2;
	CHECK(run(similarity, N, order) && is_permutation(order, N));
	for (int i = 0; i < N; i++)
		if (order[i] == 3)
			CHECK((i > 0 && order[i - 1] == 17) || (i + 1 < N && order[i + 1] == 17));
}

int
main(void)
{
	test_groups();
	test_line();
	test_by_hand();
	test_edges();
	return unit_summary();
}
