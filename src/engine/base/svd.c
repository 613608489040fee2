/*
 * svd.c
 *	  One-sided Jacobi: columns of a are rotated in pairs until all are orthogonal.
 *
 * What they are then is u diag(s); the same rotations of the identity are v.  Both lie
 * transposed while that is done, so that a column's numbers are neighbours.
 */
#include "engine/base/svd.h"

#include <math.h>
#include <string.h>

/* Columns are orthogonal if the cosine between them is no more. */
#define TOLERANCE 1e-14
/* Convergence is quadratic: a dozen sweeps do. */
#define MAX_SWEEPS 60

static double
product(const double *x, const double *y, size_t n)
{
	double		sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += x[i] * y[i];
	return sum;
}

static void
rotate(double *x, double *y, double c, double s, size_t n)
{
	for (size_t i = 0; i < n; i++)
	{
		double		old = x[i];

		x[i] = c * old - s * y[i];
		y[i] = s * old + c * y[i];
	}
}

/* Makes columns p and q orthogonal; were they not? */
static bool
rotate_pair(double *columns, double *right, size_t p, size_t q, size_t n)
{
	double	   *x = columns + p * n;
	double	   *y = columns + q * n;
	double		xx = product(x, x, n);
	double		yy = product(y, y, n);
	double		xy = product(x, y, n);
	double		zeta;
	double		t;
	double		c;

	/* not by the product of the squares, which may be beyond the smallest number */
	if (fabs(xy) <= TOLERANCE * sqrt(xx) * sqrt(yy))
		return false;
	zeta = (yy - xx) / (2 * xy);
	t = copysign(1, zeta) / (fabs(zeta) + hypot(1, zeta));
	c = 1 / hypot(1, t);
	rotate(x, y, c, c * t, n);
	rotate(right + p * n, right + q * n, c, c * t, n);
	return true;
}

/* Puts column i of the sorted result where it belongs. */
static void
put_column(const double *columns, const double *right, size_t from, double value, size_t to,
		   size_t n, double *u, double *v)
{
	for (size_t i = 0; i < n; i++)
	{
		u[i * n + to] = value > 0 ? columns[from * n + i] / value : 0;
		v[i * n + to] = right[from * n + i];
	}
}

/* Singular values in descending order, of equal ones the earlier column's first. */
static void
sort_columns(const double *columns, const double *right, double *lengths, size_t n, double *u,
			 double *s, double *v)
{
	for (size_t to = 0; to < n; to++)
	{
		size_t		longest = 0;

		for (size_t j = 1; j < n; j++)
			if (lengths[j] > lengths[longest])
				longest = j;
		s[to] = lengths[longest];
		put_column(columns, right, longest, s[to], to, n, u, v);
		lengths[longest] = -1;
	}
}

bool
svd(Arena *arena, const double *a, size_t n, double *u, double *s, double *v,
	const EngineHost *host, EngineError *error)
{
	struct ArenaBlock *mark = arena_mark(arena);
	double	   *columns = ARENA_ARRAY(arena, double, n * n);
	double	   *right = ARENA_ARRAY(arena, double, n * n);
	double	   *lengths = ARENA_ARRAY(arena, double, n);
	bool		rotated = true;

	if (!arena_ok(arena, error))
		return false;
	for (size_t i = 0; i < n; i++)
	{
		right[i * n + i] = 1;
		for (size_t j = 0; j < n; j++)
			columns[j * n + i] = a[i * n + j];
	}
	for (int sweep = 0; sweep < MAX_SWEEPS && rotated; sweep++)
	{
		rotated = false;
		for (size_t p = 0; p + 1 < n; p++)
		{
			if (!host_continue(host, error))
				return false;
			for (size_t q = p + 1; q < n; q++)
				rotated |= rotate_pair(columns, right, p, q, n);
		}
	}
	for (size_t j = 0; j < n; j++)
		lengths[j] = sqrt(product(columns + j * n, columns + j * n, n));
	sort_columns(columns, right, lengths, n, u, s, v);
	arena_reset_to(arena, mark);
	return true;
}
