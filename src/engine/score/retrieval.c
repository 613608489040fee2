/*
 * retrieval.c
 *	  A model's logits, taken apart by crosses.
 *
 * The user of the next cross is where the last column left most.  That does not see users
 * who differ where this item does not: so every other row, and each after a row that told
 * nothing, is a sample, of users at equal distances.
 */
#include "engine/score/retrieval.h"

#include <math.h>

/* Scores nearer to 0 and 1 than this are taken for this near: logits are finite. */
#define LEAST_SCORE 1e-12
/* Of a logit so much is what rounding left. */
#define LEAST_RESIDUAL 1e-5
/* Rows that may tell nothing, for each number. */
#define ROWS_OF_NUMBER 3
/* The golden ratio's share of all users lies between one sample and the next. */
#define SPREAD 0.6180339887498949

static double
logit(double score)
{
	double		p = fmin(fmax(score, LEAST_SCORE), 1 - LEAST_SCORE);

	return log(p / (1 - p));
}

/* What vectors do not give yet. */
static double
residual(const Retrieval *retrieval, size_t user, size_t item, double score)
{
	const float *u = retrieval->users + user * retrieval->dim;
	const float *v = retrieval->items + item * retrieval->dim;
	double		sum = logit(score);

	for (size_t k = 0; k < retrieval->n; k++)
		sum -= (double) u[k] * v[k];
	return sum;
}

bool
retrieval_init(Arena *arena, size_t n_users, size_t n_items, size_t dim, Retrieval *retrieval,
			   EngineError *error)
{
	*retrieval = (Retrieval) {.n_users = n_users,.n_items = n_items,.dim = dim};
	retrieval->users = arena_array(arena, n_users, dim * sizeof(float));
	retrieval->items = arena_array(arena, n_items, dim * sizeof(float));
	retrieval->seen = ARENA_ARRAY(arena, bool, n_users);
	return arena_ok(arena, error);
}

bool
retrieval_wants(const Retrieval *retrieval)
{
	size_t		most = ROWS_OF_NUMBER * retrieval->dim;

	return retrieval->n_items > 0 && retrieval->n < retrieval->dim &&
		retrieval->n_rows < (most < retrieval->n_users ? most : retrieval->n_users);
}

/* The next sample: a user whose row has not been there; there is one. */
static size_t
sample(Retrieval *retrieval)
{
	size_t		user = (size_t) (fmod(++retrieval->spread * SPREAD, 1) * retrieval->n_users);

	while (retrieval->seen[user])
		user = (user + 1) % retrieval->n_users;
	return user;
}

/* Whose row is next, after one that told nothing. */
static void
pass_over(Retrieval *retrieval)
{
	if (retrieval_wants(retrieval))
		retrieval->user = sample(retrieval);
}

bool
retrieval_row(Retrieval *retrieval, const double *scores)
{
	double		largest = 0;

	retrieval->seen[retrieval->user] = true;
	retrieval->n_rows++;
	for (size_t i = 0; i < retrieval->n_items; i++)
	{
		double		left = residual(retrieval, retrieval->user, i, scores[i]);

		if (fabs(left) > fabs(largest))
		{
			largest = left;
			retrieval->item = i;
		}
	}
	if (fabs(largest) < LEAST_RESIDUAL)
	{
		pass_over(retrieval);
		return false;
	}
	for (size_t i = 0; i < retrieval->n_items; i++)
		retrieval->items[i * retrieval->dim + retrieval->n] =
			(float) (residual(retrieval, retrieval->user, i, scores[i]) / largest);
	return true;
}

void
retrieval_column(Retrieval *retrieval, const double *scores)
{
	double		largest = -1;
	size_t		next = 0;

	for (size_t u = 0; u < retrieval->n_users; u++)
	{
		double		left = residual(retrieval, u, retrieval->item, scores[u]);

		retrieval->users[u * retrieval->dim + retrieval->n] = (float) left;
		if (!retrieval->seen[u] && fabs(left) > largest)
		{
			largest = fabs(left);
			next = u;
		}
	}
	retrieval->n++;
	if (retrieval_wants(retrieval))
		retrieval->user = retrieval->n % 2 == 0 ? sample(retrieval) : next;
}
