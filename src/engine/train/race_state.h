/*
 * race_state.h
 *	  Where a race of two networks stands, and who is ahead (race.h tells what it is).
 */
#ifndef AREAD_ENGINE_TRAIN_RACE_STATE_H
#define AREAD_ENGINE_TRAIN_RACE_STATE_H

#include "engine/train/trainer.h"

/* Each network trains so many before they are compared, where the first one is not trained whole. */
#define RACE_EPOCHS 2
/*
 * The first network must be ahead by more than so many least gains.  The second one is the
 * better by default: of simulated sets, where both are level at first, it wins later.
 */
#define RACE_LEAD 2

typedef enum RaceStage
{
	RACE_NONE,					/* there is one network */
	RACE_FIRST,					/* the first one's epochs */
	RACE_SECOND,				/* the second one: to the comparison, and if it is kept to its end */
	RACE_AGAIN					/* the first one from its start to its end: it was ahead */
} RaceStage;

/* As a checkpoint keeps it. */
typedef struct RaceState
{
	int32_t		stage;			/* a RaceStage */
	int32_t		kind;			/* of measure_kinds, by which they are compared; -1: none, or not yet */
	double		score[2];		/* the best of each network in the race; NaN: not yet */
	double		bias;			/* of the wide part, as it was fitted */
	int32_t		diverged[2];	/* the epoch in which a network did in the race; 0: none */
} RaceState;

typedef struct Race
{
	RaceRule	rule;
	Config		config[2];		/* of the first and the second network */
	bool		whole;			/* the first one trains to its end before the second one begins */
	int			epochs;			/* of the second one before they are compared; of the first one, unless whole */
	char		phase[2][32];	/* what progress calls them until they are compared */
	RaceState	state;
	bool		settled;		/* the first one's training is over, so that there is no second one */
	Arena		first;			/* memory of the first one in its part of the race */
} Race;

extern const RaceRule race_rule;

/* The evaluation after which networks are compared: of the configuration and rows alone. */
extern uint64_t race_evaluation(const Trainer *trainer);
/* Is the trainer's network one that is yet to be compared?  Then what progress calls it, else NULL. */
extern const char *race_phase(const Trainer *trainer);
/*
 * The present network, one that is yet to be compared, has diverged: the other one has won.
 * The observer is told.
 */
extern void race_diverged(Trainer *trainer);
/*
 * After an evaluation of the second network, stop being set if its training ends with it:
 * compares once that is due, and tells the observer.  Is it left for the first one?
 */
extern bool race_is_lost(Trainer *trainer, bool stop);
/* What was seen, or is known so far; without a race all 0. */
extern RaceRecord race_record(const Trainer *trainer);
/* Tell the observer of that. */
extern void race_tell(const Trainer *trainer);
/* Can the trainer's checkpoint be in that state, after so many evaluations? */
extern bool race_state_is_valid(const Trainer *trainer, const RaceState *state, int n_evaluations);

#endif							/* AREAD_ENGINE_TRAIN_RACE_STATE_H */
