/*
 * field_step_lists.h
 *	  A Newton step of a field of lists, or of vectors.
 */
#ifndef AREAD_ENGINE_LOGISTIC_FIELD_STEP_LISTS_H
#define AREAD_ENGINE_LOGISTIC_FIELD_STEP_LISTS_H

#include "engine/logistic/field_step.h"

extern bool visit_lists(Descent *descent, int field, double no_step, EngineError *error);
/* Add descent->moves, one for each value, to rows' logits, as far as rows have the values. */
extern bool visit_move_lists(Visit *visit, EngineError *error);

#endif							/* AREAD_ENGINE_LOGISTIC_FIELD_STEP_LISTS_H */
