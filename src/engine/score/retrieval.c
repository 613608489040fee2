/*
 * retrieval.c
 *	  A skeleton decomposition of a model's logits.
 */
#include "engine/score/retrieval.h"

#include <math.h>

#include "engine/base/svd.h"

/* Singular values below this share of the largest one are what rounding left. */
#define LEAST_SHARE 1e-9
/* Scores nearer to 0 and 1 than this are taken for this near: logits are finite. */
#define LEAST_SCORE 1e-12

static double
logit(double score)
{
	double		p = fmin(fmax(score, LEAST_SCORE), 1 - LEAST_SCORE);

	return log(p / (1 - p));
}

/* map [dim, n] = S^(-1/2) times the first dim of the vectors, which are columns. */
static void
fill_map(const double *vectors, const double *s, size_t n, size_t dim, double *map)
{
	for (size_t k = 0; k < dim && s[k] > LEAST_SHARE * s[0]; k++)
		for (size_t i = 0; i < n; i++)
			map[k * n + i] = vectors[i * n + k] / sqrt(s[k]);
}

bool
retrieval_fit(Arena *arena, const double *scores, size_t n, size_t dim, const EngineHost *host,
			  Retrieval *retrieval, EngineError *error)
{
	struct ArenaBlock *mark;
	double	   *w;
	double	   *u;
	double	   *s;
	double	   *v;

	*retrieval = (Retrieval) {.n = n,.dim = dim,.of_users = ARENA_ARRAY(arena, double, dim * n),
		.of_items = ARENA_ARRAY(arena, double, dim * n)};
	mark = arena_mark(arena);
	w = ARENA_ARRAY(arena, double, n * n);
	u = ARENA_ARRAY(arena, double, n * n);
	s = ARENA_ARRAY(arena, double, n);
	v = ARENA_ARRAY(arena, double, n * n);
	if (!arena_ok(arena, error))
		return false;
	for (size_t i = 0; i < n * n; i++)
		w[i] = logit(scores[i]);
	if (!svd(arena, w, n, u, s, v, host, error))
		return false;
	fill_map(v, s, n, dim < n ? dim : n, retrieval->of_users);
	fill_map(u, s, n, dim < n ? dim : n, retrieval->of_items);
	arena_reset_to(arena, mark);
	return true;
}

static void
make_vector(const double *map, size_t n, size_t dim, const double *scores, float *vector)
{
	for (size_t k = 0; k < dim; k++)
	{
		double		sum = 0;

		for (size_t i = 0; i < n; i++)
			sum += map[k * n + i] * logit(scores[i]);
		vector[k] = (float) sum;
	}
}

void
retrieval_user(const Retrieval *retrieval, const double *scores, float *vector)
{
	make_vector(retrieval->of_users, retrieval->n, retrieval->dim, scores, vector);
}

void
retrieval_item(const Retrieval *retrieval, const double *scores, float *vector)
{
	make_vector(retrieval->of_items, retrieval->n, retrieval->dim, scores, vector);
}
