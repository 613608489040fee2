/*
 * schedule.c
 *	  What is due when, counted in batches.
 */
#include "engine/train/schedule.h"

/* Mask updates of small sets need not be closer than this. */
#define MIN_MASK_INTERVAL 100

/*
 * Masks are due after the warm-up (an epoch at most) and then every
 * mask_interval batches (half an epoch at most, unless that is a few batches).
 */
uint64_t
trainer_mask_updates(const Trainer *trainer, uint64_t batches)
{
	const Config *config = trainer->config;
	uint64_t	n_batches = trainer_epoch_batches(trainer);
	uint64_t	warmup = config->warmup_batches;
	uint64_t	interval = config->mask_interval;

	if (!config_has_masks(config))
		return 0;
	if (warmup > n_batches)
		warmup = n_batches;
	if (interval > n_batches / 2 && interval > MIN_MASK_INTERVAL)
		interval = n_batches / 2 > MIN_MASK_INTERVAL ? n_batches / 2 : MIN_MASK_INTERVAL;
	return batches >= warmup ? (batches - warmup) / interval + 1 : 0;
}

bool
trainer_masks_due(const Trainer *trainer)
{
	return trainer_mask_updates(trainer, trainer->batches) >
		trainer_mask_updates(trainer, trainer->batches - 1);
}

uint64_t
trainer_evaluations(const Trainer *trainer, uint64_t batch)
{
	uint64_t	even = batch * trainer->config->evaluations / trainer_epoch_batches(trainer);

	return even < batch ? even : batch;
}

bool
trainer_out_of_patience(const Trainer *trainer)
{
	return trainer->evaluations_without_gain >= trainer->config->patience;
}

uint64_t
trainer_epoch_batches(const Trainer *trainer)
{
	size_t		batch_size = trainer->config->batch_size;

	return (dataset_rows(trainer->data, SPLIT_TRAIN) + batch_size - 1) / batch_size;
}
