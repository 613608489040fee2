/*
 * extrapolate.h
 *	  Beyond a sweep's end, along the line from its start.
 */
#ifndef AREAD_ENGINE_LOGISTIC_EXTRAPOLATE_H
#define AREAD_ENGINE_LOGISTIC_EXTRAPOLATE_H

#include "engine/logistic/state.h"

/* Go on along what the last sweep has changed, as far as Newton's method says. */
extern bool descent_extend(Descent *descent, EngineError *error);

#endif							/* AREAD_ENGINE_LOGISTIC_EXTRAPOLATE_H */
