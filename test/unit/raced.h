/*
 * raced.h
 *	  Trainings of which tests of races are told, and whether two ended in the same model.
 */
#ifndef AREAD_TEST_RACED_H
#define AREAD_TEST_RACED_H

#include "engine/train/race_state.h"
#include "engine/train/train.h"

#define MAX_TOLD 8

/* What an observer was told: races in their order, and the names of phases as they changed. */
typedef struct Told
{
	RaceRecord	races[MAX_TOLD];
	int			n_races;
	char		phases[MAX_TOLD][32];
	int			n_phases;
	int			epoch;
	int			evaluations[MAX_TOLD];	/* before each race record */
	int			n_evaluations;
} Told;

/*
 * train_by_rule() of a race wherever there are epochs for it, with the toy's host; *told is
 * filled anew.  checkpoints NULL: none.
 */
extern TrainResult *train_raced(Arena *arena, const Config *config, const Dataset *data, Team *team,
								const CheckpointStore *checkpoints, double lead, Told *told,
								EngineError *error);
/* All that is stored of a training, but for times. */
extern bool same_model(const TrainResult *a, const TrainResult *b);

#endif							/* AREAD_TEST_RACED_H */
