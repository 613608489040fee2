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
	double	   *l2;				/* [n_blocks] */
	int			n_blocks;		/* 2 * n_fields: by value, by pair */
	size_t	   *offset;			/* [n_blocks + 1] of a block's weights; the last: the bias */
	int			n_pair_blocks;
	uint32_t   *pair_weights;	/* [training rows, n_pair_blocks]: places in w */
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
	const uint32_t *pairs = problem->pair_weights + row * problem->n_pair_blocks;
	double		logit = w[problem->offset[problem->n_blocks]];

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
	for (int k = 0; k < problem->n_pair_blocks; k++)
		logit += pairs[k] == NO_PAIR ? 0 : w[pairs[k]];
	return logit;
}

/* sums[weight] += a * x, or with "squared" a * x^2, for every weight of the row. */
static void
row_add(const Problem *problem, double *sums, size_t row, double a, bool squared)
{
	const uint32_t *pairs = problem->pair_weights + row * problem->n_pair_blocks;

	sums[problem->offset[problem->n_blocks]] += a;
	for (int f = 0; f < problem->data->shape.n_fields; f++)
	{
		double	   *weights = sums + problem->offset[f];
		const uint32_t *members;
		size_t		n = members_of(problem->data, row, f, &members);
		double		each = squared ? a / n / n : a / n;

		for (size_t i = 0; i < n; i++)
			weights[members[i]] += each;
	}
	for (int k = 0; k < problem->n_pair_blocks; k++)
		if (pairs[k] != NO_PAIR)
			sums[pairs[k]] += a;
}

static bool
objective(void *context, const double *w, double *value, double *gradient, EngineError *error)
{
	Problem    *problem = context;
	const Dataset *data = problem->data;
	double		sum = 0;

	memset(gradient, 0, (problem->offset[problem->n_blocks] + 1) * sizeof(double));
	for (size_t row = data->split_start[SPLIT_TRAIN]; row < data->split_start[SPLIT_VALID]; row++)
	{
		double		logit = row_logit(problem, w, row);
		double		small = exp(-fabs(logit));	/* no overflow either way */
		double		probability = logit >= 0 ? 1 / (1 + small) : small / (1 + small);
		double		weight = dataset_weight(data, row);

		if (row % CHECK_ROWS == 0 && !host_continue(problem->host, error))
			return false;
		sum += weight * (log1p(small) + fmax(logit, 0) - (data->labels[row] ? logit : 0));
		row_add(problem, gradient, row, weight * (probability - data->labels[row]), false);
	}
	for (int k = 0; k < problem->n_blocks; k++)
		for (size_t i = problem->offset[k]; i < problem->offset[k + 1]; i++)
		{
			sum += problem->l2[k] / 2 * w[i] * w[i];
			gradient[i] += problem->l2[k] * w[i];
		}
	*value = sum;
	return true;
}

/* The loss's part of the Hessian's diagonal at w: sum over rows of weight p (1 - p) x^2. */
static bool
information(const Problem *problem, const double *w, double *diagonal, EngineError *error)
{
	const Dataset *data = problem->data;

	memset(diagonal, 0, (problem->offset[problem->n_blocks] + 1) * sizeof(double));
	for (size_t row = data->split_start[SPLIT_TRAIN]; row < data->split_start[SPLIT_VALID]; row++)
	{
		double		small = exp(-fabs(row_logit(problem, w, row)));

		if (row % CHECK_ROWS == 0 && !host_continue(problem->host, error))
			return false;
		row_add(problem, diagonal, row,
				dataset_weight(data, row) * small / ((1 + small) * (1 + small)), true);
	}
	return true;
}

/*
 * One round of the evidence: l2_k = gamma_k / |w_k|^2, where gamma_k, the
 * number of weights that the rows determine, is the sum of h / (h + l2_k)
 * over block k's weights.  Returns the largest change of a log l2.
 */
static double
update_l2(const Problem *problem, const double *w, const double *diagonal)
{
	double	   *l2 = problem->l2;
	double		change = 0;

	for (int k = 0; k < problem->n_blocks; k++)
	{
		double		determined = PRIOR_COUNT;
		double		squares = PRIOR_COUNT;
		double		before = l2[k];

		for (size_t i = problem->offset[k]; i < problem->offset[k + 1]; i++)
		{
			determined += diagonal[i] / (diagonal[i] + l2[k]);
			squares += w[i] * w[i];
		}
		l2[k] = fmin(fmax(determined / squares, MIN_L2), MAX_L2);
		change = fmax(change, fabs(log(l2[k] / before)));
	}
	return change;
}

/* The search's scale: the diagonal of the whole objective's Hessian. */
static void
add_l2(const Problem *problem, double *diagonal)
{
	for (int k = 0; k < problem->n_blocks; k++)
		for (size_t i = problem->offset[k]; i < problem->offset[k + 1]; i++)
			diagonal[i] += problem->l2[k];
	diagonal[problem->offset[problem->n_blocks]] += 1e-6;	/* all rows certain */
}

static bool
solve(const Problem *problem, Lbfgs *search, bool evidence, double tolerance,
	  int max_iterations, LogisticReport *report, EngineError *error)
{
	double		change = INFINITY;

	for (report->rounds = 0; evidence && report->rounds < MAX_ROUNDS && change > ROUND_CHANGE;
		 report->rounds++)
	{
		if (!information(problem, search->w, search->curvature, error))
			return false;
		if (report->rounds > 0)
			change = update_l2(problem, search->w, search->curvature);
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
copy_in(const Problem *problem, real *const *weights, real bias, double *w)
{
	for (int k = 0; k < problem->n_blocks; k++)
		for (size_t i = problem->offset[k]; i < problem->offset[k + 1]; i++)
			w[i] = weights[k][i - problem->offset[k]];
	w[problem->offset[problem->n_blocks]] = bias;
}

static void
copy_out(const Problem *problem, const double *w, real *const *weights, real *bias)
{
	for (int k = 0; k < problem->n_blocks; k++)
		for (size_t i = problem->offset[k]; i < problem->offset[k + 1]; i++)
			weights[k][i - problem->offset[k]] = w[i];
	*bias = w[problem->offset[problem->n_blocks]];
}

/* Where the blocks begin; false if their weights cannot be numbered. */
static bool
lay_out(Problem *problem, const DomainPairs *pairs, EngineError *error)
{
	const Shape *shape = &problem->data->shape;
	int			n_fields = shape->n_fields;

	for (int k = 0; k < problem->n_blocks; k++)
	{
		uint32_t	n = k < n_fields ? shape->table_rows[shape->field_table[k]] :
			pairs ? pairs[k - n_fields].n_pairs : 0;

		problem->offset[k + 1] = problem->offset[k] + n;
		problem->n_pair_blocks += k >= n_fields && n > 0;
	}
	return problem->offset[problem->n_blocks] < UINT32_MAX ||
		engine_fail(error, ENGINE_BAD_INPUT,
					"Set \"domain_weights\" to false, or \"min_count\" higher.",
					"too many values and pairs of value and domain");
}

/* Places of one row's pairs in w; NO_PAIR where a rare domain is none of its own. */
static void
number_row(Problem *problem, const DomainPairs *pairs, size_t row)
{
	const Dataset *data = problem->data;
	int			n_fields = data->shape.n_fields;
	uint32_t   *next = problem->pair_weights + row * problem->n_pair_blocks;

	for (int f = 0; f < n_fields; f++)
	{
		size_t		from = problem->offset[n_fields + f];
		uint32_t	pair;

		if (problem->offset[n_fields + f + 1] == from)
			continue;
		pair = pairs_find(&pairs[f], data->ids[row * (size_t) n_fields + f],
						  dataset_domain(data, row));
		*next++ = pair == NO_PAIR ? NO_PAIR : (uint32_t) from + pair;
	}
}

static bool
number_pairs(Problem *problem, const DomainPairs *pairs, EngineError *error)
{
	const size_t *split_start = problem->data->split_start;

	for (size_t row = split_start[SPLIT_TRAIN]; row < split_start[SPLIT_VALID]; row++)
	{
		if (row % CHECK_ROWS == 0 && !host_continue(problem->host, error))
			return false;
		number_row(problem, pairs, row);
	}
	return true;
}

static bool
fit(Arena *arena, Problem *problem, const DomainPairs *pairs, bool evidence, double tolerance,
	int max_iterations, real *const *weights, real *bias, LogisticReport *report,
	EngineError *error)
{
	Lbfgs		search;

	problem->n_blocks = 2 * problem->data->shape.n_fields;
	problem->offset = ARENA_ARRAY(arena, size_t, problem->n_blocks + 1);
	if (!arena_ok(arena, error) || !lay_out(problem, pairs, error))
		return false;
	problem->pair_weights = ARENA_ARRAY(arena, uint32_t, problem->n_pair_blocks *
										problem->data->split_start[SPLIT_VALID]);
	if (!lbfgs_init(&search, arena, problem->offset[problem->n_blocks] + 1, objective, problem,
					error) ||
		!number_pairs(problem, pairs, error))
		return false;
	copy_in(problem, weights, *bias, search.w);
	if (!solve(problem, &search, evidence, tolerance, max_iterations, report, error))
		return false;
	report->iterations = search.iterations;
	report->converged = search.largest_step <= tolerance;
	copy_out(problem, search.w, weights, bias);
	return true;
}

bool
logistic_fit(Arena *arena, const Dataset *data, const DomainPairs *pairs, double *l2,
			 bool evidence, double tolerance, int max_iterations, real *const *weights,
			 real *bias, const EngineHost *host, LogisticReport *report, EngineError *error)
{
	struct ArenaBlock *mark = arena_mark(arena);
	Problem		problem = {.data = data,.l2 = l2,.host = host};
	bool		ok = fit(arena, &problem, pairs, evidence, tolerance, max_iterations, weights,
						 bias, report, error);

	arena_reset_to(arena, mark);
	return ok;
}
