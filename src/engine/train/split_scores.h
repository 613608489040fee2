/*
 * split_scores.h
 *	  Scores of a split's rows under the present parameters.
 */
#ifndef AREAD_ENGINE_TRAIN_SPLIT_SCORES_H
#define AREAD_ENGINE_TRAIN_SPLIT_SCORES_H

#include "engine/train/trainer.h"

/*
 * Score the rows of a split under the present parameters -> scores [its rows].
 * Errors: lack of memory, ENGINE_INTERRUPTED, ENGINE_DIVERGED.
 */
extern bool trainer_score(Trainer *trainer, Split split, double *scores, EngineError *error);

#endif							/* AREAD_ENGINE_TRAIN_SPLIT_SCORES_H */
