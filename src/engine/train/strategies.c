/*
 * strategies.c
 *	  The one list of strategies.
 */
#include "engine/train/strategies.h"

#include "engine/networks/architectures.h"
#include "engine/train/mask_analysis.h"
#include "engine/train/mask_strategy.h"
#include "engine/train/schedule.h"

/* The start is the model. */
static const TrainStrategy start_strategy = {.batches = false};

static const TrainStrategy plain_strategy = {.batches = true,.order = trainer_mixed_order};

static const TrainStrategy *const strategies[] = {
	[STRATEGY_START] = &start_strategy,
	[STRATEGY_PLAIN] = &plain_strategy,
	[STRATEGY_ANALYSIS] = &mask_analysis_strategy,
	[STRATEGY_MASKS] = &mask_strategy,
	[STRATEGY_MASKS_AUGMENTED] = &augmented_mask_strategy
};

const TrainStrategy *
strategy_of(const Config *config)
{
	return strategies[architecture_of(config)->strategy];
}
