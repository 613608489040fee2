/*
 * logistic.c
 *	  Logistic regression over ids: the evidence for its L2, then the optimum.
 *
 * Phases: rounds of the evidence, each solved roughly; corrections by validation
 * rows (tune_l2.c); the optimum, to the caller's tolerance.
 *
 * Memory: the descent's (descent.c), given back at the end.
 */
#include "engine/logistic/logistic.h"

#include <math.h>

#include "engine/logistic/descent.h"
#include "engine/logistic/tune_l2.h"

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

	for (; report->rounds < MAX_ROUNDS && change > ROUND_CHANGE; report->rounds++)
		if ((report->rounds > 0 && !update_l2(descent, &change, error)) ||
			!descent_minimize(descent, 0, ROUND_TOLERANCE, max_sweeps, error))
			return false;
	return true;
}

static bool
fit(Arena *arena, Descent *descent, bool find_l2, double tolerance, int max_sweeps,
	LogisticReport *report, EngineError *error)
{
	if (find_l2 && (!find_evidence(descent, max_sweeps, report, error) ||
					!tune_l2(arena, descent, max_sweeps, error)))
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
