/*
 * score_run.h
 *	  Runs of rows through a scorer's layers, be they of a batch or one row.
 */
#ifndef AREAD_ENGINE_SCORE_SCORE_RUN_H
#define AREAD_ENGINE_SCORE_SCORE_RUN_H

#include "engine/score/scorer.h"

/* Buffers of slots and heads for so many rows; scratch for a thread.  No memory: shows in the arena. */
extern void score_buffers_init(ScoreBuffers *buffers, const Scorer *scorer, int capacity);
extern void score_scratch_init(ScoreScratch *scratch, const Scorer *scorer, int capacity,
							   Watch *watch);
/* score_ids() of all layers, then score() of all layers, in the order of planning. */
extern void score_run_ids(const ScoreRun *run);
extern void score_run_layers(const ScoreRun *run);

#endif							/* AREAD_ENGINE_SCORE_SCORE_RUN_H */
