/*
 * train.c
 *	  A training from its first to its last step.
 *
 * Phases:
 *
 * 1. Labels and weights are checked, and it is chosen which network is trained, or which
 *    two have a race (race.h).  setup.c allocates all that follows.
 * 2. The start (start.h): the wide part is fitted to its optimum and then held, trees are
 *    fitted that go beside it (stacking.h), and the first evaluation measures both.
 *    Or a checkpoint puts everything back but the trees, which are fitted again.
 * 3. Epochs of batches (epochs.h).
 * 4. The finish: the best evaluation's parameters come back, the strategy has a
 *    last word, popularity is put back (popularity.h), scores are calibrated, trees are
 *    weighed against them, and validation and test rows are measured.
 *
 * Memory: all of it lies in the caller's arena, but that of a network that a race is done
 * with.  Evaluations and checkpoints give back what they took, so steps do not make it
 * grow.
 *
 * Threads: the team shares the work within a step.  The loop and all calls to the
 * host and the observer are the caller's thread alone.  Work is dealt out by the
 * data, so results do not depend on the number of threads.
 */
#include "engine/train/train.h"

#include "engine/networks/config_options.h"
#include "engine/train/augmentation.h"
#include "engine/train/base_rate.h"
#include "engine/train/checkpoint.h"
#include "engine/train/epochs.h"
#include "engine/train/evaluate.h"
#include "engine/train/popularity.h"
#include "engine/train/race.h"
#include "engine/train/setup.h"
#include "engine/train/split_scores.h"
#include "engine/train/stacking.h"
#include "engine/train/start.h"
#include "engine/train/stopping.h"
#include "engine/train/strategy.h"
#include "engine/train/units.h"

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

static void
fill_domain(const Trainer *trainer, uint32_t d, DomainRecord *domain)
{
	const Config *config = trainer->config;
	double		n = (double) dataset_rows(trainer->data, SPLIT_TRAIN);

	domain->rows = domain_rows_count(&trainer->domain_rows, d);
	domain->positives = trainer->domain_rows.positives[d];
	domain->is_minor = domain->rows < config->minor_share * n;
	domain->is_major = domain->rows > config->major_share * n;
	domain->augmented_rows = augmentation_rows(trainer, d, NULL);
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
	if (!result->ranked)
		return true;
	if (!trainer_rank(trainer, error))
		return false;
	result->valid.list_ndcg = lists_ndcg(result->valid_lists);
	result->test.list_ndcg = lists_ndcg(result->test_lists);
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

/* One network: from its start, or from a checkpoint. */
static bool
train_alone(Trainer *trainer, EngineError *error)
{
	bool		resume = trainer->checkpoints && trainer->checkpoints->resume;
	TrainPosition position;

	if (!trainer_begin(trainer, trainer->lasting, trainer->config, error))
		return false;
	if (resume ? !checkpoint_resume(trainer, &position, error) || !stacking_fit(trainer, error) :
		!trainer_start(trainer, true, &position, error))
		return false;
	return !trainer->strategy->batches || trainer_run(trainer, position, error);
}

TrainResult *
train_by_rule(Arena *arena, const Config *config, const Dataset *data, Team *team,
			  const EngineHost *host, const TrainObserver *observer,
			  const CheckpointStore *checkpoints, const RaceRule *rule, EngineError *error)
{
	Trainer    *trainer = ARENA_ARRAY(arena, Trainer, 1);
	Config	   *settled = ARENA_ARRAY(arena, Config, 1);
	bool		ok;

	if (!arena_ok(arena, error) || !config_check(config, error))
		return NULL;
	*settled = *config;
	config_settle(settled);
	*trainer = (Trainer) {.lasting = arena,.arena = arena,.config = settled,.data = data,
		.team = team,.host = host,.observer = observer,.checkpoints = checkpoints};
	trainer->started = trainer_seconds(trainer);
	if (!dataset_check(data, host, error) || !stopping_check(settled, &data->shape, error) ||
		!check_labels(settled, data, error) || !units_init(trainer, error) ||
		!race_choose(trainer, rule, error) || !base_rate_weigh(trainer, error) ||
		!trainer_prepare(trainer, error))
		return NULL;
	ok = trainer->race ? race_train(trainer, error) : train_alone(trainer, error);
	if (ok)
	{
		trainer->result->race = race_record(trainer);
		ok = finish(trainer, error);
	}
	race_end(trainer);
	return ok ? trainer->result : NULL;
}

TrainResult *
train(Arena *arena, const Config *config, const Dataset *data, Team *team,
	  const EngineHost *host, const TrainObserver *observer,
	  const CheckpointStore *checkpoints, EngineError *error)
{
	return train_by_rule(arena, config, data, team, host, observer, checkpoints, &race_rule,
						 error);
}
