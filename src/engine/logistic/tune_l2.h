/*
 * tune_l2.h
 *	  The L2 of logistic regression, corrected by validation rows.
 */
#ifndef AREAD_ENGINE_LOGISTIC_TUNE_L2_H
#define AREAD_ENGINE_LOGISTIC_TUNE_L2_H

#include "engine/logistic/descent.h"

/* Bounds of an L2 that is searched for. */
#define MIN_L2 0.01
#define MAX_L2 10000.0
/* Of a block that is left out: weights come to nothing, however many rows they have. */
#define OFF_L2 1e12
/* More of them say no more about an L2: some, evenly spread, do. */
#define MAX_VALID_ROWS 200000

/*
 * Move descent->l2, block by block, as far as the calibrated log loss of the
 * validation rows gains; weights are left at the best ones found.  Too few
 * validation rows change nothing.
 */
extern bool tune_l2(Arena *arena, Descent *descent, int max_sweeps, EngineError *error);

#endif							/* AREAD_ENGINE_LOGISTIC_TUNE_L2_H */
