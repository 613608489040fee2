/*
 * stack.c
 *	  Weights of several models, by Newton's method within bounds.
 *
 * A weight at its bound that the gradient would push beyond stays there for the step;
 * the others' Newton step is solved for, halved until the loss falls, and cut off at
 * the bounds.  The loss is convex, so what it ends at is the optimum.
 */
#include "engine/measure/stack.h"

#include <math.h>

/* Variables: the weights, then the shift. */
#define N (STACK_PARTS + 1)
/* Rows between two looks at the host. */
#define CHECK_ROWS 1000000
#define MAX_STEPS 100
#define SHORTEST 1e-6
#define TOLERANCE 1e-10

typedef struct Point
{
	double		at[N];
	double		row_loss;		/* of the rows alone */
	double		loss;			/* with the priors */
	double		gradient[N];
	double		hessian[N][N];
} Point;

static double
prior_of(int variable)
{
	return variable == 0 ? 1 : 0;
}

static void
add_row(const StackRows *rows, size_t i, Point *point)
{
	double		x[N];
	double		weight = rows->weights ? rows->weights[i] : 1;
	double		logit = 0;
	double		small;
	double		p;

	for (int k = 0; k < N; k++)
	{
		x[k] = k < STACK_PARTS ? rows->logits[k][i] : 1;
		logit += point->at[k] * x[k];
	}
	small = exp(-fabs(logit));
	p = logit >= 0 ? 1 / (1 + small) : small / (1 + small);
	point->row_loss += weight * (log1p(small) + fmax(logit, 0) - (rows->labels[i] ? logit : 0));
	for (int k = 0; k < N; k++)
	{
		point->gradient[k] += weight * (p - rows->labels[i]) * x[k];
		for (int j = 0; j <= k; j++)
			point->hessian[k][j] += weight * p * (1 - p) * x[k] * x[j];
	}
}

/* The loss and its derivatives at point->at. */
static bool
evaluate(const StackRows *rows, Point *point, const EngineHost *host, EngineError *error)
{
	double		penalty = 0;

	point->row_loss = 0;
	for (int k = 0; k < N; k++)
	{
		double		away = point->at[k] - prior_of(k);

		penalty += away * away / 2;
		point->gradient[k] = away;
		for (int j = 0; j < N; j++)
			point->hessian[k][j] = j == k;
	}
	for (size_t i = 0; i < rows->n; i++)
	{
		if (i % CHECK_ROWS == 0 && !host_continue(host, error))
			return false;
		add_row(rows, i, point);
	}
	for (int k = 0; k < N; k++)
		for (int j = 0; j < k; j++)
			point->hessian[j][k] = point->hessian[k][j];
	point->loss = point->row_loss + penalty;
	return true;
}

/* The Newton step of the free variables, 0 for the others: Gaussian elimination. */
static void
newton_step(const Point *point, const bool *is_free, double *step)
{
	double		h[N][N + 1];

	for (int k = 0; k < N; k++)
	{
		for (int j = 0; j < N; j++)
			h[k][j] = is_free[k] && is_free[j] ? point->hessian[k][j] : k == j;
		h[k][N] = is_free[k] ? point->gradient[k] : 0;
	}
	/* positive definite, for the priors are: no pivots to look for */
	for (int k = 0; k < N; k++)
		for (int i = k + 1; i < N; i++)
		{
			double		factor = h[i][k] / h[k][k];

			for (int j = k; j <= N; j++)
				h[i][j] -= factor * h[k][j];
		}
	for (int k = N - 1; k >= 0; k--)
	{
		step[k] = h[k][N];
		for (int j = k + 1; j < N; j++)
			step[k] -= h[k][j] * step[j];
		step[k] /= h[k][k];
	}
}

/* One step downhill; *moved: the loss fell by more than rounding. */
static bool
descend(const StackRows *rows, const double *least, Point *point, bool *moved,
		const EngineHost *host, EngineError *error)
{
	bool		is_free[N];
	double		step[N];

	for (int k = 0; k < N; k++)
		is_free[k] = k == STACK_PARTS || point->at[k] > least[k] || point->gradient[k] < 0;
	newton_step(point, is_free, step);
	*moved = false;
	for (double length = 1; length > SHORTEST; length /= 2)
	{
		Point		next;

		for (int k = 0; k < N; k++)
		{
			next.at[k] = point->at[k] - length * step[k];
			if (k < STACK_PARTS)
				next.at[k] = fmax(next.at[k], least[k]);
		}
		if (!evaluate(rows, &next, host, error))
			return false;
		if (!(next.loss <= point->loss))
			continue;
		*moved = point->loss - next.loss > TOLERANCE * (1 + fabs(point->loss));
		*point = next;
		break;
	}
	return true;
}

bool
stack_fit(const StackRows *rows, const double *least, StackMap *map, double *loss,
		  const EngineHost *host, EngineError *error)
{
	Point		point = {.at = {1}};
	bool		moved = true;

	for (int k = 0; k < STACK_PARTS; k++)
		point.at[k] = fmax(point.at[k], least[k]);
	if (!evaluate(rows, &point, host, error))
		return false;
	for (int i = 0; i < MAX_STEPS && moved; i++)
		if (!descend(rows, least, &point, &moved, host, error))
			return false;
	for (int k = 0; k < STACK_PARTS; k++)
		map->weight[k] = point.at[k];
	map->shift = point.at[STACK_PARTS];
	*loss = point.row_loss;
	return true;
}
