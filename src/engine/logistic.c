/*
 * logistic.c
 *	  Logistic regression over ids: the objective, and the evidence for its L2.
 */
#include "logistic.h"

#include <math.h>
#include <string.h>

#include "calibration.h"
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
/* Of a block that is left out: weights come to nothing, however many rows they have. */
#define OFF_L2 1e12

/*
 * Then validation rows decide, where there are that many: factors by which
 * each round changes the l2 of the blocks that matter most, and what must be
 * gained of the mean log loss to keep a change.
 */
#define MIN_VALID_ROWS 1000
#define TUNED_BLOCKS 8
#define TUNE_ROUNDS 2
#define TUNE_TRIALS 60
#define TUNE_GAIN 2e-5
#define TUNE_ERRORS 0.25		/* in standard errors of the gain */
static const double tune_factors[TUNE_ROUNDS] = {2, 1.4};

typedef struct Problem
{
	const Dataset *data;
	double	   *l2;				/* [n_blocks] */
	int			n_blocks;		/* 2 * n_fields: by value, by pair */
	size_t	   *offset;			/* [n_blocks + 1] of a block's weights; the last: the bias */
	int			n_pair_blocks;
	uint32_t   *pair_weights;	/* [training and validation rows, n_pair_blocks]: places in w */
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

/* The optimum under the present l2, from the weights as they are. */
static bool
minimize(const Problem *problem, Lbfgs *search, double tolerance, int max_iterations,
		 EngineError *error)
{
	if (!information(problem, search->w, search->curvature, error))
		return false;
	add_l2(problem, search->curvature);
	return lbfgs_minimize(search, tolerance, max_iterations, error);
}

static bool
find_evidence(const Problem *problem, Lbfgs *search, int max_iterations,
			  LogisticReport *report, EngineError *error)
{
	double		change = INFINITY;

	for (; report->rounds < MAX_ROUNDS && change > ROUND_CHANGE; report->rounds++)
	{
		if (report->rounds > 0)
		{
			if (!information(problem, search->w, search->curvature, error))
				return false;
			change = update_l2(problem, search->w, search->curvature);
		}
		if (!minimize(problem, search, ROUND_TOLERANCE, max_iterations, error))
			return false;
	}
	return true;
}

/* The search for l2 by validation rows. */
typedef struct Tuning
{
	const Problem *problem;
	Lbfgs	   *search;			/* at the best weights so far, between trials */
	int			max_iterations;
	double	   *best_w;			/* [all weights and the bias] */
	double	   *best_l2;		/* [n_blocks] */
	float	   *best_losses;	/* [validation rows], weighted */
	float	   *losses;			/* [validation rows] of the present weights */
	double	   *probabilities;	/* [validation rows] */
	int			trials;
} Tuning;

/* Log losses of the validation rows once calibrated: a shift of all scores is no loss. */
static bool
valid_losses(const Tuning *tuning, EngineError *error)
{
	const Problem *problem = tuning->problem;
	const Dataset *data = problem->data;
	size_t		first = data->split_start[SPLIT_VALID];
	size_t		n = data->split_start[SPLIT_TEST] - first;
	Calibration calibration = {0};

	for (size_t i = 0; i < n; i++)
	{
		if (i % CHECK_ROWS == 0 && !host_continue(problem->host, error))
			return false;
		tuning->probabilities[i] =
			1 / (1 + exp(-row_logit(problem, tuning->search->w, first + i)));
	}
	if (!calibration_fit(tuning->probabilities, data->labels + first,
						 data->weights ? data->weights + first : NULL, n, &calibration,
						 problem->host, error))
		return false;
	for (size_t i = 0; i < n; i++)
	{
		double		p = calibrate(&calibration, tuning->probabilities[i]);

		if (i % CHECK_ROWS == 0 && !host_continue(problem->host, error))
			return false;
		tuning->losses[i] = -dataset_weight(data, first + i) *
			log(fmax(data->labels[first + i] ? p : 1 - p, 1e-15));
	}
	return true;
}

/* Is the present loss lower than the best by more than noise? */
static bool
gained(const Tuning *tuning)
{
	const size_t *split_start = tuning->problem->data->split_start;
	size_t		n = split_start[SPLIT_TEST] - split_start[SPLIT_VALID];
	double		sum = 0;
	double		squares = 0;
	double		variance;

	for (size_t i = 0; i < n; i++)
	{
		double		gain = tuning->best_losses[i] - tuning->losses[i];

		sum += gain;
		squares += gain * gain;
	}
	variance = fmax(squares / n - sum / n * (sum / n), 0) / n;
	return sum / n > fmax(TUNE_GAIN, TUNE_ERRORS * sqrt(variance));
}

/* Weights and l2 as they are become the best ones, or the best ones come back. */
static void
settle(Tuning *tuning, bool better)
{
	size_t		l2_size = tuning->problem->n_blocks * sizeof(double);
	size_t		w_size = tuning->search->n * sizeof(double);
	float	   *losses = tuning->best_losses;

	memcpy(better ? tuning->best_l2 : tuning->problem->l2,
		   better ? tuning->problem->l2 : tuning->best_l2, l2_size);
	memcpy(better ? tuning->best_w : tuning->search->w,
		   better ? tuning->search->w : tuning->best_w, w_size);
	if (!better)
		return;
	tuning->best_losses = tuning->losses;
	tuning->losses = losses;
}

/* Solve with another l2 of n blocks; keep it if validation rows gain. */
static bool
try_l2(Tuning *tuning, int block, int n, double l2, bool *better, EngineError *error)
{
	*better = false;
	if (tuning->trials == TUNE_TRIALS || l2 < MIN_L2)
		return true;
	tuning->trials++;
	for (int k = block; k < block + n; k++)
		tuning->problem->l2[k] = l2;
	if (!minimize(tuning->problem, tuning->search, ROUND_TOLERANCE, tuning->max_iterations,
				  error) ||
		!valid_losses(tuning, error))
		return false;
	*better = gained(tuning);
	settle(tuning, *better);
	return true;
}

/* One way as long as that helps, else the other. */
static bool
tune_block(Tuning *tuning, int block, double factor, EngineError *error)
{
	const double *l2 = &tuning->problem->l2[block];
	bool		moved = false;
	bool		better;

	for (int way = 0; way < 2 && !moved; way++)
		do
		{
			if (!try_l2(tuning, block, 1, way == 0 ? *l2 / factor : *l2 * factor, &better,
						error))
				return false;
			moved |= better;
		}
		while (better);
	return true;
}

/* The n blocks that move logits most, by the rows' information. */
static int
largest_blocks(const Problem *problem, const double *w, const double *information, int *blocks,
			   int n)
{
	double		effects[TUNED_BLOCKS];
	int			n_found = 0;

	for (int k = 0; k < problem->n_blocks; k++)
	{
		double		effect = 0;
		int			at;

		for (size_t i = problem->offset[k]; i < problem->offset[k + 1]; i++)
			effect += information[i] * w[i] * w[i];
		if (effect == 0 || (n_found == n && effect <= effects[n - 1]))
			continue;
		n_found += n_found < n;
		for (at = n_found - 1; at > 0 && effects[at - 1] < effect; at--)
		{
			effects[at] = effects[at - 1];
			blocks[at] = blocks[at - 1];
		}
		effects[at] = effect;
		blocks[at] = k;
	}
	return n_found;
}

static bool
tune(Arena *arena, const Problem *problem, Lbfgs *search, int max_iterations, EngineError *error)
{
	const size_t *split_start = problem->data->split_start;
	Tuning		tuning = {.problem = problem,.search = search,.max_iterations = max_iterations};
	int			blocks[TUNED_BLOCKS];
	int			n_blocks;
	int			n_fields = problem->data->shape.n_fields;
	size_t		n = split_start[SPLIT_TEST] - split_start[SPLIT_VALID];
	bool		better;

	if (n < MIN_VALID_ROWS)
		return true;
	tuning.best_w = ARENA_ARRAY(arena, double, search->n);
	tuning.best_l2 = ARENA_ARRAY(arena, double, problem->n_blocks);
	tuning.probabilities = ARENA_ARRAY(arena, double, n);
	tuning.losses = ARENA_ARRAY(arena, float, n);
	tuning.best_losses = ARENA_ARRAY(arena, float, n);
	if (!arena_ok(arena, error) ||
		!information(problem, search->w, search->curvature, error) ||
		!valid_losses(&tuning, error))
		return false;
	settle(&tuning, true);
	n_blocks = largest_blocks(problem, search->w, search->curvature, blocks, TUNED_BLOCKS);
	/* what validation rows are better off without goes first: domain weights, then block by block */
	if (problem->n_pair_blocks > 0 &&
		!try_l2(&tuning, n_fields, n_fields, OFF_L2, &better, error))
		return false;
	for (int i = n_blocks - 1; i >= 0; i--)
		if (problem->l2[blocks[i]] < OFF_L2 &&
			!try_l2(&tuning, blocks[i], 1, OFF_L2, &better, error))
			return false;
	for (int round = 0; round < TUNE_ROUNDS; round++)
		for (int i = 0; i < n_blocks; i++)
			if (problem->l2[blocks[i]] < OFF_L2 &&
				!tune_block(&tuning, blocks[i], tune_factors[round], error))
				return false;
	return true;
}

static bool
solve(Arena *arena, const Problem *problem, Lbfgs *search, bool find_l2, double tolerance,
	  int max_iterations, LogisticReport *report, EngineError *error)
{
	report->rounds = 0;
	if (find_l2 && (!find_evidence(problem, search, max_iterations, report, error) ||
					!tune(arena, problem, search, max_iterations, error)))
		return false;
	return minimize(problem, search, tolerance, max_iterations, error);
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

	for (size_t row = split_start[SPLIT_TRAIN]; row < split_start[SPLIT_TEST]; row++)
	{
		if (row % CHECK_ROWS == 0 && !host_continue(problem->host, error))
			return false;
		number_row(problem, pairs, row);
	}
	return true;
}

static bool
fit(Arena *arena, Problem *problem, const DomainPairs *pairs, bool find_l2, double tolerance,
	int max_iterations, real *const *weights, real *bias, LogisticReport *report,
	EngineError *error)
{
	Lbfgs		search;

	problem->n_blocks = 2 * problem->data->shape.n_fields;
	problem->offset = ARENA_ARRAY(arena, size_t, problem->n_blocks + 1);
	if (!arena_ok(arena, error) || !lay_out(problem, pairs, error))
		return false;
	problem->pair_weights = ARENA_ARRAY(arena, uint32_t, problem->n_pair_blocks *
										problem->data->split_start[SPLIT_TEST]);
	if (!lbfgs_init(&search, arena, problem->offset[problem->n_blocks] + 1, objective, problem,
					error) ||
		!number_pairs(problem, pairs, error))
		return false;
	copy_in(problem, weights, *bias, search.w);
	if (!solve(arena, problem, &search, find_l2, tolerance, max_iterations, report, error))
		return false;
	report->iterations = search.iterations;
	report->converged = search.largest_step <= tolerance;
	copy_out(problem, search.w, weights, bias);
	return true;
}

bool
logistic_fit(Arena *arena, const Dataset *data, const DomainPairs *pairs, double *l2,
			 bool find_l2, double tolerance, int max_iterations, real *const *weights,
			 real *bias, const EngineHost *host, LogisticReport *report, EngineError *error)
{
	struct ArenaBlock *mark = arena_mark(arena);
	Problem		problem = {.data = data,.l2 = l2,.host = host};
	bool		ok = fit(arena, &problem, pairs, find_l2, tolerance, max_iterations, weights,
						 bias, report, error);

	arena_reset_to(arena, mark);
	return ok;
}
