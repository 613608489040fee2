/*
 * epochs.c
 *	  A network's training, batch by batch.
 *
 * After each step, in this order: the strategy's update (strategy.h), an evaluation, a
 * checkpoint, each only if it is due.  Training ends early once patience has run out, or
 * another network has won a race (race.h).
 */
#include "engine/train/epochs.h"

#include <math.h>

#include "engine/train/checkpoint.h"
#include "engine/train/evaluate.h"
#include "engine/train/hard.h"
#include "engine/train/race_state.h"
#include "engine/train/schedule.h"
#include "engine/train/stopping.h"
#include "engine/train/strategy.h"
#include "engine/train/units.h"

/* One step on the given units. */
static bool
train_batch(Trainer *trainer, const uint32_t *units, int n, EngineError *error)
{
	Network    *network = &trainer->network;
	Batch	   *batch = &trainer->batch;
	double		started = trainer_seconds(trainer);
	double		loss;
	PassMode	mode = {.dropout = true,.update_running = true,.seed = trainer->config->seed,
	.use = RANDOM_DROPOUT,.pass = trainer->batches};

	units_fill_batch(trainer, batch, units, NULL, n);
	trainer_set_masks(trainer, batch);
	if (!hard_negatives_draw(trainer, batch, error))
		return false;
	network_base_forward(network, batch, &mode);
	network_upper_forward(network, batch, &network->base, &mode);
	if (!network_backward(network, batch, &loss, error) ||
		!watch_continue(&trainer->watch, error))
		return false;
	if (!isfinite(loss))
		return engine_fail(error, ENGINE_DIVERGED, "Set a smaller learning_rate.",
						   "training diverged: the loss is not finite after %llu batches",
						   (unsigned long long) trainer->batches);
	optimizer_step(&trainer->optimizer, network, trainer->counts, batch->n_rows,
				   trainer->config->learning_rate);
	/* a step that was left half-way is nothing to go on from */
	if (trainer->watch.stopped)
		return watch_continue(&trainer->watch, error);
	if (trainer->strategy->after_batch)
		trainer->strategy->after_batch(trainer, batch);
	trainer->batches++;
	trainer->loss_sum += loss;
	trainer->loss_units += batch->n_units;
	trainer->loss_rows += batch->n_rows;
	trainer->batch_seconds += trainer_seconds(trainer) - started;
	return true;
}

static void
report_progress(const Trainer *trainer, int epoch, uint64_t batch, uint64_t n_batches)
{
	bool		warmup = trainer->strategy->update && trainer->updates == 0;
	const char *race = race_phase(trainer);
	TrainProgress progress = {
		.phase = race ? PHASE_RACE : warmup ? PHASE_WARMUP : PHASE_TRAIN,
		.name = race ? race : warmup ? "warm-up" : "training",
		.epoch = epoch,
		.epochs = trainer->epochs,
		.batch = batch,
		.batches = n_batches,
		.loss = trainer->loss_units > 0 ? trainer->loss_sum / trainer->loss_units : NAN,
		.rows_per_second = trainer->batch_seconds > 0 ?
		trainer->loss_rows / trainer->batch_seconds : 0
	};

	trainer->observer->progress(trainer->observer->context, &progress);
}

/* The strategy's update, if the step just taken has made one due. */
static bool
update_if_due(Trainer *trainer, EngineError *error)
{
	if (trainer_updates_due(trainer, trainer->batches) <=
		trainer_updates_due(trainer, trainer->batches - 1))
		return true;
	if (!trainer->strategy->update(trainer, error))
		return false;
	trainer->updates++;
	return true;
}

/* One epoch, from a batch on; sets *stop when patience ran out, or a race is lost. */
static bool
run_epoch(Trainer *trainer, TrainPosition from_here, uint32_t *order, bool *stop,
		  EngineError *error)
{
	int			epoch = from_here.epoch;
	size_t		n = trainer->units->n;
	uint64_t	n_batches = trainer_epoch_batches(trainer);

	trainer->strategy->order(trainer, epoch, order);
	for (uint64_t b = from_here.batch; b < n_batches && !*stop; b++)
	{
		size_t		from = n * b / n_batches;
		size_t		to = n * (b + 1) / n_batches;

		if (!train_batch(trainer, order + from, to - from, error))
			return false;
		report_progress(trainer, epoch, b + 1, n_batches);
		if (!update_if_due(trainer, error))
			return false;
		if (trainer_evaluations(trainer, b + 1) > trainer_evaluations(trainer, b))
		{
			if (!trainer_evaluate(trainer, epoch, b + 1 == n_batches, error))
				return false;
			*stop = patience_ran_out(trainer->result, trainer->config);
			*stop |= race_is_lost(trainer, *stop);
		}
		if (!*stop && !checkpoint_offer(trainer, (TrainPosition) {epoch, b + 1}, error))
			return false;
	}
	return true;
}

bool
trainer_run(Trainer *trainer, TrainPosition position, EngineError *error)
{
	uint32_t   *order = ARENA_ARRAY(trainer->arena, uint32_t, trainer->units->n);
	bool		stop = false;

	if (!arena_ok(trainer->arena, error))
		return false;
	for (; position.epoch <= trainer->epochs && !stop; position.epoch++)
	{
		if (!run_epoch(trainer, position, order, &stop, error))
			return false;
		position.batch = 0;
	}
	return true;
}
