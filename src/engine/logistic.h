/*
 * logistic.h
 *	  Logistic regression over ids to its optimum: the start of training.
 *
 * minimize  sum over training rows of BCE(sigmoid(x . w + b), y)
 *			 + sum over fields f of l2_f / 2 * |w_f|^2
 * where x has a one at each field's id and 1/length at each member of a list.
 * The bias is not penalized.  With l2 = 1 this is what liblinear and
 * scikit-learn call C = 1.
 *
 * Seen as a prior, l2_f is the inverse variance of field f's weights, and can
 * be found by the evidence of the training rows (MacKay, "Bayesian
 * interpolation", 1992, with the Hessian's diagonal): a field of few values
 * with many rows each wants another one than ids with a row or two, and a field that
 * says nothing is shrunk away.
 */
#ifndef AREAD_ENGINE_LOGISTIC_H
#define AREAD_ENGINE_LOGISTIC_H

#include "dataset.h"

typedef struct LogisticReport
{
	int			iterations;
	int			rounds;			/* of the evidence */
	bool		converged;
} LogisticReport;

/*
 * wide[f] is [table_rows of field f's table], start values in, optimum out;
 * *bias likewise.  Rows of ids that no training row has stay at 0.  Sums run
 * in double precision and in fixed order.
 *
 * l2[f] is used as it is or, with "evidence", where the search for it starts;
 * what was found out.  Stops when no weight's own Newton step exceeds
 * tolerance, or after max_iterations.
 */
extern bool logistic_fit(Arena *arena, const Dataset *data, double *l2, bool evidence,
						 double tolerance, int max_iterations, real *const *wide,
						 real *bias, const EngineHost *host,
						 LogisticReport *report, EngineError *error);

#endif							/* AREAD_ENGINE_LOGISTIC_H */
