/*
 * field_step_dense.h
 *	  The step of a dense field's weights.
 */
#ifndef AREAD_ENGINE_LOGISTIC_FIELD_STEP_DENSE_H
#define AREAD_ENGINE_LOGISTIC_FIELD_STEP_DENSE_H

#include "engine/logistic/field_step.h"

/* Scratch for dense fields, if there are any. */
extern bool visit_dense_init(Descent *descent, Arena *arena, EngineError *error);
/* Sums of a dense field's components -> descent->sums. */
extern bool visit_dense_sum(Visit *visit, EngineError *error);
/*
 * Steps of its weights, whose sums are there, -> descent->moves; *sum gets the slope
 * along them, what the penalty bends, and the largest.
 */
extern bool visit_dense_steps(Visit *visit, DescentPart *sum, EngineError *error);

#endif							/* AREAD_ENGINE_LOGISTIC_FIELD_STEP_DENSE_H */
