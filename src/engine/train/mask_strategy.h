/*
 * mask_strategy.h
 *	  Training with masks: the hierarchical expert mask search (mask_search.h) as
 *	  a strategy.
 */
#ifndef AREAD_ENGINE_TRAIN_MASK_STRATEGY_H
#define AREAD_ENGINE_TRAIN_MASK_STRATEGY_H

#include "engine/train/strategy.h"

/* Candidates train on the domain's own rows. */
extern const TrainStrategy mask_strategy;
/* Those of minor domains train on augmented rows, too. */
extern const TrainStrategy augmented_mask_strategy;

#endif							/* AREAD_ENGINE_TRAIN_MASK_STRATEGY_H */
