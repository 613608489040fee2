/*
 * test_retrieval.c
 *	  Vectors of users and items that multiply to a model's logits.
 */
#include <math.h>
#include <string.h>

#include "engine/base/random.h"
#include "engine/score/retrieval.h"
#include "unit.h"

#define USERS 35
#define ITEMS 40
#define MAX_DIM 30

/* logits [USERS, ITEMS]: sums of "rank" products of normal numbers. */
static void
draw(double *logits, size_t rank, uint64_t seed)
{
	double		left[USERS][MAX_DIM];
	double		right[ITEMS][MAX_DIM];
	Random		random;

	random_start(&random, seed, RANDOM_SCORE, 0);
	for (int u = 0; u < USERS; u++)
		for (size_t k = 0; k < rank; k++)
			left[u][k] = random_normal(&random);
	for (int i = 0; i < ITEMS; i++)
		for (size_t k = 0; k < rank; k++)
			right[i][k] = random_normal(&random);
	for (int u = 0; u < USERS; u++)
		for (int i = 0; i < ITEMS; i++)
		{
			logits[u * ITEMS + i] = 0;
			for (size_t k = 0; k < rank; k++)
				logits[u * ITEMS + i] += 0.5 * left[u][k] * right[i][k];
		}
}

static double
score_of(double logit)
{
	return 1 / (1 + exp(-logit));
}

/* As its caller does it; returns how many columns were asked for. */
static int
take_apart(Arena *arena, const double *logits, size_t dim, Retrieval *retrieval)
{
	double		scores[ITEMS > USERS ? ITEMS : USERS];
	EngineError error;
	int			n_columns = 0;

	CHECK(retrieval_init(arena, USERS, ITEMS, dim, retrieval, &error));
	while (retrieval_wants(retrieval))
	{
		CHECK(retrieval->user < USERS && !retrieval->seen[retrieval->user]);
		for (int i = 0; i < ITEMS; i++)
			scores[i] = score_of(logits[retrieval->user * ITEMS + i]);
		if (!retrieval_row(retrieval, scores))
			continue;
		for (int u = 0; u < USERS; u++)
			scores[u] = score_of(logits[u * ITEMS + retrieval->item]);
		retrieval_column(retrieval, scores);
		n_columns++;
	}
	return n_columns;
}

/* The largest error of products; numbers beyond "n" are 0, and no item's is above 1. */
static double
check_vectors(const Retrieval *retrieval, const double *logits)
{
	double		worst = 0;
	bool		sound = true;

	for (size_t u = 0; u < USERS; u++)
		for (size_t i = 0; i < ITEMS; i++)
		{
			const float *user = retrieval->users + u * retrieval->dim;
			const float *item = retrieval->items + i * retrieval->dim;
			double		product = 0;

			for (size_t k = 0; k < retrieval->dim; k++)
			{
				product += (double) user[k] * item[k];
				sound = sound && fabsf(item[k]) <= 1.0001f &&
					(k < retrieval->n || (user[k] == 0 && item[k] == 0));
			}
			worst = fmax(worst, fabs(product - logits[u * ITEMS + i]));
		}
	CHECK(sound);
	return worst;
}

static void
check_rank(size_t rank, size_t dim)
{
	double		logits[USERS * ITEMS];
	double		worst;
	Retrieval	retrieval;
	Arena		arena;

	draw(logits, rank, rank + dim);
	arena_init_malloc(&arena);
	CHECK(take_apart(&arena, logits, dim, &retrieval) == (int) retrieval.n);
	worst = check_vectors(&retrieval, logits);
	CHECK(retrieval.n == (rank < dim ? rank : dim));
	/* as many numbers as directions: nothing is lost; of fewer something is, but nothing blows up */
	if (dim >= rank)
		CHECK(worst < 1e-4);
	else
		CHECK(worst > 0.1 && worst < 20);
	arena_free_all(&arena);
}

/* Groups of users who know groups of items each: no column of one tells of the others. */
static void
check_blocks(void)
{
	double		logits[USERS * ITEMS] = {0};
	Retrieval	retrieval;
	Arena		arena;

	for (int u = 0; u < USERS; u++)
		for (int i = 0; i < ITEMS; i++)
			if (u % 5 == i % 5)
				logits[u * ITEMS + i] = 1 + u % 5;
	arena_init_malloc(&arena);
	take_apart(&arena, logits, 8, &retrieval);
	CHECK(retrieval.n == 5 && check_vectors(&retrieval, logits) < 1e-5);
	arena_free_all(&arena);
}

/* Directions that rounding makes are none. */
static void
check_rounding(void)
{
	double		logits[USERS * ITEMS];
	Retrieval	retrieval;
	Random		random;
	Arena		arena;

	draw(logits, 2, 9);
	random_start(&random, 1, RANDOM_SCORE, 1);
	for (int i = 0; i < USERS * ITEMS; i++)
		logits[i] += 2e-7 * random_normal(&random);
	arena_init_malloc(&arena);
	take_apart(&arena, logits, 16, &retrieval);
	CHECK(retrieval.n == 2 && check_vectors(&retrieval, logits) < 1e-4);
	arena_free_all(&arena);
}

/* Scores of 0 and 1, a model that knows nothing, nobody at all. */
static void
check_odd(void)
{
	double		logits[USERS * ITEMS];
	Retrieval	retrieval;
	Arena		arena;
	EngineError error;

	arena_init_malloc(&arena);
	for (int i = 0; i < USERS * ITEMS; i++)
		logits[i] = i % 3 == 0 ? INFINITY : i % 3 == 1 ? -INFINITY : 0;
	take_apart(&arena, logits, 4, &retrieval);
	for (size_t i = 0; i < USERS * retrieval.dim; i++)
		CHECK(isfinite(retrieval.users[i]));
	memset(logits, 0, sizeof(logits));
	CHECK(take_apart(&arena, logits, 4, &retrieval) == 0 && retrieval.n_rows == 3 * 4);
	CHECK(check_vectors(&retrieval, logits) == 0);
	CHECK(retrieval_init(&arena, 0, 3, 2, &retrieval, &error) && !retrieval_wants(&retrieval));
	CHECK(retrieval_init(&arena, 3, 0, 2, &retrieval, &error) && !retrieval_wants(&retrieval));
	arena_free_all(&arena);
}

int
main(void)
{
	check_rank(1, 1);
	check_rank(5, 5);
	check_rank(5, 12);
	check_rank(12, 30);
	check_rank(20, 8);
	check_blocks();
	check_rounding();
	check_odd();
	return unit_summary();
}
