/*
 * race_state.c
 *	  Where a race of two networks stands, and who is ahead.
 */
#include "engine/train/race_state.h"

#include <math.h>

#include "engine/base/limits.h"
#include "engine/networks/architectures.h"
#include "engine/train/schedule.h"
#include "engine/train/stopping.h"

const RaceRule race_rule = {.valid_rows = MIN_VALID_ROWS,.settle = 1,.lead = RACE_LEAD};

uint64_t
race_evaluation(const Trainer *trainer)
{
	return RACE_EPOCHS * trainer_evaluations(trainer, trainer_epoch_batches(trainer));
}

const char *
race_phase(const Trainer *trainer)
{
	const Race *race = trainer->race;

	if (!race || race->state.stage == RACE_AGAIN || !isnan(race->state.score[1]))
		return NULL;
	return race->phase[race->state.stage == RACE_FIRST ? 0 : 1];
}

/* What the first network must be ahead by. */
static double
lead(const Race *race, const RaceState *state)
{
	return race->rule.lead * measure_kinds[state->kind].least_gain;
}

/* Without a measure there is nothing to be ahead in. */
static bool
first_is_ahead(const Race *race, const RaceState *state)
{
	return state->kind >= 0 && state->score[0] - state->score[1] > lead(race, state);
}

RaceRecord
race_record(const Trainer *trainer)
{
	const Race *race = trainer->race;
	RaceRecord	record = {0};

	if (!race)
		return record;
	record.ran = true;
	record.compared = !isnan(race->state.score[1]);
	record.settled = race->settled;
	record.first_kept = race->settled ||
		(record.compared && first_is_ahead(race, &race->state));
	record.epochs = RACE_EPOCHS;
	record.evaluation = (int) race_evaluation(trainer);
	if (trainer->result->n_evaluations <= record.evaluation)
		record.evaluation = trainer->result->n_evaluations - 1;
	record.kind = race->state.kind;
	for (int i = 0; i < 2; i++)
	{
		record.network[i] = architecture_name(race->config[i].architecture);
		/* higher scores are better, whatever the measure */
		record.value[i] = record.kind < 0 ? NAN : race->state.score[i] *
			(measure_kinds[record.kind].lower_is_better ? -1 : 1);
	}
	record.lead = record.kind < 0 ? NAN : lead(race, &race->state);
	return record;
}

bool
race_is_lost(Trainer *trainer, bool stop)
{
	Race	   *race = trainer->race;
	const TrainResult *result = trainer->result;
	RaceRecord	record;

	if (!race || race->state.stage != RACE_SECOND || !isnan(race->state.score[1]) ||
		(!stop && (uint64_t) result->n_evaluations <= race_evaluation(trainer)))
		return false;
	race->state.score[1] = trainer->best_score;
	record = race_record(trainer);
	if (trainer->observer->race)
		trainer->observer->race(trainer->observer->context, &record);
	return record.first_kept;
}

/* Can a network's best evaluation have that score? */
static bool
is_score(const RaceState *state, double score)
{
	const MeasureKind *kind;
	double		value;

	if (state->kind < 0)
		return isfinite(score);
	kind = &measure_kinds[state->kind];
	value = kind->lower_is_better ? -score : score;
	return isfinite(value) && value >= 0 && (kind->lower_is_better || value <= 1);
}

bool
race_state_is_valid(const Trainer *trainer, const RaceState *state, int n_evaluations)
{
	const Race *race = trainer->race;

	if (!race)
		return state->stage == RACE_NONE;
	if (state->kind < -1 || state->kind >= N_MEASURES || !isfinite(state->bias) ||
		(state->kind >= 0 && !may_decide(state->kind, trainer->config)))
		return false;
	switch (state->stage)
	{
		case RACE_FIRST:
			return isnan(state->score[0]) && isnan(state->score[1]);
		case RACE_SECOND:
			if (isnan(state->score[1]))
				return is_score(state, state->score[0]) &&
					(uint64_t) n_evaluations <= race_evaluation(trainer);
			return is_score(state, state->score[0]) && is_score(state, state->score[1]) &&
				(uint64_t) n_evaluations > race_evaluation(trainer) &&
				!first_is_ahead(race, state);
		case RACE_AGAIN:
			return is_score(state, state->score[0]) && is_score(state, state->score[1]) &&
				first_is_ahead(race, state);
		default:
			return false;
	}
}
