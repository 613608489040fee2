/*
 * stopping.c
 *	  Which evaluation is the best, and what the others meant.
 */
#include "engine/train/stopping.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/networks/architectures.h"

const char *
evaluation_criterion(const Evaluation *evaluation)
{
	const Measures *valid = &evaluation->valid;

	return !isnan(valid->domain_auc.value) ? "DomainAUC" : !isnan(valid->auc.value) ? "AUC" :
		!isnan(valid->log_loss.value) ? "log loss" : NULL;
}

double
evaluation_score(const Evaluation *evaluation)
{
	const Measures *valid = &evaluation->valid;

	if (!isnan(valid->domain_auc.value))
		return valid->domain_auc.value;
	if (!isnan(valid->auc.value))
		return valid->auc.value;
	if (!isnan(valid->log_loss.value))
		return -valid->log_loss.value;
	return evaluation->number;
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
	double		gain = evaluation_score(best) - evaluation_score(&result->evaluations[0]);

	return gain >= SURE_GAIN || !best->trees ? config->patience :
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
	const char *criterion = evaluation_criterion(evaluation);

	if (i == 0)
		snprintf(text, MAX_REASON, "the start");
	else if (!criterion)
		snprintf(text, MAX_REASON, "the latest: there are no validation rows to compare by");
	else if (evaluation->best)
		snprintf(text, MAX_REASON, "gains %.4f of %s",
				 evaluation_score(evaluation) - evaluation_score(best_until(result, i - 1)),
				 criterion);
	else if (evaluation->batches < settle_batches(config))
		snprintf(text, MAX_REASON, "gains less than %g of %s; patience counts from batch %llu on",
				 MIN_GAIN, criterion, (unsigned long long) settle_batches(config));
	else
		snprintf(text, MAX_REASON, "gains less than %g of %s: %d in a row, of %d that option \"patience\" allows%s",
				 MIN_GAIN, criterion, without_gain(result, config, i), allowed_at(result, config, i),
				 allowed_at(result, config, i) < config->patience ? " beside trees" : "");
}

void
evaluation_reason(const TrainResult *result, const Config *config, int i, char *text)
{
	size_t		length;

	describe_gain(result, config, i, text);
	length = strlen(text);
	if (i == result->n_evaluations - 1 && architecture_of(config)->strategy != STRATEGY_START)
		snprintf(text + length, MAX_REASON - length, "; training ends %s",
				 patience_ran_out(result, config) ? "here" : "with its last epoch");
	length = strlen(text);
	if (i == result->best_evaluation)
		snprintf(text + length, MAX_REASON - length, "; kept");
}
