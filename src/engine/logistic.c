/*
 * logistic.c
 *	  Logistic regression over ids by L-BFGS (Nocedal and Wright, Numerical
 *	  Optimization, algorithm 7.4).
 */
#include "logistic.h"

#include <math.h>
#include <string.h>

#define HISTORY 10
#define ARMIJO 1e-4
#define MAX_HALVINGS 40
/* Rows between two looks at the host. */
#define CHECK_ROWS 50000

typedef struct Problem
{
	const Dataset *data;
	double		l2;
	size_t	   *offset;			/* [n_fields] of a field's weights; the bias is last */
	size_t		n;				/* unknowns */
	const EngineHost *host;
} Problem;

/* A point, its gradient and its objective. */
typedef struct Point
{
	double	   *w;
	double	   *gradient;
	double		objective;
	double		loss;			/* summed BCE alone */
} Point;

typedef struct History
{
	double	   *step[HISTORY];	/* w_{k+1} - w_k */
	double	   *change[HISTORY];	/* gradient_{k+1} - gradient_k */
	double		scale[HISTORY]; /* 1 / (step . change) */
	int			n;				/* pairs ever kept */
} History;

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

static double
infinity_norm(const double *x, size_t n)
{
	double		norm = 0;

	for (size_t i = 0; i < n; i++)
		norm = fmax(norm, fabs(x[i]));
	return norm;
}

/* A value's members: one id, or a list's. */
static size_t
members_of(const Dataset *data, size_t row, int field, const uint32_t **members)
{
	const uint32_t *id = &data->ids[row * (size_t) data->shape.n_fields + field];

	*members = id;
	if (!data->shape.field_is_list[field])
		return 1;
	*members = data->list_members + data->list_start[*id];
	return data->list_start[*id + 1] - data->list_start[*id];
}

static double
row_logit(const Problem *problem, const double *w, size_t row)
{
	double		logit = w[problem->n - 1];

	for (int f = 0; f < problem->data->shape.n_fields; f++)
	{
		const double *weights = w + problem->offset[f];
		const uint32_t *members;
		size_t		n = members_of(problem->data, row, f, &members);
		double		sum = 0;

		for (size_t i = 0; i < n; i++)
			sum += weights[members[i]];
		logit += n > 1 ? sum / n : sum;
	}
	return logit;
}

static void
row_gradient(const Problem *problem, double *gradient, size_t row, double d_logit)
{
	gradient[problem->n - 1] += d_logit;
	for (int f = 0; f < problem->data->shape.n_fields; f++)
	{
		double	   *weights = gradient + problem->offset[f];
		const uint32_t *members;
		size_t		n = members_of(problem->data, row, f, &members);

		for (size_t i = 0; i < n; i++)
			weights[members[i]] += d_logit / n;
	}
}

/* Objective and gradient at point->w. */
static bool
evaluate(const Problem *problem, Point *point, EngineError *error)
{
	const Dataset *data = problem->data;
	size_t		n_weights = problem->n - 1;

	memset(point->gradient, 0, problem->n * sizeof(double));
	point->loss = 0;
	for (size_t row = data->split_start[SPLIT_TRAIN]; row < data->split_start[SPLIT_VALID]; row++)
	{
		double		logit = row_logit(problem, point->w, row);
		double		small = exp(-fabs(logit));	/* no overflow either way */
		double		probability = logit >= 0 ? 1 / (1 + small) : small / (1 + small);

		if (row % CHECK_ROWS == 0 && !host_continue(problem->host, error))
			return false;
		point->loss += log1p(small) + fmax(logit, 0) - (data->labels[row] ? logit : 0);
		row_gradient(problem, point->gradient, row, probability - data->labels[row]);
	}
	point->objective = point->loss +
		problem->l2 / 2 * product(point->w, point->w, n_weights);
	add(point->gradient, problem->l2, point->w, n_weights);
	return true;
}

/* Two-loop recursion: direction = - inverse Hessian estimate . gradient. */
static void
lbfgs_direction(const History *history, const double *gradient, double *direction, size_t n)
{
	int			n_kept = history->n < HISTORY ? history->n : HISTORY;
	double		alpha[HISTORY];

	for (size_t i = 0; i < n; i++)
		direction[i] = -gradient[i];
	for (int k = history->n - 1; k >= history->n - n_kept; k--)
	{
		int			slot = k % HISTORY;

		alpha[slot] = history->scale[slot] * product(history->step[slot], direction, n);
		add(direction, -alpha[slot], history->change[slot], n);
	}
	if (n_kept > 0)
	{
		int			slot = (history->n - 1) % HISTORY;
		double		curvature = product(history->change[slot], history->change[slot], n);

		for (size_t i = 0; i < n; i++)
			direction[i] /= history->scale[slot] * curvature;
	}
	for (int k = history->n - n_kept; k < history->n; k++)
	{
		int			slot = k % HISTORY;
		double		beta = history->scale[slot] *
			product(history->change[slot], direction, n);

		add(direction, alpha[slot] - beta, history->step[slot], n);
	}
}

/* Halve the step until the objective falls enough; *moved false: it never did. */
static bool
line_search(const Problem *problem, const Point *at, const double *direction, double first,
			Point *next, bool *moved, EngineError *error)
{
	double		slope = product(at->gradient, direction, problem->n);
	double		length = first;

	*moved = false;
	for (int halvings = 0; halvings < MAX_HALVINGS && !*moved; halvings++, length /= 2)
	{
		for (size_t i = 0; i < problem->n; i++)
			next->w[i] = at->w[i] + length * direction[i];
		if (!evaluate(problem, next, error))
			return false;
		*moved = next->objective <= at->objective + ARMIJO * length * slope;
	}
	return true;
}

/* Keep the pair of a step, unless its curvature is not positive. */
static void
remember(History *history, const Point *from, const Point *to, size_t n)
{
	int			slot = history->n % HISTORY;
	double		curvature = 0;

	for (size_t i = 0; i < n; i++)
	{
		history->step[slot][i] = to->w[i] - from->w[i];
		history->change[slot][i] = to->gradient[i] - from->gradient[i];
		curvature += history->step[slot][i] * history->change[slot][i];
	}
	if (curvature <= 0)
		return;
	history->scale[slot] = 1 / curvature;
	history->n++;
}

static bool
minimize(const Problem *problem, History *history, Point *at, Point *next,
		 double *direction, double tolerance, int max_iterations, LogisticReport *report,
		 EngineError *error)
{
	double		start_norm;

	if (!evaluate(problem, at, error))
		return false;
	start_norm = infinity_norm(at->gradient, problem->n);
	for (report->iterations = 0;; report->iterations++)
	{
		bool		moved;
		Point		swap;

		report->gradient_norm = infinity_norm(at->gradient, problem->n);
		report->converged = report->gradient_norm <= tolerance * start_norm;
		if (report->converged || report->iterations == max_iterations)
			return true;
		lbfgs_direction(history, at->gradient, direction, problem->n);
		if (!line_search(problem, at, direction,
						 history->n == 0 ? 1 / fmax(start_norm, 1) : 1, next, &moved, error))
			return false;
		if (!moved)
			return true;
		remember(history, at, next, problem->n);
		swap = *at;
		*at = *next;
		*next = swap;
	}
}

static void
copy_in(const Problem *problem, real *const *wide, real bias, double *w)
{
	const Shape *shape = &problem->data->shape;

	for (int f = 0; f < shape->n_fields; f++)
		for (uint32_t i = 0; i < shape->table_rows[shape->field_table[f]]; i++)
			w[problem->offset[f] + i] = wide[f][i];
	w[problem->n - 1] = bias;
}

static void
copy_out(const Problem *problem, const double *w, real *const *wide, real *bias)
{
	const Shape *shape = &problem->data->shape;

	for (int f = 0; f < shape->n_fields; f++)
		for (uint32_t i = 0; i < shape->table_rows[shape->field_table[f]]; i++)
			wide[f][i] = w[problem->offset[f] + i];
	*bias = w[problem->n - 1];
}

bool
logistic_fit(Arena *arena, const Dataset *data, double l2, double tolerance,
			 int max_iterations, real *const *wide, real *bias, const EngineHost *host,
			 LogisticReport *report, EngineError *error)
{
	const Shape *shape = &data->shape;
	struct ArenaBlock *mark = arena_mark(arena);
	Problem		problem = {.data = data,.l2 = l2,.n = 1,.host = host};
	History		history = {.n = 0};
	Point		at;
	Point		next;
	double	   *direction;
	bool		ok;

	problem.offset = ARENA_ARRAY(arena, size_t, shape->n_fields);
	if (!arena_ok(arena, error))
		return false;
	for (int f = 0; f < shape->n_fields; f++)
	{
		problem.offset[f] = problem.n - 1;
		problem.n += shape->table_rows[shape->field_table[f]];
	}
	at.w = ARENA_ARRAY(arena, double, problem.n);
	at.gradient = ARENA_ARRAY(arena, double, problem.n);
	next.w = ARENA_ARRAY(arena, double, problem.n);
	next.gradient = ARENA_ARRAY(arena, double, problem.n);
	direction = ARENA_ARRAY(arena, double, problem.n);
	for (int k = 0; k < HISTORY; k++)
	{
		history.step[k] = ARENA_ARRAY(arena, double, problem.n);
		history.change[k] = ARENA_ARRAY(arena, double, problem.n);
	}
	if (!arena_ok(arena, error))
		return false;
	copy_in(&problem, wide, *bias, at.w);
	ok = minimize(&problem, &history, &at, &next, direction, tolerance, max_iterations,
				  report, error);
	if (ok)
	{
		report->loss = at.loss /
			(data->split_start[SPLIT_VALID] - data->split_start[SPLIT_TRAIN]);
		copy_out(&problem, at.w, wide, bias);
	}
	arena_reset_to(arena, mark);
	return ok;
}
