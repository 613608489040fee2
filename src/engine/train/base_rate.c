/*
 * base_rate.c
 *	  Shares of positives: weighted in the loss, taken out of the scores again,
 *	  or set to what they will be.
 *
 * Before training, positive rows get their weight.  After it, the calibration
 * takes the weight out of the scores again and fits them to validation rows; then
 * the odds of scores are moved to the base rate that was asked for.  Both act on
 * the two numbers of the calibration; no other parameter changes.
 */
#include "engine/train/base_rate.h"

#include <math.h>

#include "engine/train/split_scores.h"

bool
base_rate_weigh(Trainer *trainer, EngineError *error)
{
	const Dataset *data = trainer->data;
	size_t		n_train = dataset_rows(data, SPLIT_TRAIN);
	Dataset    *weighted;
	float	   *weights;
	double		sum = 0;

	trainer->row_weights = data->weights;
	if (trainer->config->positive_weight == 1)
		return true;
	weighted = ARENA_ARRAY(trainer->lasting, Dataset, 1);
	weights = ARENA_ARRAY(trainer->lasting, float, data->split_start[3]);
	if (!arena_ok(trainer->lasting, error))
		return false;
	for (size_t row = 0; row < data->split_start[3]; row++)
	{
		weights[row] = dataset_weight(data, row) *
			(data->labels[row] ? trainer->config->positive_weight : 1);
		sum += row < n_train ? weights[row] : 0;
	}
	for (size_t row = 0; row < data->split_start[3]; row++)
		weights[row] *= n_train / sum;
	*weighted = *data;
	weighted->weights = weights;
	trainer->data = weighted;
	return true;
}

const float *
base_rate_source_weights(const Trainer *trainer, Split split)
{
	return trainer->row_weights ?
		trainer->row_weights + trainer->data->split_start[split] : NULL;
}

bool
base_rate_calibration(const Trainer *trainer, const double *scores, Calibration *calibration,
					  EngineError *error)
{
	const Dataset *data = trainer->data;

	*calibration = (Calibration) {.shift = -log(trainer->config->positive_weight)};
	return calibration_fit(scores, data->labels + data->split_start[SPLIT_VALID],
						   base_rate_source_weights(trainer, SPLIT_VALID),
						   dataset_rows(data, SPLIT_VALID), calibration, trainer->host, error);
}

bool
base_rate_calibrate(Trainer *trainer, EngineError *error)
{
	struct ArenaBlock *mark = arena_mark(trainer->arena);
	Calibration calibration;
	double	   *scores;

	if (!trainer->config->calibration)
		return true;
	scores = ARENA_ARRAY(trainer->arena, double, dataset_rows(trainer->data, SPLIT_VALID));
	if (!arena_ok(trainer->arena, error) ||
		!trainer_score(trainer, SPLIT_VALID, scores, error) ||
		!base_rate_calibration(trainer, scores, &calibration, error))
		return false;
	model_set_calibration(trainer->model, &calibration);
	arena_reset_to(trainer->arena, mark);
	return true;
}

/* Weighted mean of scores, or of labels where there are some; NaN without rows. */
static double
mean_of(const double *scores, const uint8_t *labels, const float *weights, size_t n)
{
	double		sum = 0;
	double		total = 0;

	for (size_t i = 0; i < n; i++)
	{
		double		weight = weights ? weights[i] : 1;
		double		value = scores ? scores[i] : 0;

		if (labels)
			value = labels[i];
		total += weight;
		sum += weight * value;
	}
	return total > 0 ? sum / total : NAN;
}

/*
 * The share of positives that the scores claim: on average over validation
 * rows; without any, what the training rows taught.
 */
static bool
claimed_share(Trainer *trainer, double *share, EngineError *error)
{
	const Dataset *data = trainer->data;
	size_t		n = dataset_rows(data, SPLIT_VALID);
	struct ArenaBlock *mark = arena_mark(trainer->arena);
	double	   *scores = ARENA_ARRAY(trainer->arena, double, n);

	if (!arena_ok(trainer->arena, error) ||
		!trainer_score(trainer, SPLIT_VALID, scores, error))
		return false;
	*share = mean_of(scores, NULL, base_rate_source_weights(trainer, SPLIT_VALID), n);
	if (isnan(*share))
		*share = mean_of(NULL, data->labels, trainer->config->calibration ?
						 base_rate_source_weights(trainer, SPLIT_TRAIN) : data->weights,
						 dataset_rows(data, SPLIT_TRAIN));
	arena_reset_to(trainer->arena, mark);
	return true;
}

/* Of the odds of a score the part that comes from the share is replaced. */
bool
base_rate_set(Trainer *trainer, EngineError *error)
{
	double		rate = trainer->config->base_rate;
	Calibration calibration = model_calibration(trainer->model);
	double		share;

	if (isnan(rate))
		return true;
	if (!claimed_share(trainer, &share, error))
		return false;
	/* scores may all have come to 0 or 1 */
	share = fmin(fmax(share, 1e-9), 1 - 1e-9);
	calibration.shift += log(rate / (1 - rate)) - log(share / (1 - share));
	model_set_calibration(trainer->model, &calibration);
	return true;
}
