/*
 * train.h
 *	  Training: from a dataset to a model, with the record of how it went.
 */
#ifndef AREAD_ENGINE_TRAIN_TRAIN_H
#define AREAD_ENGINE_TRAIN_TRAIN_H

#include "engine/base/team.h"
#include "engine/train/record.h"

/*
 * Train config's architecture, or the one that a race chooses (the result's model says
 * which), on data's training rows; choose on its
 * validation rows; measure on its test rows at the end.  Without validation
 * rows (or with one class only in them) validation log loss, or else the last
 * parameters, decide.  The team (NULL: none) changes the time it takes, and
 * nothing else.  Checkpoints (NULL: none) are offered after each batch; a
 * training that goes on from one ends in the same model as without a stop.  The
 * result lives in the arena.  Errors: ENGINE_BAD_INPUT (no training rows, one
 * class only), ENGINE_DIVERGED, ENGINE_INTERRUPTED, ENGINE_OUT_OF_MEMORY,
 * ENGINE_CORRUPT (a checkpoint).
 */
extern TrainResult *train(Arena *arena, const Config *config, const Dataset *data, Team *team,
						  const EngineHost *host, const TrainObserver *observer,
						  const CheckpointStore *checkpoints, EngineError *error);
/* The same by another rule for races, for tests. */
extern TrainResult *train_by_rule(Arena *arena, const Config *config, const Dataset *data,
								  Team *team, const EngineHost *host,
								  const TrainObserver *observer,
								  const CheckpointStore *checkpoints, const RaceRule *rule,
								  EngineError *error);

#endif							/* AREAD_ENGINE_TRAIN_TRAIN_H */
