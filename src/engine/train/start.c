/*
 * start.c
 *	  Where every training starts: the wide part alone, and trees.
 *
 * Memory: lasting are the L2 of wide weights, the trees and, in a race, a copy of the wide
 * weights, which all networks have alike.
 */
#include "engine/train/start.h"

#include <math.h>
#include <string.h>

#include "engine/logistic/logistic.h"
#include "engine/networks/architectures.h"
#include "engine/train/checkpoint.h"
#include "engine/train/evaluate.h"
#include "engine/train/race_state.h"
#include "engine/train/stacking.h"
#include "engine/train/strategy.h"

#define START_TOLERANCE 1e-3	/* in logits */
#define START_ITERATIONS 500
#define START_L2 1.0			/* where the search for it starts */

/* The trainer's host while the wide part is fitted: it is told, too, that work goes on. */
static bool
interrupted_at_start(void *context)
{
	const Trainer *trainer = context;
	TrainProgress progress = {.phase = PHASE_START,.name = "start",.epochs = trainer->epochs};

	trainer->observer->progress(trainer->observer->context, &progress);
	return trainer->host->interrupted(trainer->host->context);
}

static double
seconds_at_start(void *context)
{
	return trainer_seconds(context);
}

/* The wide part alone, to its optimum; heads are at zero. */
static bool
fit_wide(Trainer *trainer, EngineError *error)
{
	const Config *config = trainer->config;
	int			n_blocks = 2 * trainer->model->shape.n_fields;
	const Wide *wide = trainer->network.wide;
	double	   *l2 = trainer->result->wide_l2;
	EngineHost	host = {interrupted_at_start, seconds_at_start, trainer};
	LogisticReport report;

	for (int b = 0; b < n_blocks; b++)
		l2[b] = isnan(config->l2_wide) ? START_L2 : config->l2_wide;
	return logistic_fit(trainer->arena, trainer->data, wide->pairs, l2, isnan(config->l2_wide),
						START_TOLERANCE, START_ITERATIONS, wide->weights, wide->bias,
						trainer->team, &host, &report, error);
}

/* Numbers of the wide weights of block b: a field's, or its pairs'. */
static size_t
block_size(const Trainer *trainer, int b)
{
	const Shape *shape = &trainer->data->shape;

	return b < shape->n_fields ? shape_rows(shape, b) :
		trainer->pairs[b - shape->n_fields].n_pairs;
}

bool
wide_start_init(Trainer *trainer, EngineError *error)
{
	WideStart  *start = ARENA_ARRAY(trainer->lasting, WideStart, 1);

	if (!architecture_has_wide(trainer->config))
		return true;
	if (!arena_ok(trainer->lasting, error))
		return false;
	*start = (WideStart) {0};
	for (int b = 0; b < 2 * trainer->data->shape.n_fields; b++)
		start->n += block_size(trainer, b);
	start->weights = ARENA_ARRAY(trainer->lasting, real, start->n);
	trainer->wide_start = start;
	return arena_ok(trainer->lasting, error);
}

void
wide_start_keep(Trainer *trainer)
{
	WideStart  *start = trainer->wide_start;
	real	   *at = start ? start->weights : NULL;

	for (int b = 0; start && b < 2 * trainer->data->shape.n_fields; b++)
	{
		size_t		n = block_size(trainer, b);

		if (n > 0)
			memcpy(at, trainer->network.wide->weights[b], n * sizeof(real));
		at += n;
	}
	if (start)
		start->known = true;
}

static void
take_kept(const Trainer *trainer)
{
	const WideStart *start = trainer->wide_start;
	const real *at = start->weights;

	for (int b = 0; b < 2 * trainer->data->shape.n_fields; b++)
	{
		size_t		n = block_size(trainer, b);

		if (n > 0)
			memcpy(trainer->network.wide->weights[b], at, n * sizeof(real));
		at += n;
	}
	*trainer->network.wide->bias = (real) trainer->race->state.bias;
}

static bool
start_wide(Trainer *trainer, EngineError *error)
{
	if (!architecture_has_wide(trainer->config))
		return true;
	if (trainer->wide_start && trainer->wide_start->known)
	{
		take_kept(trainer);
		return true;
	}
	if (!fit_wide(trainer, error))
		return false;
	wide_start_keep(trainer);
	if (trainer->race)
		trainer->race->state.bias = *trainer->network.wide->bias;
	return true;
}

bool
trainer_start(Trainer *trainer, bool trees, TrainPosition *position, EngineError *error)
{
	*position = (TrainPosition) {.epoch = 1};
	return start_wide(trainer, error) && (!trees || stacking_fit(trainer, error)) &&
		trainer_evaluate(trainer, 0, true, error) &&
		(!trainer->strategy->batches || checkpoint_offer(trainer, *position, error));
}
