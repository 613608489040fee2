/*
 * strategies.h
 *	  Which strategy an architecture is trained by.
 */
#ifndef AREAD_ENGINE_TRAIN_STRATEGIES_H
#define AREAD_ENGINE_TRAIN_STRATEGIES_H

#include "engine/train/strategy.h"

extern const TrainStrategy *strategy_of(const Config *config);

#endif							/* AREAD_ENGINE_TRAIN_STRATEGIES_H */
