/*
 * train.c
 *	  The training loop: start, epochs of mixed batches, mask updates,
 *	  evaluations, early stopping.
 */
#include "engine/train/train.h"

#include <math.h>
#include <string.h>

#include "engine/logistic/logistic.h"
#include "engine/score/score.h"
#include "engine/data/shuffle.h"
#include "engine/train/stopping.h"
#include "engine/train/trainer.h"

#define START_TOLERANCE 1e-3	/* in logits */
#define START_ITERATIONS 500
#define START_L2 1.0			/* where the search for it starts */
/* Mask updates of small sets need not be closer than this. */
#define MIN_MASK_INTERVAL 100

static double
now(const Trainer *trainer)
{
	return trainer->host->seconds(trainer->host->context);
}

static size_t
split_rows(const Dataset *data, Split split)
{
	return data->split_start[split + 1] - data->split_start[split];
}

/* Rows of weight 0 teach nothing. */
static bool
check_labels(const Config *config, const Dataset *data, EngineError *error)
{
	size_t		n = split_rows(data, SPLIT_TRAIN);
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

bool
trainer_score(Trainer *trainer, Split split, double *scores, EngineError *error)
{
	const Dataset *data = trainer->data;
	ScoreRows	rows = {
		.n_rows = split_rows(data, split),
		.ids = data->ids + data->split_start[split] * (size_t) data->shape.n_fields,
		.list_start = data->list_start,
		.list_members = data->list_members
	};
	Scorer	   *scorer = scorer_create(trainer->arena, trainer->model, READY_BYTES,
									   trainer->team, trainer->host, error);

	if (!scorer)
		return false;
	if (scorer_score(scorer, &rows, scores, error))
		return true;
	return error->code != ENGINE_CORRUPT ? false :
		engine_fail(error, ENGINE_DIVERGED, "Set a smaller learning_rate.",
					"training diverged: scores are not finite");
}

/* Measures of a split under the present parameters; by_domain [D] or NULL. */
static bool
measure_split(Trainer *trainer, Split split, Measures *measures, DomainMeasure *by_domain,
			  EngineError *error)
{
	const Dataset *data = trainer->data;
	size_t		n = split_rows(data, split);
	struct ArenaBlock *mark = arena_mark(trainer->arena);
	double	   *scores = ARENA_ARRAY(trainer->arena, double, n);
	int64_t    *domains = ARENA_ARRAY(trainer->arena, int64_t, n);
	bool		ok;

	if (!arena_ok(trainer->arena, error))
		return false;
	for (size_t i = 0; i < n; i++)
		domains[i] = dataset_domain(data, data->split_start[split] + i);
	ok = trainer_score(trainer, split, scores, error) &&
		metrics_compute(trainer->arena, scores, data->labels + data->split_start[split],
						domains, n, trainer->model->n_domains, measures, by_domain,
						trainer->host, error);
	arena_reset_to(trainer->arena, mark);
	return ok;
}

Evaluation *
trainer_add_evaluation(Trainer *trainer, EngineError *error)
{
	TrainResult *result = trainer->result;

	if (result->n_evaluations == trainer->evaluations_capacity)
	{
		int			capacity = 2 * trainer->evaluations_capacity + 16;
		Evaluation *evaluations = ARENA_ARRAY(trainer->arena, Evaluation, capacity);

		if (!arena_ok(trainer->arena, error))
			return NULL;
		if (result->n_evaluations > 0)
			memcpy(evaluations, result->evaluations,
				   result->n_evaluations * sizeof(Evaluation));
		result->evaluations = evaluations;
		trainer->evaluations_capacity = capacity;
	}
	return &result->evaluations[result->n_evaluations];
}

static void
keep_best(Trainer *trainer)
{
	const Model *model = trainer->model;

	memcpy(trainer->best_params, model->params, model->n_params * sizeof(real));
	memcpy(trainer->best_masks, model->masks, (size_t) model->n_domains * model->n_gates);
	memcpy(trainer->best_has_mask, model->has_mask, model->n_domains);
}

static void
restore_best(Trainer *trainer)
{
	Model	   *model = trainer->model;

	memcpy(model->params, trainer->best_params, model->n_params * sizeof(real));
	memcpy(model->masks, trainer->best_masks, (size_t) model->n_domains * model->n_gates);
	memcpy(model->has_mask, trainer->best_has_mask, model->n_domains);
}

/* Measure the validation rows, record it, keep the parameters if they are the best. */
static bool
evaluate(Trainer *trainer, int epoch, bool epoch_end, EngineError *error)
{
	TrainResult *result = trainer->result;
	Evaluation *evaluation = trainer_add_evaluation(trainer, error);

	if (!evaluation)
		return false;
	model_fill_unseen(trainer->model, (const uint32_t *const *) trainer->counts);
	evaluation->number = result->n_evaluations;
	evaluation->epoch = epoch;
	evaluation->epoch_end = epoch_end;
	evaluation->batches = trainer->batches;
	evaluation->train_loss = trainer->loss_rows > 0 ?
		trainer->loss_sum / trainer->loss_rows : NAN;
	evaluation->rows_per_second = trainer->batch_seconds > 0 ?
		trainer->loss_rows / trainer->batch_seconds : 0;
	evaluation->mask_updates = result->n_mask_updates;
	if (!measure_split(trainer, SPLIT_VALID, &evaluation->valid, NULL, error))
		return false;
	evaluation->best = result->n_evaluations == 0 ||
		evaluation_score(evaluation) >= trainer->best_score + MIN_GAIN;
	evaluation->seconds = now(trainer) - trainer->started;
	if (evaluation->best)
	{
		trainer->best_score = evaluation_score(evaluation);
		result->best_evaluation = evaluation->number;
		trainer->evaluations_without_gain = 0;
		keep_best(trainer);
	}
	else if (trainer->batches >= SETTLE_BATCHES)
		trainer->evaluations_without_gain++;
	result->n_evaluations++;
	trainer->loss_sum = 0;
	trainer->loss_rows = 0;
	trainer->batch_seconds = 0;
	trainer->observer->evaluation(trainer->observer->context, evaluation);
	return true;
}

/* The trainer's host while the wide part is fitted: it is told, too, that work goes on. */
static bool
interrupted_at_start(void *context)
{
	const Trainer *trainer = context;
	TrainProgress progress = {.phase = PHASE_START};

	trainer->observer->progress(trainer->observer->context, &progress);
	return trainer->host->interrupted(trainer->host->context);
}

static double
seconds_at_start(void *context)
{
	return now(context);
}

/* The wide part alone, to its optimum; heads are at zero. */
static bool
start_wide(Trainer *trainer, EngineError *error)
{
	const Config *config = trainer->config;
	int			n_blocks = 2 * trainer->model->shape.n_fields;
	const Wide *wide = &trainer->network.wide;
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
	const Model *model = trainer->model;

	for (int s = 0; s < batch->n_segments; s++)
	{
		int64_t		domain = batch->segments[s].domain;

		if (domain >= 0 && model->n_gates > 0 && model->has_mask[domain])
			batch->segments[s].mask = model->masks + (size_t) domain * model->n_gates;
	}
}

/* One step on the given training rows. */
static bool
train_batch(Trainer *trainer, const uint32_t *rows, int n, EngineError *error)
{
	const Dataset *data = trainer->data;
	Network    *network = &trainer->network;
	Batch	   *batch = &trainer->batch;
	double		started = now(trainer);
	double		loss;
	PassMode	mode = {.dropout = true,.update_running = true,.seed = trainer->config->seed,
	.use = RANDOM_DROPOUT,.pass = trainer->batches};

	batch_fill(batch, &trainer->model->shape, data->ids, data->labels, data->list_start,
			   data->list_members, rows, NULL, n);
	batch->row_weights = data->weights;
	set_masks(trainer);
	network_base_forward(network, batch, &mode);
	network_experts_forward(network, batch, &network->base, &mode);
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
	if (config_has_masks(trainer->config))
		search_observe(trainer, batch);
	trainer->batches++;
	trainer->loss_sum += loss;
	trainer->loss_rows += n;
	trainer->batch_seconds += now(trainer) - started;
	return true;
}

static void
report_progress(const Trainer *trainer, int epoch, uint64_t batch, uint64_t n_batches)
{
	TrainProgress progress = {
		.phase = trainer->result->n_mask_updates == 0 &&
		config_has_masks(trainer->config) ? PHASE_WARMUP : PHASE_TRAIN,
		.epoch = epoch,
		.batch = batch,
		.batches = n_batches,
		.loss = trainer->loss_rows > 0 ? trainer->loss_sum / trainer->loss_rows : NAN,
		.rows_per_second = trainer->batch_seconds > 0 ?
		trainer->loss_rows / trainer->batch_seconds : 0
	};

	trainer->observer->progress(trainer->observer->context, &progress);
}

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

static bool
masks_due(const Trainer *trainer)
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

static bool
out_of_patience(const Trainer *trainer)
{
	return trainer->evaluations_without_gain >= trainer->config->patience;
}

uint64_t
trainer_epoch_batches(const Trainer *trainer)
{
	size_t		batch_size = trainer->config->batch_size;

	return (split_rows(trainer->data, SPLIT_TRAIN) + batch_size - 1) / batch_size;
}

/* One epoch over shuffled rows, from a batch on; sets *stop when patience ran out. */
static bool
run_epoch(Trainer *trainer, TrainPosition from_here, uint32_t *chunks, uint32_t *order,
		  bool *stop, EngineError *error)
{
	const Config *config = trainer->config;
	int			epoch = from_here.epoch;
	size_t		n = split_rows(trainer->data, SPLIT_TRAIN);
	uint64_t	n_batches = trainer_epoch_batches(trainer);
	Random		random;

	random_start(&random, config->seed, RANDOM_SHUFFLE, epoch);
	shuffle_rows(&random, n, chunks, order);
	for (uint64_t b = from_here.batch; b < n_batches && !*stop; b++)
	{
		size_t		from = n * b / n_batches;
		size_t		to = n * (b + 1) / n_batches;

		if (!train_batch(trainer, order + from, to - from, error))
			return false;
		report_progress(trainer, epoch, b + 1, n_batches);
		if (masks_due(trainer) && !search_update(trainer, error))
			return false;
		if (trainer_evaluations(trainer, b + 1) > trainer_evaluations(trainer, b))
		{
			if (!evaluate(trainer, epoch, b + 1 == n_batches, error))
				return false;
			*stop = out_of_patience(trainer);
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
	if (config_has_wide(trainer->config) && !start_wide(trainer, error))
		return false;
	*position = (TrainPosition) {.epoch = 1};
	return evaluate(trainer, 0, true, error) &&
		(trainer->config->architecture == ARCH_WIDE ||
		 checkpoint_offer(trainer, *position, error));
}

static bool
run_epochs(Trainer *trainer, TrainPosition position, EngineError *error)
{
	size_t		n = split_rows(trainer->data, SPLIT_TRAIN);
	uint32_t   *chunks = ARENA_ARRAY(trainer->arena, uint32_t, shuffle_chunks(n));
	uint32_t   *order = ARENA_ARRAY(trainer->arena, uint32_t, n);
	bool		stop = false;

	if (!arena_ok(trainer->arena, error))
		return false;
	for (; position.epoch <= trainer->config->epochs && !stop; position.epoch++)
	{
		if (!run_epoch(trainer, position, chunks, order, &stop, error))
			return false;
		position.batch = 0;
	}
	return true;
}

/* Rows that stand in for minor domains in the mask search. */
static bool
augment(Trainer *trainer, EngineError *error)
{
	const Config *config = trainer->config;
	AugmentCounts counts;
	AugmentPlan plan;

	if (config->architecture != ARCH_AREAD || config->augment_ratio <= 0 ||
		trainer->data->shape.item_field < 0)
		return true;
	return augment_count(trainer->arena, trainer->data, &counts, error) &&
		augment_plan(trainer->arena, config, &counts, &plan, error) &&
		augment_draw(trainer->arena, config, trainer->data, &plan, trainer->host,
					 &trainer->augmented, error);
}

/* The network, with products shared by the fields that have few values. */
static bool
init_network(Trainer *trainer, EngineError *error)
{
	const Shape *shape = &trainer->model->shape;
	bool	   *shared = ARENA_ARRAY(trainer->arena, bool, shape->n_fields);

	if (!arena_ok(trainer->arena, error))
		return false;
	fields_choose(shape, trainer->counts, trainer->config->batch_size, shared);
	return network_init(&trainer->network, trainer->model, trainer->config->batch_size, true,
						shared, trainer->team, trainer->arena, error);
}

bool
trainer_init(Trainer *trainer, EngineError *error)
{
	Arena	   *arena = trainer->arena;
	const Config *config = trainer->config;
	DomainPairs *pairs;
	Model	   *model;

	trainer->result = ARENA_ARRAY(arena, TrainResult, 1);
	if (!arena_ok(arena, error))
		return false;
	pairs = ARENA_ARRAY(arena, DomainPairs, trainer->data->shape.n_fields);
	if (!arena_ok(arena, error) ||
		(config_has_wide(config) && config->domain_weights &&
		 !pairs_build(arena, trainer->data, trainer->host, pairs, error)))
		return false;
	trainer->model = model = model_create(arena, config, &trainer->data->shape, pairs, error);
	if (!model || !model_init_weights(model, trainer->host, error))
		return false;
	trainer->result->model = model;
	trainer->best_params = ARENA_ARRAY(arena, real, model->n_params);
	trainer->best_masks = ARENA_ARRAY(arena, uint8_t,
									  (size_t) model->n_domains * model->n_gates + 1);
	trainer->best_has_mask = ARENA_ARRAY(arena, bool, model->n_domains + 1);
	if (!arena_ok(arena, error) ||
		!counts_init(&trainer->counts, arena, trainer->data, trainer->host, error) ||
		!domain_rows_init(&trainer->domain_rows, arena, trainer->data, error) ||
		!init_network(trainer, error) ||
		!batch_init(&trainer->batch, arena, config->batch_size, model->shape.n_fields, error))
		return false;
	trainer->watch = (Watch) {.host = trainer->host};
	workers_watch(&trainer->network.workers, &trainer->watch);
	if (config->architecture == ARCH_WIDE)
		return true;
	return augment(trainer, error) &&
		optimizer_init(&trainer->optimizer, arena, model, trainer->network.n_dense, false,
					   error) &&
		(!config_has_masks(config) || search_init(trainer, error));
}

static void
fill_domain(const Trainer *trainer, uint32_t d, DomainRecord *domain)
{
	const Config *config = trainer->config;
	double		n = (double) split_rows(trainer->data, SPLIT_TRAIN);

	domain->rows = trainer->domain_rows.start[d + 1] - trainer->domain_rows.start[d];
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
	while (i < 2 && split_rows(trainer->data, order[i]) == 0)
		i++;
	n = split_rows(trainer->data, order[i]);
	scores = ARENA_ARRAY(trainer->arena, double, n);
	if (!arena_ok(trainer->arena, error) ||
		!trainer_score(trainer, order[i], scores, error) ||
		!deciles_find(trainer->arena, scores, n, &trainer->result->scores, trainer->host, error))
		return false;
	arena_reset_to(trainer->arena, mark);
	return true;
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
	restore_best(trainer);
	if (!prior_calibrate(trainer, error))
		return false;
	for (uint32_t d = 0; d < n_domains; d++)
		fill_domain(trainer, d, &result->domains[d]);
	if (!measure_split(trainer, SPLIT_VALID, &result->valid, measures, error))
		return false;
	for (uint32_t d = 0; d < n_domains; d++)
		result->domains[d].valid = measures[d];
	if (!measure_split(trainer, SPLIT_TEST, &result->test, measures, error))
		return false;
	for (uint32_t d = 0; d < n_domains; d++)
		result->domains[d].test = measures[d];
	for (int split = 0; split < 3; split++)
		result->rows[split] = split_rows(trainer->data, split);
	if (!prior_set_base_rate(trainer, error) || !spread_scores(trainer, error))
		return false;
	if (!model_is_finite(trainer->model))
		return engine_fail(error, ENGINE_DIVERGED, "Set a smaller learning_rate.",
						   "training diverged: a parameter is not finite");
	result->seconds = now(trainer) - trainer->started;
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
	trainer->started = now(trainer);
	if (!config_check(config, error) || !dataset_check(data, host, error) ||
		!check_labels(config, data, error) || !prior_weigh(trainer, error) ||
		!trainer_init(trainer, error))
		return NULL;
	if (checkpoints && checkpoints->resume ? !checkpoint_resume(trainer, &position, error) :
		!start(trainer, &position, error))
		return NULL;
	if (config->architecture != ARCH_WIDE && !run_epochs(trainer, position, error))
		return NULL;
	return finish(trainer, error) ? trainer->result : NULL;
}
