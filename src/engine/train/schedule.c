/*
 * schedule.c
 *	  What is due when, counted in batches, and the order of units.
 */
#include "engine/train/schedule.h"

#include "engine/data/shuffle.h"
#include "engine/train/strategy.h"
#include "engine/train/units.h"

uint64_t
trainer_updates_due(const Trainer *trainer, uint64_t batches)
{
	const TrainStrategy *strategy = trainer->strategy;

	return strategy->updates_due ? strategy->updates_due(trainer, batches) : 0;
}

uint64_t
trainer_evaluations(const Trainer *trainer, uint64_t batch)
{
	uint64_t	even = batch * trainer->config->evaluations / trainer_epoch_batches(trainer);

	return even < batch ? even : batch;
}

uint64_t
trainer_epoch_batches(const Trainer *trainer)
{
	size_t		per_batch = units_per_batch(trainer);

	return (trainer->units->n + per_batch - 1) / per_batch;
}

void
trainer_mixed_order(Trainer *trainer, int epoch, uint32_t *order)
{
	const Units *units = trainer->units;
	Random		random;

	random_start(&random, trainer->config->seed, RANDOM_SHUFFLE, epoch);
	shuffle_rows(&random, units->n, trainer->shuffle, order);
	for (size_t i = 0; i < units->n && units->leads; i++)
		order[i] = units->leads[order[i]];
}
