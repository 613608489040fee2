/*
 * stopping.c
 *	  Which evaluation is the best, and what the others meant.
 */
#include "engine/train/stopping.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/networks/architectures.h"

/* The kind of measure at an offset within Measures. */
static int
kind_at(size_t offset)
{
	int			kind = 0;

	while (measure_kinds[kind].offset != offset)
		kind++;
	return kind;
}

#define N_DECIDING 4

/* The first of these that is defined decides. */
static int
deciding(const Config *config, int i)
{
	const int	kinds[N_DECIDING] = {config->stop_on, kind_at(offsetof(Measures, domain_auc)),
	kind_at(offsetof(Measures, auc)), kind_at(offsetof(Measures, log_loss))};

	return kinds[i];
}

bool
may_decide(int kind, const Config *config)
{
	for (int i = 0; i < N_DECIDING; i++)
		if (deciding(config, i) == kind)
			return true;
	return false;
}

/* Number of the kind that decides; -1: none is defined. */
static int
deciding_kind(const Evaluation *evaluation, const Config *config)
{
	for (int i = 0; i < N_DECIDING; i++)
		if (!isnan(measure_at(&evaluation->valid, deciding(config, i))->value))
			return deciding(config, i);
	return -1;
}

const MeasureKind *
evaluation_criterion(const Evaluation *evaluation, const Config *config)
{
	int			kind = deciding_kind(evaluation, config);

	return kind < 0 ? NULL : &measure_kinds[kind];
}

double
evaluation_score(const Evaluation *evaluation, const Config *config)
{
	int			kind = deciding_kind(evaluation, config);

	if (kind < 0)
		return evaluation->number;
	return (measure_kinds[kind].lower_is_better ? -1 : 1) *
		measure_at(&evaluation->valid, kind)->value;
}

double
evaluation_least_gain(const Evaluation *evaluation, const Config *config)
{
	const MeasureKind *kind = evaluation_criterion(evaluation, config);

	return kind ? kind->least_gain : 0;
}

bool
stopping_check(const Config *config, const Shape *shape, EngineError *error)
{
	const MeasureKind *kind = &measure_kinds[config->stop_on];

	if (!architecture_uses(config->architecture, "stop_on"))
		return true;
	if (kind->of_lists && config->negatives == 0)
		return engine_fail(error, ENGINE_BAD_INPUT,
						   "Lists are made where option \"negatives\" samples negative rows.",
						   "option \"stop_on\" is \"%s\", but no negatives are sampled", kind->name);
	if (!kind->of_users || shape_users(shape) > 0)
		return true;
	return engine_fail(error, ENGINE_BAD_INPUT, shape->user_field < 0 ?
					   "Name the users' column by argument \"user_id\"." :
					   "Leave out \"buckets\" of the users' column, or lower its \"min_count\".",
					   shape->user_field < 0 ?
					   "option \"stop_on\" is \"%s\", but there is no user column" :
					   "option \"stop_on\" is \"%s\", but no user has an id of his own",
					   kind->name);
}

uint64_t
settle_batches(const Config *config)
{
	return (uint64_t) ceil(SETTLE_BATCHES *
						   fmax(1, SETTLE_BATCH_SIZE / (double) config->batch_size) *
						   fmax(1, SETTLE_RATE / config->learning_rate));
}

/* Evaluations up to i that patience has counted in a row. */
static int
without_gain(const TrainResult *result, const Config *config, int i)
{
	int			n = 0;

	for (int e = 0; e <= i; e++)
		if (result->evaluations[e].best)
			n = 0;
		else if (result->evaluations[e].batches >= settle_batches(config))
			n++;
	return n;
}

/* The best evaluation up to i. */
static const Evaluation *
best_until(const TrainResult *result, int i)
{
	while (i > 0 && !result->evaluations[i].best)
		i--;
	return &result->evaluations[i];
}

/* Evaluations without a gain after which training stops, as things were with evaluation i. */
static int
allowed_at(const TrainResult *result, const Config *config, int i)
{
	const Evaluation *best = best_until(result, i);
	double		gain = evaluation_score(best, config) -
		evaluation_score(&result->evaluations[0], config);
	bool		sure = gain >= SURE_GAINS * evaluation_least_gain(best, config);

	return sure || !best->trees ? config->patience :
		(config->patience + SHORT_PATIENCE - 1) / SHORT_PATIENCE;
}

bool
patience_ran_out(const TrainResult *result, const Config *config)
{
	int			last = result->n_evaluations - 1;

	return without_gain(result, config, last) >= allowed_at(result, config, last);
}

static void
describe_gain(const TrainResult *result, const Config *config, int i, char *text)
{
	const Evaluation *evaluation = &result->evaluations[i];
	const MeasureKind *criterion = evaluation_criterion(evaluation, config);

	if (i == 0)
		snprintf(text, MAX_REASON, "the start");
	else if (!criterion)
		snprintf(text, MAX_REASON, "the latest: there are no validation rows to compare by");
	else if (evaluation->best)
		snprintf(text, MAX_REASON, "gains %.4f of %s",
				 evaluation_score(evaluation, config) -
				 evaluation_score(best_until(result, i - 1), config),
				 criterion->title);
	else if (evaluation->batches < settle_batches(config))
		snprintf(text, MAX_REASON, "gains less than %g of %s; patience counts from batch %llu on",
				 criterion->least_gain, criterion->title,
				 (unsigned long long) settle_batches(config));
	else
		snprintf(text, MAX_REASON, "gains less than %g of %s: %d in a row, of %d that option \"patience\" allows%s",
				 criterion->least_gain, criterion->title, without_gain(result, config, i),
				 allowed_at(result, config, i),
				 allowed_at(result, config, i) < config->patience ? " beside trees" : "");
}

/* What the comparison of two networks made of the evaluation, if it is the one. */
static void
describe_race(const RaceRecord *race, int i, char *text, size_t room)
{
	const MeasureKind *kind;
	int			lost = race->diverged[0] > 0 ? 0 : 1;

	if (i != race->evaluation)
		return;
	if (race->diverged[lost] > 0)
		snprintf(text, room, "; stays, as %s diverged in epoch %d", race->network[lost],
				 race->diverged[lost]);
	if (race->settled)
		snprintf(text, room, "; beside trees it gains nothing, and %s is not tried", race->network[1]);
	if (!race->compared || race->kind < 0)
		return;
	kind = &measure_kinds[race->kind];
	if (race->first_kept)
		snprintf(text, room, "; ahead of %s by more than %g (%s %.4f to %.4f), which is left",
				 race->network[1], race->lead, kind->title, race->value[0], race->value[1]);
	else
		snprintf(text, room, "; stays, as %s is not ahead of it by more than %g (%s %.4f to %.4f)",
				 race->network[0], race->lead, kind->title, race->value[0], race->value[1]);
}

void
evaluation_reason(const TrainResult *result, const Config *config, int i, char *text)
{
	size_t		length;

	describe_gain(result, config, i, text);
	length = strlen(text);
	describe_race(&result->race, i, text + length, MAX_REASON - length);
	length = strlen(text);
	if (i == result->n_evaluations - 1 && architecture_of(config)->strategy != STRATEGY_START)
		snprintf(text + length, MAX_REASON - length, "; training ends %s",
				 patience_ran_out(result, config) ? "here" : "with its last epoch");
	length = strlen(text);
	if (i == result->best_evaluation)
		snprintf(text + length, MAX_REASON - length, "; kept");
}
