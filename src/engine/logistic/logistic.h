/*
 * logistic.h
 *	  Logistic regression over ids to its optimum: the start of training.
 *
 * minimize  sum over training rows of weight * BCE(sigmoid(x . w + b), y)
 *			 + sum over blocks k of l2_k / 2 * |w_k|^2
 * where a block is a field's weights by value or its weights by pair of value
 * and domain, and x has a one at each field's id, 1/length at each member of a
 * list, a vector's numbers at its components, and a one at each pair.  The bias is
 * not penalized.  With l2 = 1 this
 * is what liblinear and scikit-learn call C = 1.
 *
 * Seen as a prior, l2_k is the inverse variance of a block's weights, and can
 * be found by the evidence of the training rows (MacKay, "Bayesian
 * interpolation", 1992, with the Hessian's diagonal): a field of few values with
 * many rows each wants another one than ids with a row or two, domain weights
 * one that says how much domains differ, and what says nothing is shrunk away.
 * For ids with a row or two it is too large, and it knows nothing of later
 * rows; so validation rows, if there are enough, correct it: block by block,
 * by what lowers their log loss, down to leaving a block out.  They also say
 * whether domain weights stay: bookings of 37 sites are better off without.
 */
#ifndef AREAD_ENGINE_LOGISTIC_LOGISTIC_H
#define AREAD_ENGINE_LOGISTIC_LOGISTIC_H

#include "engine/data/domain_pairs.h"
#include "engine/base/team.h"

typedef struct LogisticReport
{
	int			iterations;		/* sweeps over all fields */
	int			rounds;			/* of the evidence */
	bool		converged;
} LogisticReport;

/*
 * weights[f] is [table_rows of field f's table], weights[n_fields + f] is
 * [pairs[f].n_pairs], not looked at where there are none: start values in,
 * optimum out; *bias likewise.  Weights of ids that no training row has stay at
 * 0.  pairs (NULL: none) were built from these training rows.  Sums run in
 * double precision and in fixed order: the threads of the team (NULL: the
 * caller alone) change nothing but the time.
 *
 * l2[2 * n_fields] is used as it is or, with "find_l2", where the search for
 * it starts; what was found out.  Stops when a sweep over all fields moves no
 * weight, or rows' logits in the root mean square, by more than tolerance, or
 * after max_sweeps.  Errors: lack of memory, ENGINE_INTERRUPTED, too many weights.
 */
extern bool logistic_fit(Arena *arena, const Dataset *data, const DomainPairs *pairs,
						 double *l2, bool find_l2, double tolerance, int max_sweeps,
						 real *const *weights, real *bias, Team *team,
						 const EngineHost *host, LogisticReport *report,
						 EngineError *error);

#endif							/* AREAD_ENGINE_LOGISTIC_LOGISTIC_H */
