/*
 * test_retrieval.c
 *	  Singular values, and vectors of users and items that multiply to a model's logits.
 */
#include <math.h>
#include <string.h>

#include "engine/base/random.h"
#include "engine/base/svd.h"
#include "engine/score/retrieval.h"
#include "unit.h"

#define MAX_N 40

static bool
never(void *context)
{
	(void) context;
	return false;
}

static bool
always(void *context)
{
	(void) context;
	return true;
}

static const EngineHost calm = {.interrupted = never};
static const EngineHost impatient = {.interrupted = always};

/* The largest difference between m^T m, of columns [n, n], and one with ones for the first "rank" columns. */
static double
orthogonal_error(const double *m, size_t n, size_t rank)
{
	double		worst = 0;

	for (size_t j = 0; j < n; j++)
		for (size_t k = 0; k < n; k++)
		{
			double		sum = 0;

			for (size_t i = 0; i < n; i++)
				sum += m[i * n + j] * m[i * n + k];
			worst = fmax(worst, fabs(sum - (j == k && j < rank)));
		}
	return worst;
}

static double
product_error(const double *a, const double *u, const double *s, const double *v, size_t n)
{
	double		worst = 0;

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++)
		{
			double		sum = 0;

			for (size_t k = 0; k < n; k++)
				sum += u[i * n + k] * s[k] * v[j * n + k];
			worst = fmax(worst, fabs(sum - a[i * n + j]));
		}
	return worst;
}

/* Sums of "rank" products of normal numbers, times a size. */
static void
draw_matrix(double *a, size_t rows, size_t columns, size_t rank, double size, uint64_t seed)
{
	double		left[MAX_N * MAX_N];
	double		right[MAX_N * MAX_N];
	Random		random;

	random_start(&random, seed, RANDOM_SCORE, 0);
	for (size_t i = 0; i < rows * rank; i++)
		left[i] = random_normal(&random);
	for (size_t i = 0; i < columns * rank; i++)
		right[i] = random_normal(&random);
	memset(a, 0, rows * columns * sizeof(double));
	for (size_t i = 0; i < rows; i++)
		for (size_t j = 0; j < columns; j++)
			for (size_t k = 0; k < rank; k++)
				a[i * columns + j] += size * left[i * rank + k] * right[j * rank + k];
}

static void
check_svd(size_t n, size_t rank, double size)
{
	double		a[MAX_N * MAX_N];
	double		u[MAX_N * MAX_N];
	double		s[MAX_N];
	double		v[MAX_N * MAX_N];
	size_t		positive = 0;
	bool		descending = true;
	Arena		arena;
	EngineError error;

	draw_matrix(a, n, n, rank, size, n * 100 + rank);
	arena_init_malloc(&arena);
	CHECK(svd(&arena, a, n, u, s, v, &calm, &error));
	for (size_t k = 0; k < n; k++)
	{
		descending = descending && (k == 0 || s[k] <= s[k - 1]) && s[k] >= 0;
		positive += s[k] > 1e-10 * s[0];
	}
	CHECK(descending);
	CHECK(positive == rank);
	CHECK(product_error(a, u, s, v, n) <= 1e-11 * size * n);
	CHECK(orthogonal_error(v, n, n) < 1e-12);
	if (rank == n)
		CHECK(orthogonal_error(u, n, n) < 1e-12);
	CHECK(arena.bytes == 0);
	arena_free_all(&arena);
}

static void
test_svd(void)
{
	/* by hand: [[3, 0], [4, 5]] has singular values 3 sqrt(5) and sqrt(5) */
	static const double a[4] = {3, 0, 4, 5};
	double		u[4];
	double		s[2];
	double		v[4];
	Arena		arena;
	EngineError error;

	arena_init_malloc(&arena);
	CHECK(svd(&arena, a, 2, u, s, v, &calm, &error));
	CHECK(fabs(s[0] - 3 * sqrt(5)) < 1e-14 && fabs(s[1] - sqrt(5)) < 1e-14);
	CHECK(!svd(&arena, a, 2, u, s, v, &impatient, &error) && error.code == ENGINE_INTERRUPTED);
	arena_free_all(&arena);
	check_svd(1, 1, 1);
	check_svd(7, 7, 1);
	check_svd(40, 40, 1e-150);
	check_svd(40, 40, 1e100);
	check_svd(30, 6, 1);
	check_svd(5, 0, 1);
}

static double
score_of(double logit)
{
	return 1 / (1 + exp(-logit));
}

/* The largest error of products of vectors, all users with all items, where logits have so many directions. */
static double
vector_error(size_t rank, size_t n, size_t dim, bool *rest_is_zero)
{
	enum
	{
		USERS = 35, ITEMS = 40
	};
	double		logits[MAX_N * MAX_N];
	double		scores[MAX_N * MAX_N];
	double		worst = 0;
	Retrieval	retrieval;
	Arena		arena;
	EngineError error;

	draw_matrix(logits, USERS, ITEMS, rank, 0.5, 3);
	arena_init_malloc(&arena);
	/* anchors: the first n of both */
	for (size_t i = 0; i < n * n; i++)
		scores[i] = score_of(logits[i / n * ITEMS + i % n]);
	CHECK(retrieval_fit(&arena, scores, n, dim, &calm, &retrieval, &error));
	*rest_is_zero = true;
	for (size_t u = 0; u < USERS; u++)
		for (size_t i = 0; i < ITEMS; i++)
		{
			float		user[MAX_N];
			float		item[MAX_N];
			double		product = 0;

			for (size_t k = 0; k < n; k++)
				scores[k] = score_of(logits[u * ITEMS + k]);
			retrieval_user(&retrieval, scores, user);
			for (size_t k = 0; k < n; k++)
				scores[k] = score_of(logits[k * ITEMS + i]);
			retrieval_item(&retrieval, scores, item);
			for (size_t k = 0; k < dim; k++)
				product += (double) user[k] * item[k];
			for (size_t k = rank; k < dim; k++)
				*rest_is_zero = *rest_is_zero && user[k] == 0 && item[k] == 0;
			worst = fmax(worst, fabs(product - logits[u * ITEMS + i]));
		}
	arena_free_all(&arena);
	return worst;
}

static void
test_vectors(void)
{
	bool		rest_is_zero;

	/* as many directions as numbers: nothing is lost */
	CHECK(vector_error(5, 20, 5, &rest_is_zero) < 1e-4);
	/* more numbers than directions, and than anchors */
	CHECK(vector_error(5, 20, 12, &rest_is_zero) < 1e-4 && rest_is_zero);
	CHECK(vector_error(3, 5, 9, &rest_is_zero) < 1e-4 && rest_is_zero);
	/* fewer numbers than directions: something is */
	CHECK(vector_error(5, 20, 3, &rest_is_zero) > 0.1);
}

/* Scores of 0 and 1, and of a model that knows nothing, make numbers. */
static void
test_odd_scores(void)
{
	static const double sure[4] = {0, 1, 1, 0};
	static const double level[4] = {0.5, 0.5, 0.5, 0.5};
	Retrieval	retrieval;
	Arena		arena;
	EngineError error;
	float		vector[2];

	arena_init_malloc(&arena);
	CHECK(retrieval_fit(&arena, sure, 2, 2, &calm, &retrieval, &error));
	retrieval_user(&retrieval, sure, vector);
	CHECK(isfinite(vector[0]) && isfinite(vector[1]));
	CHECK(retrieval_fit(&arena, level, 2, 2, &calm, &retrieval, &error));
	retrieval_item(&retrieval, sure, vector);
	CHECK(vector[0] == 0 && vector[1] == 0);
	CHECK(!retrieval_fit(&arena, sure, 2, 2, &impatient, &retrieval, &error));
	arena_free_all(&arena);
}

int
main(void)
{
	test_svd();
	test_vectors();
	test_odd_scores();
	return unit_summary();
}
