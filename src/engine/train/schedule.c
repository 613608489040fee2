/*
 * schedule.c
 *	  What is due when, counted in batches, and the order of rows.
 */
#include "engine/train/schedule.h"

#include "engine/data/shuffle.h"
#include "engine/train/strategy.h"

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
	size_t		batch_size = trainer->config->batch_size;

	return (dataset_rows(trainer->data, SPLIT_TRAIN) + batch_size - 1) / batch_size;
}

void
trainer_mixed_order(Trainer *trainer, int epoch, uint32_t *order)
{
	Random		random;

	random_start(&random, trainer->config->seed, RANDOM_SHUFFLE, epoch);
	shuffle_rows(&random, dataset_rows(trainer->data, SPLIT_TRAIN), trainer->shuffle, order);
}
