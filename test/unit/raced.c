/*
 * raced.c
 *	  An observer that keeps what it was told.
 */
#include "raced.h"

#include <stdlib.h>
#include <string.h>

#include "toy.h"

static void
tell_phase(void *context, const TrainProgress *progress)
{
	Told	   *told = context;

	told->epoch = progress->epoch;
	if (progress->phase == PHASE_UPDATE || progress->phase == PHASE_START ||
		(told->n_phases > 0 && strcmp(told->phases[told->n_phases - 1], progress->name) == 0))
		return;
	if (told->n_phases == MAX_TOLD)
		abort();
	strcpy(told->phases[told->n_phases++], progress->name);
}

static void
tell_evaluation(void *context, const Evaluation *evaluation)
{
	Told	   *told = context;

	(void) evaluation;
	told->n_evaluations++;
}

static void
tell_race(void *context, const RaceRecord *race)
{
	Told	   *told = context;

	if (told->n_races == MAX_TOLD)
		abort();
	told->evaluations[told->n_races] = told->n_evaluations;
	told->races[told->n_races++] = *race;
}

TrainResult *
train_raced(Arena *arena, const Config *config, const Dataset *data, Team *team,
			const CheckpointStore *checkpoints, double lead, Told *told, EngineError *error)
{
	const RaceRule rule = {.settle = 0,.lead = lead};
	EngineHost	host = toy_host();
	TrainObserver observer = {tell_phase, tell_evaluation, told, tell_race};

	*told = (Told) {0};
	return train_by_rule(arena, config, data, team, &host, &observer, checkpoints,
						 &rule, error);
}

bool
same_model(const TrainResult *a, const TrainResult *b)
{
	const Model *model = a->model;
	size_t		n_gates = (size_t) model->n_domains * model->n_gates;

	if (model->config.architecture != b->model->config.architecture ||
		model->n_params != b->model->n_params || a->n_evaluations != b->n_evaluations ||
		a->best_evaluation != b->best_evaluation ||
		memcmp(model->params, b->model->params, model->n_params * sizeof(real)) != 0 ||
		(n_gates > 0 && memcmp(model->masks, b->model->masks, n_gates) != 0) ||
		memcmp(model->has_mask, b->model->has_mask, model->n_domains) != 0 ||
		!a->wide_l2 != !b->wide_l2)
		return false;
	for (int i = 0; i < a->n_evaluations; i++)
		if (memcmp(&a->evaluations[i].valid, &b->evaluations[i].valid, sizeof(Measures)) != 0)
			return false;
	return a->test.log_loss.value == b->test.log_loss.value;
}
