/*
 * lbfgs.c
 *	  Limited-memory BFGS.
 */
#include "lbfgs.h"

#include <math.h>
#include <string.h>

#define HISTORY 10
#define ARMIJO 1e-4
#define MAX_HALVINGS 40

typedef struct LbfgsState
{
	double	   *step[HISTORY];	/* w_{k+1} - w_k */
	double	   *change[HISTORY];	/* gradient_{k+1} - gradient_k */
	double		scale[HISTORY]; /* 1 / (step . change) */
	int			n;				/* pairs ever kept */
	double	   *next_w;
	double	   *next_gradient;
	double	   *direction;
} LbfgsState;

static double
product(const double *x, const double *y, size_t n)
{
	double		sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += x[i] * y[i];
	return sum;
}

static void
add(double *y, double a, const double *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		y[i] += a * x[i];
}

bool
lbfgs_init(Lbfgs *search, Arena *arena, size_t n, Objective objective, void *context,
		   EngineError *error)
{
	LbfgsState *state = ARENA_ARRAY(arena, LbfgsState, 1);

	if (!arena_ok(arena, error))
		return false;
	*search = (Lbfgs) {.n = n,.objective = objective,.context = context,.state = state};
	search->w = ARENA_ARRAY(arena, double, n);
	search->curvature = ARENA_ARRAY(arena, double, n);
	search->gradient = ARENA_ARRAY(arena, double, n);
	state->next_w = ARENA_ARRAY(arena, double, n);
	state->next_gradient = ARENA_ARRAY(arena, double, n);
	state->direction = ARENA_ARRAY(arena, double, n);
	for (int k = 0; k < HISTORY; k++)
	{
		state->step[k] = ARENA_ARRAY(arena, double, n);
		state->change[k] = ARENA_ARRAY(arena, double, n);
	}
	return arena_ok(arena, error);
}

/*
 * Two-loop recursion: direction = - inverse Hessian estimate . gradient.  The
 * estimate starts from the inverse of curvature, scaled to the newest step.
 */
static void
find_direction(const Lbfgs *search)
{
	const LbfgsState *state = search->state;
	size_t		n = search->n;
	int			n_kept = state->n < HISTORY ? state->n : HISTORY;
	double	   *direction = state->direction;
	double		alpha[HISTORY];
	double		shrink = 1;

	for (size_t i = 0; i < n; i++)
		direction[i] = -search->gradient[i];
	for (int k = state->n - 1; k >= state->n - n_kept; k--)
	{
		int			slot = k % HISTORY;

		alpha[slot] = state->scale[slot] * product(state->step[slot], direction, n);
		add(direction, -alpha[slot], state->change[slot], n);
	}
	if (n_kept > 0)
	{
		const double *change = state->change[(state->n - 1) % HISTORY];
		double		sum = 0;

		for (size_t i = 0; i < n; i++)
			sum += change[i] * change[i] / search->curvature[i];
		shrink = 1 / (state->scale[(state->n - 1) % HISTORY] * sum);
	}
	for (size_t i = 0; i < n; i++)
		direction[i] *= shrink / search->curvature[i];
	for (int k = state->n - n_kept; k < state->n; k++)
	{
		int			slot = k % HISTORY;
		double		beta = state->scale[slot] * product(state->change[slot], direction, n);

		add(direction, alpha[slot] - beta, state->step[slot], n);
	}
}

/* Keep the pair of a step, unless its curvature is not positive. */
static void
remember(Lbfgs *search)
{
	LbfgsState *state = search->state;
	int			slot = state->n % HISTORY;
	double		curvature = 0;

	for (size_t i = 0; i < search->n; i++)
	{
		state->step[slot][i] = state->next_w[i] - search->w[i];
		state->change[slot][i] = state->next_gradient[i] - search->gradient[i];
		curvature += state->step[slot][i] * state->change[slot][i];
	}
	if (curvature <= 0)
		return;
	state->scale[slot] = 1 / curvature;
	state->n++;
}

static void
swap(double **a, double **b)
{
	double	   *kept = *a;

	*a = *b;
	*b = kept;
}

/* Halve the step until the value falls enough, and take it; *moved false: it never did. */
static bool
take_step(Lbfgs *search, bool *moved, EngineError *error)
{
	LbfgsState *state = search->state;
	double		slope = product(search->gradient, state->direction, search->n);
	double		length = 1;
	double		value = search->value;

	*moved = false;
	for (int halvings = 0; halvings < MAX_HALVINGS && !*moved; halvings++, length /= 2)
	{
		for (size_t i = 0; i < search->n; i++)
			state->next_w[i] = search->w[i] + length * state->direction[i];
		if (!search->objective(search->context, state->next_w, &value,
							   state->next_gradient, error))
			return false;
		*moved = value <= search->value + ARMIJO * length * slope;
	}
	if (!*moved)
		return true;
	remember(search);
	swap(&search->w, &state->next_w);
	swap(&search->gradient, &state->next_gradient);
	search->value = value;
	return true;
}

static double
largest_step(const Lbfgs *search)
{
	double		largest = 0;

	for (size_t i = 0; i < search->n; i++)
		largest = fmax(largest, fabs(search->gradient[i]) / search->curvature[i]);
	return largest;
}

bool
lbfgs_minimize(Lbfgs *search, double tolerance, int max_iterations, EngineError *error)
{
	search->state->n = 0;
	if (!search->objective(search->context, search->w, &search->value, search->gradient, error))
		return false;
	for (int i = 0;; i++)
	{
		bool		moved;

		search->largest_step = largest_step(search);
		if (search->largest_step <= tolerance || i == max_iterations)
			return true;
		find_direction(search);
		if (!take_step(search, &moved, error))
			return false;
		if (!moved)
			return true;
		search->iterations++;
	}
}
