/*
 * field_step_values.h
 *	  A Newton step of a field of single values.
 */
#ifndef AREAD_ENGINE_LOGISTIC_FIELD_STEP_VALUES_H
#define AREAD_ENGINE_LOGISTIC_FIELD_STEP_VALUES_H

#include "engine/logistic/field_step.h"

extern bool visit_values(Descent *descent, int field, double no_step, EngineError *error);

#endif							/* AREAD_ENGINE_LOGISTIC_FIELD_STEP_VALUES_H */
