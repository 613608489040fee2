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
	return (uint64_t) trainer->race->epochs *
		trainer_evaluations(trainer, trainer_epoch_batches(trainer));
}

/* Epochs of a network's part of the race. */
static int
epochs_of(const Race *race, int network)
{
	return network == 0 && race->whole ? race->config[0].epochs : race->epochs;
}

const char *
race_phase(const Trainer *trainer)
{
	const Race *race = trainer->race;

	if (!race || race->state.stage == RACE_AGAIN || !isnan(race->state.score[1]) ||
		race->state.diverged[0] > 0 || race->state.diverged[1] > 0)
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
	record.first_kept = race->settled || race->state.diverged[1] > 0 ||
		(record.compared && first_is_ahead(race, &race->state));
	record.whole = race->whole;
	record.epochs = epochs_of(race, 0);
	record.evaluation = (int) race_evaluation(trainer);
	if (trainer->result->n_evaluations <= record.evaluation)
		record.evaluation = trainer->result->n_evaluations - 1;
	record.kind = race->state.kind;
	for (int i = 0; i < 2; i++)
	{
		record.network[i] = architecture_name(race->config[i].architecture);
		record.diverged[i] = race->state.diverged[i];
		/* higher scores are better, whatever the measure */
		record.value[i] = record.kind < 0 ? NAN : race->state.score[i] *
			(measure_kinds[record.kind].lower_is_better ? -1 : 1);
	}
	record.lead = record.kind < 0 ? NAN : lead(race, &race->state);
	return record;
}

void
race_tell(const Trainer *trainer)
{
	RaceRecord	record = race_record(trainer);

	if (trainer->observer->race)
		trainer->observer->race(trainer->observer->context, &record);
}

void
race_diverged(Trainer *trainer)
{
	RaceState  *state = &trainer->race->state;
	uint64_t	epoch = trainer->batches / trainer_epoch_batches(trainer) + 1;
	int			network = state->stage == RACE_FIRST ? 0 : 1;
	int			epochs = epochs_of(trainer->race, network);

	state->diverged[network] = epoch < (uint64_t) epochs ? (int32_t) epoch : epochs;
	race_tell(trainer);
}

bool
race_is_lost(Trainer *trainer, bool stop)
{
	Race	   *race = trainer->race;

	if (!race || race->state.stage != RACE_SECOND || !race_phase(trainer) ||
		(!stop && (uint64_t) trainer->result->n_evaluations <= race_evaluation(trainer)))
		return false;
	if (!model_is_finite(trainer->model))
	{
		race_diverged(trainer);
		return true;
	}
	race->state.score[1] = trainer->best_score;
	race_tell(trainer);
	return race_record(trainer).first_kept;
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

/* A network that diverged has no score, and decides the race. */
static bool
is_divergence(const Race *race, const RaceState *state)
{
	const int32_t *diverged = state->diverged;

	if (diverged[0] < 0 || diverged[0] > epochs_of(race, 0) || diverged[1] < 0 ||
		diverged[1] > epochs_of(race, 1) || !isnan(state->score[1]))
		return false;
	if (diverged[0] > 0)
		return diverged[1] == 0 && state->stage == RACE_SECOND && state->kind == -1 &&
			isnan(state->score[0]);
	return state->stage == RACE_AGAIN && is_score(state, state->score[0]);
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
	if (state->diverged[0] != 0 || state->diverged[1] != 0)
		return is_divergence(race, state);
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
