/*
 * logistic.h
 *	  Logistic regression over ids to its optimum: the start of training.
 *
 * minimize  sum over training rows of BCE(sigmoid(x . w + b), y)
 *			 + l2 / 2 * |w|^2
 * by L-BFGS, where x has a one at each field's id and 1/length at each member
 * of a list.  The bias is not penalized.  With l2 = 1 this is what
 * liblinear and scikit-learn call C = 1.
 */
#ifndef AREAD_ENGINE_LOGISTIC_H
#define AREAD_ENGINE_LOGISTIC_H

#include "dataset.h"

typedef struct LogisticReport
{
	int			iterations;
	double		loss;			/* mean BCE over training rows at the end */
	double		gradient_norm;	/* infinity norm of the objective's gradient */
	bool		converged;
} LogisticReport;

/*
 * wide[f] is [table_rows of field f's table], start values in, optimum out;
 * *bias likewise.  Rows of ids that no training row has stay at 0.  Sums run
 * in double precision and in fixed order.  Stops when the gradient's infinity
 * norm falls below tolerance (relative to its size at the start, with w = 0),
 * or after max_iterations.
 */
extern bool logistic_fit(Arena *arena, const Dataset *data, double l2,
						 double tolerance, int max_iterations, real *const *wide,
						 real *bias, const EngineHost *host,
						 LogisticReport *report, EngineError *error);

#endif							/* AREAD_ENGINE_LOGISTIC_H */
