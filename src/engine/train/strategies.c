/*
 * strategies.c
 *	  The one list of strategies.
 */
#include "engine/train/strategies.h"

#include "engine/train/mask_strategy.h"
#include "engine/train/schedule.h"

/* The start is the model. */
static const TrainStrategy start_strategy = {.batches = false};

static const TrainStrategy plain_strategy = {.batches = true,.order = trainer_mixed_order};

typedef enum StrategyKind
{
	STRATEGY_START,
	STRATEGY_PLAIN,
	STRATEGY_MASKS,
	STRATEGY_MASKS_AUGMENTED
} StrategyKind;

static const TrainStrategy *const strategies[] = {
	[STRATEGY_START] = &start_strategy,
	[STRATEGY_PLAIN] = &plain_strategy,
	[STRATEGY_MASKS] = &mask_strategy,
	[STRATEGY_MASKS_AUGMENTED] = &augmented_mask_strategy
};

static StrategyKind
kind_of(const Config *config)
{
	if (config->architecture == ARCH_WIDE)
		return STRATEGY_START;
	if (!config_has_masks(config))
		return STRATEGY_PLAIN;
	return config->architecture == ARCH_AREAD ? STRATEGY_MASKS_AUGMENTED : STRATEGY_MASKS;
}

const TrainStrategy *
strategy_of(const Config *config)
{
	return strategies[kind_of(config)];
}
