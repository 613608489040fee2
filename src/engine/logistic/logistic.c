/*
 * logistic.c
 *	  Logistic regression over ids: the evidence for its L2, then the optimum.
 *
 * Phases: rounds of the evidence, each solved roughly; corrections by validation
 * rows (tune_l2.c); the optimum, to the caller's tolerance.  Domain weights are
 * left out at first.  With them all is searched for once more, and validation rows
 * say which of both is kept: to close them step by step does not lead there, for
 * other blocks want another L2 without them.
 *
 * Memory: the descent's (descent.c), and a copy of its weights and logits while
 * both are compared; given back at the end.
 */
#include "engine/base/limits.h"
#include "engine/logistic/logistic.h"

#include <math.h>
#include <string.h>

#include "engine/logistic/descent.h"
#include "engine/logistic/tune_l2.h"
#include "engine/logistic/validation.h"

/* Rounds of the evidence, fewer once no l2 changes by a tenth; how exactly each is solved. */
#define MAX_ROUNDS 8
#define ROUND_CHANGE 0.1
#define ROUND_TOLERANCE 0.02
/* A weak prior on each l2, for fields of a few values. */
#define PRIOR_COUNT 0.1

/*
 * One round of the evidence: l2_k = gamma_k / |w_k|^2, where gamma_k, the
 * number of weights that the rows determine, is the sum of h / (h + l2_k)
 * over block k's weights.  *change: the largest of a log l2.
 */
static bool
update_l2(Descent *descent, double *change, EngineError *error)
{
	*change = 0;
	for (int f = 0; f < descent->n_fields; f++)
	{
		BlockStatistics statistics[2];

		if (!descent_statistics(descent, f, statistics, error))
			return false;
		for (int i = 0; i < 2; i++)
		{
			double	   *l2 = &descent->l2[f + i * descent->n_fields];
			double		before = *l2;

			if (before >= OFF_L2)
				continue;
			*l2 = (statistics[i].determined + PRIOR_COUNT) / (statistics[i].squares + PRIOR_COUNT);
			*l2 = fmin(fmax(*l2, MIN_L2), MAX_L2);
			*change = fmax(*change, fabs(log(*l2 / before)));
		}
	}
	return true;
}

static bool
find_evidence(Descent *descent, int max_sweeps, LogisticReport *report, EngineError *error)
{
	double		change = INFINITY;

	for (int round = 0; round < MAX_ROUNDS && change > ROUND_CHANGE; round++, report->rounds++)
		if ((round > 0 && !update_l2(descent, &change, error)) ||
			!descent_minimize(descent, 0, ROUND_TOLERANCE, max_sweeps, error))
			return false;
	return true;
}

static bool
search_l2(Arena *arena, Descent *descent, int max_sweeps, LogisticReport *report,
		  EngineError *error)
{
	return find_evidence(descent, max_sweeps, report, error) &&
		tune_l2(arena, descent, max_sweeps, error);
}

/* Are there domain weights, and rows to say whether they are worth having? */
static bool
may_choose_pairs(const Descent *descent)
{
	bool		any = false;

	for (int f = 0; f < descent->n_fields; f++)
		any |= descent->cells[f].pairs != NULL;
	return any && dataset_rows(descent->data, SPLIT_VALID) >= MIN_VALID_ROWS;
}

/* Mean loss of the validation rows, calibrated. */
static bool
valid_loss(ValidRows *valid, float *losses, double *mean, EngineError *error)
{
	if (!valid_losses(valid, losses, error))
		return false;
	*mean = 0;
	for (size_t i = 0; i < valid->n; i++)
		*mean += losses[i] / valid->n;
	return true;
}

/* The search without domain weights, then with them; what validation rows prefer stays. */
static bool
choose_pairs(Arena *arena, Descent *descent, int max_sweeps, LogisticReport *report,
			 EngineError *error)
{
	int			n_fields = descent->n_fields;
	size_t		size = 2 * (size_t) n_fields * sizeof(double);
	double	   *start_l2 = ARENA_ARRAY(arena, double, n_fields);
	double	   *without_l2 = ARENA_ARRAY(arena, double, 2 * n_fields);
	double		loss[2];
	ValidRows	valid;
	DescentCopy without;
	float	   *losses;

	if (!valid_init(&valid, arena, descent, MAX_VALID_ROWS, error) ||
		!descent_copy_init(&without, arena, descent, error))
		return false;
	losses = ARENA_ARRAY(arena, float, valid.n);
	if (!arena_ok(arena, error))
		return false;
	memcpy(start_l2, descent->l2 + n_fields, size / 2);
	for (int f = 0; f < n_fields; f++)
		descent->l2[n_fields + f] = OFF_L2;
	if (!search_l2(arena, descent, max_sweeps, report, error) ||
		!valid_loss(&valid, losses, &loss[0], error) ||
		!descent_keep(descent, &without, error))
		return false;
	memcpy(without_l2, descent->l2, size);
	/* a block that was left out may be of use again */
	for (int f = 0; f < n_fields; f++)
		descent->l2[f] = fmin(descent->l2[f], MAX_L2);
	memcpy(descent->l2 + n_fields, start_l2, size / 2);
	if (!search_l2(arena, descent, max_sweeps, report, error) ||
		!valid_loss(&valid, losses, &loss[1], error))
		return false;
	if (loss[1] < loss[0])
		return true;
	memcpy(descent->l2, without_l2, size);
	return descent_return(descent, &without, error);
}

static bool
fit(Arena *arena, Descent *descent, bool find_l2, double tolerance, int max_sweeps,
	LogisticReport *report, EngineError *error)
{
	if (find_l2 && !(may_choose_pairs(descent) ?
					 choose_pairs(arena, descent, max_sweeps, report, error) :
					 search_l2(arena, descent, max_sweeps, report, error)))
		return false;
	/* rows' logits have been added to many times */
	return descent_refresh(descent, error) &&
		descent_minimize(descent, 0, tolerance, max_sweeps, error);
}

bool
logistic_fit(Arena *arena, const Dataset *data, const DomainPairs *pairs, double *l2,
			 bool find_l2, double tolerance, int max_sweeps, real *const *weights,
			 real *bias, Team *team, const EngineHost *host, LogisticReport *report,
			 EngineError *error)
{
	struct ArenaBlock *mark = arena_mark(arena);
	Descent		descent;
	bool		ok;

	*report = (LogisticReport) {0};
	ok = descent_init(&descent, arena, data, pairs, l2, weights, *bias, team, host, error) &&
		fit(arena, &descent, find_l2, tolerance, max_sweeps, report, error);
	if (ok)
	{
		report->iterations = descent.sweeps;
		report->converged = descent.converged;
		*bias = (real) descent.bias;
	}
	descent_end(&descent);
	arena_reset_to(arena, mark);
	return ok;
}
