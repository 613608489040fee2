/*
 * train.c
 *	  A training from its first to its last step.
 *
 * Phases:
 *
 * 1. Labels and weights are checked; setup.c allocates all that follows.
 * 2. The start: the wide part is fitted to its optimum and then held, trees are
 *    fitted that go beside it (stacking.h), and the first evaluation measures both.
 *    Or a checkpoint puts everything back but the trees, which are fitted again.
 * 3. Epochs of batches.  After each step, in this order: the strategy's update
 *    (strategy.h), an evaluation, a checkpoint, each only if it is due.  Training
 *    ends early once patience has run out.
 * 4. The finish: the best evaluation's parameters come back, the strategy has a
 *    last word, popularity is put back (popularity.h), scores are calibrated, trees are
 *    weighed against them, and validation and test rows are measured.
 *
 * Memory: all of it lies in the caller's arena.  Evaluations and checkpoints give
 * back what they took, so steps do not make it grow.
 *
 * Threads: the team shares the work within a step.  The loop and all calls to the
 * host and the observer are the caller's thread alone.  Work is dealt out by the
 * data, so results do not depend on the number of threads.
 */
#include "engine/train/train.h"

#include <math.h>
#include <string.h>

#include "engine/logistic/logistic.h"
#include "engine/networks/architectures.h"
#include "engine/networks/config_options.h"
#include "engine/train/base_rate.h"
#include "engine/train/checkpoint.h"
#include "engine/train/evaluate.h"
#include "engine/train/popularity.h"
#include "engine/train/schedule.h"
#include "engine/train/setup.h"
#include "engine/train/split_scores.h"
#include "engine/train/stacking.h"
#include "engine/train/stopping.h"
#include "engine/train/strategy.h"

#define START_TOLERANCE 1e-3	/* in logits */
#define START_ITERATIONS 500
#define START_L2 1.0			/* where the search for it starts */

/* Rows of weight 0 teach nothing. */
static bool
check_labels(const Config *config, const Dataset *data, EngineError *error)
{
	size_t		n = dataset_rows(data, SPLIT_TRAIN);
	size_t		rows[2] = {0, 0};

	if (n == 0)
		return engine_fail(error, ENGINE_BAD_INPUT,
						   "Check the split: no row of the source falls into training.",
						   "there are no training rows");
	for (size_t row = 0; row < n; row++)
		rows[data->labels[row]] += dataset_weight(data, row) > 0;
	if (rows[0] > 0 && rows[1] > 0)
		return true;
	return engine_fail(error, ENGINE_BAD_INPUT, rows[1] == 0 ?
					   "A model needs both positive and negative rows to learn from." :
					   config->negatives == 0 ?
					   "A model needs negative rows too; for logs that hold positives only, option \"negatives\" samples some." :
					   "Negatives are other items of the same domain: no domain has one that its users have not taken.",
					   "all %zu training rows%s have label %d", rows[0] + rows[1],
					   data->weights ? " of weight above 0" : "", rows[1] > 0);
}

/* The trainer's host while the wide part is fitted: it is told, too, that work goes on. */
static bool
interrupted_at_start(void *context)
{
	const Trainer *trainer = context;
	TrainProgress progress = {.phase = PHASE_START,.name = "start"};

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
start_wide(Trainer *trainer, EngineError *error)
{
	const Config *config = trainer->config;
	int			n_blocks = 2 * trainer->model->shape.n_fields;
	const Wide *wide = trainer->network.wide;
	double	   *l2 = ARENA_ARRAY(trainer->arena, double, n_blocks);
	EngineHost	host = {interrupted_at_start, seconds_at_start, trainer};
	LogisticReport report;

	if (!arena_ok(trainer->arena, error))
		return false;
	for (int b = 0; b < n_blocks; b++)
		l2[b] = isnan(config->l2_wide) ? START_L2 : config->l2_wide;
	trainer->result->wide_l2 = l2;
	return logistic_fit(trainer->arena, trainer->data, wide->pairs, l2, isnan(config->l2_wide),
						START_TOLERANCE, START_ITERATIONS, wide->weights, wide->bias,
						trainer->team, &host, &report, error);
}

static void
set_masks(Trainer *trainer)
{
	Batch	   *batch = &trainer->batch;

	for (int s = 0; s < batch->n_segments; s++)
		batch->segments[s].mask = model_mask(trainer->model, batch->segments[s].domain);
}

/* One step on the given training rows. */
static bool
train_batch(Trainer *trainer, const uint32_t *rows, int n, EngineError *error)
{
	Network    *network = &trainer->network;
	Batch	   *batch = &trainer->batch;
	double		started = trainer_seconds(trainer);
	double		loss;
	PassMode	mode = {.dropout = true,.update_running = true,.seed = trainer->config->seed,
	.use = RANDOM_DROPOUT,.pass = trainer->batches};

	trainer_fill_batch(trainer, batch, rows, NULL, n);
	set_masks(trainer);
	network_base_forward(network, batch, &mode);
	network_upper_forward(network, batch, &network->base, &mode);
	if (!network_backward(network, batch, &loss, error) ||
		!watch_continue(&trainer->watch, error))
		return false;
	if (!isfinite(loss))
		return engine_fail(error, ENGINE_DIVERGED, "Set a smaller learning_rate.",
						   "training diverged: the loss is not finite after %llu batches",
						   (unsigned long long) trainer->batches);
	optimizer_step(&trainer->optimizer, network, trainer->counts, n,
				   trainer->config->learning_rate);
	/* a step that was left half-way is nothing to go on from */
	if (trainer->watch.stopped)
		return watch_continue(&trainer->watch, error);
	if (trainer->strategy->after_batch)
		trainer->strategy->after_batch(trainer, batch);
	trainer->batches++;
	trainer->loss_sum += loss;
	trainer->loss_rows += n;
	trainer->batch_seconds += trainer_seconds(trainer) - started;
	return true;
}

static void
report_progress(const Trainer *trainer, int epoch, uint64_t batch, uint64_t n_batches)
{
	bool		warmup = trainer->strategy->update && trainer->updates == 0;
	TrainProgress progress = {
		.phase = warmup ? PHASE_WARMUP : PHASE_TRAIN,
		.name = warmup ? "warm-up" : "training",
		.epoch = epoch,
		.batch = batch,
		.batches = n_batches,
		.loss = trainer->loss_rows > 0 ? trainer->loss_sum / trainer->loss_rows : NAN,
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

/* One epoch, from a batch on; sets *stop when patience ran out. */
static bool
run_epoch(Trainer *trainer, TrainPosition from_here, uint32_t *order, bool *stop,
		  EngineError *error)
{
	int			epoch = from_here.epoch;
	size_t		n = dataset_rows(trainer->data, SPLIT_TRAIN);
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
		}
		if (!*stop && !checkpoint_offer(trainer, (TrainPosition) {epoch, b + 1}, error))
			return false;
	}
	return true;
}

/* The wide part alone: where every training starts. */
static bool
start(Trainer *trainer, TrainPosition *position, EngineError *error)
{
	if (architecture_has_wide(trainer->config) && !start_wide(trainer, error))
		return false;
	*position = (TrainPosition) {.epoch = 1};
	return stacking_fit(trainer, error) && trainer_evaluate(trainer, 0, true, error) &&
		(!trainer->strategy->batches ||
		 checkpoint_offer(trainer, *position, error));
}

static bool
run_epochs(Trainer *trainer, TrainPosition position, EngineError *error)
{
	size_t		n = dataset_rows(trainer->data, SPLIT_TRAIN);
	uint32_t   *order = ARENA_ARRAY(trainer->arena, uint32_t, n);
	bool		stop = false;

	if (!arena_ok(trainer->arena, error))
		return false;
	for (; position.epoch <= trainer->config->epochs && !stop; position.epoch++)
	{
		if (!run_epoch(trainer, position, order, &stop, error))
			return false;
		position.batch = 0;
	}
	return true;
}

static void
fill_domain(const Trainer *trainer, uint32_t d, DomainRecord *domain)
{
	const Config *config = trainer->config;
	double		n = (double) dataset_rows(trainer->data, SPLIT_TRAIN);

	domain->rows = domain_rows_count(&trainer->domain_rows, d);
	domain->positives = trainer->domain_rows.positives[d];
	domain->is_minor = domain->rows < config->minor_share * n;
	domain->is_major = domain->rows > config->major_share * n;
	if (trainer->augmented.start)
		domain->augmented_rows = trainer->augmented.start[d + 1] - trainer->augmented.start[d];
}

/* The scores that the model gives to rows that it was not trained on, if there are any. */
static bool
spread_scores(Trainer *trainer, EngineError *error)
{
	const Split order[] = {SPLIT_VALID, SPLIT_TEST, SPLIT_TRAIN};
	struct ArenaBlock *mark = arena_mark(trainer->arena);
	int			i = 0;
	size_t		n;
	double	   *scores;

	/* there are training rows */
	while (i < 2 && dataset_rows(trainer->data, order[i]) == 0)
		i++;
	n = dataset_rows(trainer->data, order[i]);
	scores = ARENA_ARRAY(trainer->arena, double, n);
	if (!arena_ok(trainer->arena, error) ||
		!trainer_score(trainer, order[i], scores, error) ||
		!deciles_find(trainer->arena, scores, n, &trainer->result->scores, trainer->host, error))
		return false;
	arena_reset_to(trainer->arena, mark);
	return true;
}

/* Where negatives are sampled, what users took is ranked among other items, too. */
static bool
rank(Trainer *trainer, EngineError *error)
{
	TrainResult *result = trainer->result;

	result->ranked = trainer->data->with_item != NULL;
	return !result->ranked ||
		(trainer_rank(trainer, SPLIT_VALID, result->valid_lists, error) &&
		 trainer_rank(trainer, SPLIT_TEST, result->test_lists, error));
}

/* What was kept, calibrated, and measured on validation and test rows. */
static bool
finish(Trainer *trainer, EngineError *error)
{
	TrainResult *result = trainer->result;
	uint32_t	n_domains = trainer->model->n_domains;
	DomainMeasure *measures = ARENA_ARRAY(trainer->arena, DomainMeasure, n_domains);

	result->n_domains = n_domains;
	result->domains = ARENA_ARRAY(trainer->arena, DomainRecord, n_domains);
	if (!arena_ok(trainer->arena, error))
		return false;
	trainer_restore_best(trainer);
	if (trainer->strategy->finish && !trainer->strategy->finish(trainer, error))
		return false;
	popularity_add(trainer);
	if (!base_rate_calibrate(trainer, error) || !stacking_finish(trainer, error))
		return false;
	for (uint32_t d = 0; d < n_domains; d++)
		fill_domain(trainer, d, &result->domains[d]);
	if (!trainer_measure(trainer, SPLIT_VALID, &result->valid, measures, error))
		return false;
	for (uint32_t d = 0; d < n_domains; d++)
		result->domains[d].valid = measures[d];
	if (!trainer_measure(trainer, SPLIT_TEST, &result->test, measures, error))
		return false;
	for (uint32_t d = 0; d < n_domains; d++)
		result->domains[d].test = measures[d];
	for (int split = 0; split < 3; split++)
		result->rows[split] = dataset_rows(trainer->data, split);
	if (!base_rate_set(trainer, error) || !spread_scores(trainer, error) ||
		!rank(trainer, error))
		return false;
	if (!model_is_finite(trainer->model))
		return engine_fail(error, ENGINE_DIVERGED, "Set a smaller learning_rate.",
						   "training diverged: a parameter is not finite");
	result->seconds = trainer_seconds(trainer) - trainer->started;
	return true;
}

TrainResult *
train(Arena *arena, const Config *config, const Dataset *data, Team *team,
	  const EngineHost *host, const TrainObserver *observer,
	  const CheckpointStore *checkpoints, EngineError *error)
{
	Trainer    *trainer = ARENA_ARRAY(arena, Trainer, 1);
	TrainPosition position;

	if (!arena_ok(arena, error))
		return NULL;
	*trainer = (Trainer) {.arena = arena,.config = config,.data = data,.team = team,
		.host = host,.observer = observer,.checkpoints = checkpoints};
	trainer->started = trainer_seconds(trainer);
	if (!config_check(config, error) || !dataset_check(data, host, error) ||
		!stopping_check(config, &data->shape, error) || !check_labels(config, data, error) ||
		!base_rate_weigh(trainer, error) || !trainer_init(trainer, error))
		return NULL;
	if (checkpoints && checkpoints->resume ?
		!checkpoint_resume(trainer, &position, error) || !stacking_fit(trainer, error) :
		!start(trainer, &position, error))
		return NULL;
	if (trainer->strategy->batches && !run_epochs(trainer, position, error))
		return NULL;
	return finish(trainer, error) ? trainer->result : NULL;
}
