/*
 * logistic.c
 *	  Logistic regression over ids: the objective, and the evidence for its L2.
 */
#include "logistic.h"

#include <math.h>
#include <string.h>

#include "lbfgs.h"

/* Rows between two looks at the host. */
#define CHECK_ROWS 50000
/* Rounds of the evidence, fewer once no l2 changes by a tenth; how exactly each is solved. */
#define MAX_ROUNDS 8
#define ROUND_CHANGE 0.1
#define ROUND_TOLERANCE 0.02
/* A weak prior on each l2, for fields of a few values; and its bounds. */
#define PRIOR_COUNT 0.1
#define MIN_L2 0.01
#define MAX_L2 10000.0

typedef struct Problem
{
	const Dataset *data;
	const double *l2;			/* [n_fields] */
	size_t	   *offset;			/* [n_fields + 1] of a field's weights; the last: the bias */
	const EngineHost *host;
} Problem;

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
	int			n_fields = problem->data->shape.n_fields;
	double		logit = w[problem->offset[n_fields]];

	for (int f = 0; f < n_fields; f++)
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

/* sums[weight] += a * x, or with "squared" a * x^2, for every weight of the row. */
static void
row_add(const Problem *problem, double *sums, size_t row, double a, bool squared)
{
	int			n_fields = problem->data->shape.n_fields;

	sums[problem->offset[n_fields]] += a;
	for (int f = 0; f < n_fields; f++)
	{
		double	   *weights = sums + problem->offset[f];
		const uint32_t *members;
		size_t		n = members_of(problem->data, row, f, &members);
		double		each = squared ? a / n / n : a / n;

		for (size_t i = 0; i < n; i++)
			weights[members[i]] += each;
	}
}

static bool
objective(void *context, const double *w, double *value, double *gradient, EngineError *error)
{
	Problem    *problem = context;
	const Dataset *data = problem->data;
	int			n_fields = data->shape.n_fields;
	double		sum = 0;

	memset(gradient, 0, (problem->offset[n_fields] + 1) * sizeof(double));
	for (size_t row = data->split_start[SPLIT_TRAIN]; row < data->split_start[SPLIT_VALID]; row++)
	{
		double		logit = row_logit(problem, w, row);
		double		small = exp(-fabs(logit));	/* no overflow either way */
		double		probability = logit >= 0 ? 1 / (1 + small) : small / (1 + small);

		if (row % CHECK_ROWS == 0 && !host_continue(problem->host, error))
			return false;
		sum += log1p(small) + fmax(logit, 0) - (data->labels[row] ? logit : 0);
		row_add(problem, gradient, row, probability - data->labels[row], false);
	}
	for (int f = 0; f < n_fields; f++)
		for (size_t i = problem->offset[f]; i < problem->offset[f + 1]; i++)
		{
			sum += problem->l2[f] / 2 * w[i] * w[i];
			gradient[i] += problem->l2[f] * w[i];
		}
	*value = sum;
	return true;
}

/* The loss's part of the Hessian's diagonal at w: sum over rows of p (1 - p) x^2. */
static bool
information(const Problem *problem, const double *w, double *diagonal, EngineError *error)
{
	const Dataset *data = problem->data;

	memset(diagonal, 0, (problem->offset[data->shape.n_fields] + 1) * sizeof(double));
	for (size_t row = data->split_start[SPLIT_TRAIN]; row < data->split_start[SPLIT_VALID]; row++)
	{
		double		small = exp(-fabs(row_logit(problem, w, row)));

		if (row % CHECK_ROWS == 0 && !host_continue(problem->host, error))
			return false;
		row_add(problem, diagonal, row, small / ((1 + small) * (1 + small)), true);
	}
	return true;
}

/*
 * One round of the evidence: l2_f = gamma_f / |w_f|^2, where gamma_f, the
 * number of weights that the rows determine, is the sum of h / (h + l2_f)
 * over field f's weights.  Returns the largest change of a log l2.
 */
static double
update_l2(const Problem *problem, const double *w, const double *diagonal, double *l2)
{
	double		change = 0;

	for (int f = 0; f < problem->data->shape.n_fields; f++)
	{
		double		determined = PRIOR_COUNT;
		double		squares = PRIOR_COUNT;
		double		before = l2[f];

		for (size_t i = problem->offset[f]; i < problem->offset[f + 1]; i++)
		{
			determined += diagonal[i] / (diagonal[i] + l2[f]);
			squares += w[i] * w[i];
		}
		l2[f] = fmin(fmax(determined / squares, MIN_L2), MAX_L2);
		change = fmax(change, fabs(log(l2[f] / before)));
	}
	return change;
}

/* The search's scale: the diagonal of the whole objective's Hessian. */
static void
add_l2(const Problem *problem, double *diagonal)
{
	int			n_fields = problem->data->shape.n_fields;

	for (int f = 0; f < n_fields; f++)
		for (size_t i = problem->offset[f]; i < problem->offset[f + 1]; i++)
			diagonal[i] += problem->l2[f];
	diagonal[problem->offset[n_fields]] += 1e-6;	/* rows of one class, all certain */
}

static bool
solve(Problem *problem, Lbfgs *search, double *l2, bool evidence, double tolerance,
	  int max_iterations, LogisticReport *report, EngineError *error)
{
	double		change = INFINITY;

	for (report->rounds = 0; evidence && report->rounds < MAX_ROUNDS && change > ROUND_CHANGE;
		 report->rounds++)
	{
		if (!information(problem, search->w, search->curvature, error))
			return false;
		if (report->rounds > 0)
			change = update_l2(problem, search->w, search->curvature, l2);
		add_l2(problem, search->curvature);
		if (!lbfgs_minimize(search, ROUND_TOLERANCE, max_iterations, error))
			return false;
	}
	if (!information(problem, search->w, search->curvature, error))
		return false;
	add_l2(problem, search->curvature);
	return lbfgs_minimize(search, tolerance, max_iterations, error);
}

static void
copy_in(const Problem *problem, real *const *wide, real bias, double *w)
{
	int			n_fields = problem->data->shape.n_fields;

	for (int f = 0; f < n_fields; f++)
		for (size_t i = problem->offset[f]; i < problem->offset[f + 1]; i++)
			w[i] = wide[f][i - problem->offset[f]];
	w[problem->offset[n_fields]] = bias;
}

static void
copy_out(const Problem *problem, const double *w, real *const *wide, real *bias)
{
	int			n_fields = problem->data->shape.n_fields;

	for (int f = 0; f < n_fields; f++)
		for (size_t i = problem->offset[f]; i < problem->offset[f + 1]; i++)
			wide[f][i - problem->offset[f]] = w[i];
	*bias = w[problem->offset[n_fields]];
}

static bool
fit(Arena *arena, Problem *problem, double *l2, bool evidence, double tolerance,
	int max_iterations, real *const *wide, real *bias, LogisticReport *report,
	EngineError *error)
{
	const Shape *shape = &problem->data->shape;
	Lbfgs		search;

	problem->offset = ARENA_ARRAY(arena, size_t, shape->n_fields + 1);
	if (!arena_ok(arena, error))
		return false;
	for (int f = 0; f < shape->n_fields; f++)
		problem->offset[f + 1] = problem->offset[f] + shape->table_rows[shape->field_table[f]];
	if (!lbfgs_init(&search, arena, problem->offset[shape->n_fields] + 1, objective, problem,
					error))
		return false;
	copy_in(problem, wide, *bias, search.w);
	if (!solve(problem, &search, l2, evidence, tolerance, max_iterations, report, error))
		return false;
	report->iterations = search.iterations;
	report->converged = search.largest_step <= tolerance;
	copy_out(problem, search.w, wide, bias);
	return true;
}

bool
logistic_fit(Arena *arena, const Dataset *data, double *l2, bool evidence, double tolerance,
			 int max_iterations, real *const *wide, real *bias, const EngineHost *host,
			 LogisticReport *report, EngineError *error)
{
	struct ArenaBlock *mark = arena_mark(arena);
	Problem		problem = {.data = data,.l2 = l2,.host = host};
	bool		ok = fit(arena, &problem, l2, evidence, tolerance, max_iterations, wide, bias,
						 report, error);

	arena_reset_to(arena, mark);
	return ok;
}
