/*
 * race.c
 *	  Two networks, of which validation rows choose one: architecture "auto".
 *
 * No network is the best one on all data, and two epochs tell which of two it is.  So the
 * first one (MMoE), which takes less time, trains RACE_EPOCHS and is left.  The second one
 * (HEI) begins.  When it has had as many evaluations, the best scores of both are
 * compared.  The second one goes on, unless the first one is ahead by more than RACE_LEAD
 * least gains; then that is trained, from its start to its end.
 *
 * Where evaluations go by lists (option stop_on) the first one is a factorization machine,
 * and trains to its end, which takes less than the second one's part.  That part is two
 * epochs, or as many as patience lets pass, and their best has to come up to the first one's.
 *
 * A network that diverges before that has lost: the other one is trained to its end.  If that
 * diverges, too, training ends as without a race.
 *
 * There is no second one if the first one has gained nothing beside trees that count, and
 * patience has run out before the two epochs were over.  On no set that was looked at has
 * the second one gained more than a least gain then, and it takes as long as all else.
 *
 * Either way the model is, bit by bit, that of a training of the architecture that won.
 *
 * All networks share the wide part as it was fitted, trees, counts of ids, rows by domain
 * and histories; each is made and evaluated anew.
 *
 * Memory: one network at a time.  The first one's lies in an arena of its own, which is
 * given back before the second one begins, or goes to the lasting arena when the training
 * ends.  The second one's goes back to the lasting arena if it loses.  A copy of the wide
 * weights stays, which no network changes.
 *
 * Checkpoints keep the stage, the scores so far and the bias of the wide part.  The rest of
 * a checkpoint is that of the network at that stage, whose wide weights are those that
 * were fitted.
 */
#include "engine/train/race.h"

#include <math.h>
#include <stdio.h>

#include "engine/networks/architectures.h"
#include "engine/networks/config_options.h"
#include "engine/train/checkpoint.h"
#include "engine/train/epochs.h"
#include "engine/train/schedule.h"
#include "engine/train/setup.h"
#include "engine/train/stacking.h"
#include "engine/train/start.h"
#include "engine/train/stopping.h"

/* Is an option set, by other than its default, that the first architecture uses and the second does not? */
static bool
has_own_option(const Config *config, int first, int second)
{
	Config		defaults;

	config_defaults(&defaults);
	for (int i = 0; i < config_table.n; i++)
	{
		const Option *option = &config_table.options[i];

		if (architecture_uses(first, option->name) && !architecture_uses(second, option->name) &&
			!option_is_same(option, config, &defaults))
			return true;
	}
	return false;
}

/* Measures count every row, whatever it weighs. */
static bool
has_both_labels(const Dataset *data, Split split)
{
	size_t		rows[2] = {0, 0};

	for (size_t row = data->split_start[split]; row < data->split_start[split + 1]; row++)
		rows[data->labels[row]]++;
	return rows[0] > 0 && rows[1] > 0;
}

/* As many as a race has, or more, in which heads that start at zero have begun to move. */
static int
settle_epochs(const Trainer *trainer, const RaceRule *rule)
{
	double		epochs = ceil(rule->settle * settle_batches(trainer->config) /
							  (double) trainer_epoch_batches(trainer));

	return (int) fmin(fmax(epochs, RACE_EPOCHS), trainer->config->epochs);
}

/* Would two networks of the trainer's configuration show which one is better? */
static bool
can_tell(const Trainer *trainer, const RaceRule *rule, bool whole)
{
	return (whole || (trainer->config->epochs > RACE_EPOCHS &&
					  RACE_EPOCHS * trainer_epoch_batches(trainer) >=
					  rule->settle * settle_batches(trainer->config))) &&
		dataset_rows(trainer->data, SPLIT_VALID) >= rule->valid_rows &&
		has_both_labels(trainer->data, SPLIT_VALID);
}

/* Is there an option of one of these networks that another one does not use? */
static bool
has_option_beside(const Config *config, const Architecture *networks, const Architecture *other)
{
	int			number = architecture_find(other->name);

	return has_own_option(config, architecture_find(networks->first->name), number) ||
		has_own_option(config, architecture_find(networks->second->name), number);
}

bool
race_choose(Trainer *trainer, const RaceRule *rule, EngineError *error)
{
	const Architecture *asked = architecture_of(trainer->config);
	Race	   *race;
	bool		own[2];

	if (!asked->first)
		return true;
	race = ARENA_ARRAY(trainer->lasting, Race, 1);
	if (!arena_ok(trainer->lasting, error))
		return false;
	race->rule = *rule;
	race->whole = measure_kinds[trainer->config->stop_on].of_lists &&
		!has_option_beside(trainer->config, asked, asked->for_lists);
	race->state = (RaceState) {.stage = RACE_FIRST,.kind = -1,.score = {NAN, NAN}};
	for (int i = 0; i < 2; i++)
	{
		const Architecture *network = i == 1 ? asked->second :
			race->whole ? asked->for_lists : asked->first;

		race->config[i] = *trainer->config;
		race->config[i].architecture = architecture_find(network->name);
		snprintf(race->phase[i], sizeof(race->phase[i]), "race: %s", network->name);
	}
	for (int i = 0; i < 2; i++)
		own[i] = has_own_option(trainer->config, race->config[i].architecture,
								race->config[1 - i].architecture);
	race->epochs = race->whole ? settle_epochs(trainer, rule) : RACE_EPOCHS;
	if (own[0] == own[1] && can_tell(trainer, rule, race->whole))
		trainer->race = race;
	trainer->config = &race->config[own[0] && !own[1] ? 0 : 1];
	return true;
}

/* A network of the present stage, from its start or, the first one of a call, from a checkpoint. */
static bool
run_network(Trainer *trainer, Arena *arena, bool resume, EngineError *error)
{
	Race	   *race = trainer->race;
	bool		first = race->state.stage != RACE_SECOND;
	TrainPosition position;

	if (!trainer_begin(trainer, arena, &race->config[first ? 0 : 1], error))
		return false;
	if (race->state.stage == RACE_FIRST && !race->whole)
		trainer->epochs = race->epochs;
	if (!resume)
	{
		if (!trainer_start(trainer, race->state.stage == RACE_FIRST, &position, error))
			return false;
	}
	else if (!checkpoint_resume(trainer, &position, error))
		return false;
	else
		wide_start_keep(trainer);
	return trainer_run(trainer, position, error);
}

/* Is the network's training over, with its start as the best that there was, beside trees that count? */
static bool
is_settled(const Trainer *trainer)
{
	const TrainResult *result = trainer->result;

	return result->best_evaluation == 0 && result->evaluations[0].trees &&
		patience_ran_out(result, trainer->config);
}

/* How well the first network did, and whether that is all. */
static void
keep_score(Trainer *trainer)
{
	Race	   *race = trainer->race;
	const Evaluation *best = &trainer->result->evaluations[trainer->result->best_evaluation];
	const MeasureKind *kind = evaluation_criterion(best, trainer->config);

	race->state.kind = kind ? (int32_t) (kind - measure_kinds) : -1;
	race->state.score[0] = trainer->best_score;
	race->settled = is_settled(trainer);
}

/* The first network's part of the race, in memory of its own. */
static bool
run_first(Trainer *trainer, bool resume, EngineError *error)
{
	Race	   *race = trainer->race;

	arena_init(&race->first, trainer->lasting->allocate, trainer->lasting->release,
			   trainer->lasting->context);
	if (!run_network(trainer, &race->first, resume, error))
	{
		if (error->code != ENGINE_DIVERGED)
			return false;
		race_diverged(trainer);
	}
	else if (!model_is_finite(trainer->model))
		race_diverged(trainer);
	else
		keep_score(trainer);
	if (race->settled)
		race_tell(trainer);
	else
	{
		race->state.stage = RACE_SECOND;
		arena_free_all(&race->first);
	}
	return true;
}

void
race_end(Trainer *trainer)
{
	if (trainer->race)
		arena_take(trainer->lasting, &trainer->race->first);
}

/* The second network: to its end, or to where it has lost. */
static bool
run_second(Trainer *trainer, bool resume, EngineError *error)
{
	if (run_network(trainer, trainer->lasting, resume, error))
		return true;
	if (error->code != ENGINE_DIVERGED || !race_phase(trainer))
		return false;
	race_diverged(trainer);
	return true;
}

bool
race_train(Trainer *trainer, EngineError *error)
{
	Race	   *race = trainer->race;
	bool		resume = trainer->checkpoints && trainer->checkpoints->resume;
	struct ArenaBlock *mark;

	if (!wide_start_init(trainer, error))
		return false;
	/* a network's start has them fitted, a checkpoint does not */
	if (resume && (!checkpoint_race(trainer, &race->state, error) ||
				   !stacking_fit(trainer, error)))
		return false;
	if (race->state.stage == RACE_FIRST)
	{
		race_tell(trainer);
		if (!run_first(trainer, resume, error))
			return false;
		if (race->settled)
			return true;
		resume = false;
	}
	mark = arena_mark(trainer->lasting);
	if (race->state.stage == RACE_SECOND)
	{
		if (race_phase(trainer))
			race_tell(trainer);
		if (!run_second(trainer, resume, error))
			return false;
		resume = false;
		if (!race_record(trainer).first_kept)
			return true;
		arena_reset_to(trainer->lasting, mark);
		race->state.stage = RACE_AGAIN;
	}
	return run_network(trainer, trainer->lasting, resume, error);
}
