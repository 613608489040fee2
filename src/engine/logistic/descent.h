/*
 * descent.h
 *	  Logistic regression over ids for given L2, by descent field by field.
 *
 * A row has one value of a field.  So, with the other fields held, the weights of
 * different values do not depend on each other.  Each value's weight and those of
 * its pairs with domains take a Newton step of their own, exactly and in parallel,
 * and the bias follows.  A sweep visits field after field.  It reads each row once
 * a field, and needs neither a line search nor memory beyond the rows' state.
 * After a change of a block's L2, few sweeps find the new optimum.
 * (A block coordinate descent; Genkin, Lewis and Madigan, "Large-scale Bayesian
 * logistic regression for text categorization", 2007, do it weight by weight.)
 *
 * Members of a list share rows: their weights move together, along their own
 * Newton steps, as far as Newton's method says on that line.  So do those of a
 * vector's components, along a step that knows how these go together
 * (field_step_dense.c).
 */
#ifndef AREAD_ENGINE_LOGISTIC_DESCENT_H
#define AREAD_ENGINE_LOGISTIC_DESCENT_H

#include "engine/logistic/state.h"

/*
 * weights and l2 are the caller's, and moved in place; pairs (NULL: none) are
 * of these training rows.  Errors: lack of memory, ENGINE_INTERRUPTED, too many weights.
 */
extern bool descent_init(Descent *descent, Arena *arena, const Dataset *data,
						 const DomainPairs *pairs, double *l2, real *const *weights,
						 double bias, Team *team, const EngineHost *host, EngineError *error);
/* Gives back what is not in the arena, after descent_init() failed, too. */
extern void descent_end(Descent *descent);
/* Bring the rows' state in line with weights that were changed from outside. */
extern bool descent_refresh(Descent *descent, EngineError *error);
/*
 * Sweep, from the given field on, until a sweep moves no weight by more than
 * tolerance, or rows' logits, in the root mean square, by no more; or max_sweeps have
 * passed.  descent->converged: not that.
 */
extern bool descent_minimize(Descent *descent, int first_field, double tolerance,
							 int max_sweeps, EngineError *error);
/* One field's step of such a sweep. */
extern bool descent_visit(Descent *descent, int field, double tolerance, EngineError *error);
/* Statistics of field f's values, [0], and pairs, [1], at the present weights. */
extern bool descent_statistics(Descent *descent, int field, BlockStatistics statistics[2],
							   EngineError *error);
extern bool descent_copy_init(DescentCopy *copy, Arena *arena, const Descent *descent,
							  EngineError *error);
extern bool descent_keep(Descent *descent, DescentCopy *copy, EngineError *error);
extern bool descent_return(Descent *descent, DescentCopy *copy, EngineError *error);
#endif							/* AREAD_ENGINE_LOGISTIC_DESCENT_H */
