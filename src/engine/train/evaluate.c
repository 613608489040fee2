/*
 * evaluate.c
 *	  Scores of a split under the present parameters, their measures, and the
 *	  best parameters so far.
 *
 * An evaluation scores as a stored model would be scored: unseen values get their
 * mean vectors, a scorer is prepared anew, popularity is put back for as long, and trees
 * count what they would count.
 *
 * Memory: scores and the scorer go back to the arena; a copy of the best
 * parameters and masks stays.
 *
 * Threads: the scorer shares the rows among the team; measures are the caller's.
 */
#include "engine/train/evaluate.h"

#include <math.h>
#include <string.h>

#include "engine/data/measured.h"
#include "engine/networks/architectures.h"
#include "engine/train/base_rate.h"
#include "engine/train/popularity.h"
#include "engine/train/split_scores.h"
#include "engine/train/stacking.h"
#include "engine/train/stopping.h"
#include "engine/train/units.h"

/*
 * Losses that compare rows leave it open what scores are against: they are mapped as the
 * model's will be, without which log loss would say nothing.
 */
static bool
calibrate_open(Trainer *trainer, double *scores, EngineError *error)
{
	size_t		n = dataset_rows(trainer->data, SPLIT_VALID);
	Calibration calibration;

	if (!trainer->units->grouped || !trainer->config->calibration)
		return true;
	if (!base_rate_calibration(trainer, scores, &calibration, error))
		return false;
	for (size_t i = 0; i < n; i++)
		scores[i] = calibrate(&calibration, scores[i], 0);
	return true;
}

/* open: the model has no calibration yet; of validation rows only. */
static bool
measure(Trainer *trainer, Split split, bool open, Measures *measures, DomainMeasure *by_domain,
		EngineError *error)
{
	const Dataset *data = trainer->data;
	size_t		n = dataset_rows(data, split);
	struct ArenaBlock *mark = arena_mark(trainer->arena);
	double	   *scores = ARENA_ARRAY(trainer->arena, double, n);
	bool		ok;

	if (!arena_ok(trainer->arena, error))
		return false;
	ok = trainer_score(trainer, split, scores, error) &&
		(!open || calibrate_open(trainer, scores, error)) &&
		stacking_add(trainer, split, scores, error) &&
		measured_rows(trainer->arena, data, data->split_start[split], n, scores, measures,
					  by_domain, trainer->host, error);
	arena_reset_to(trainer->arena, mark);
	return ok;
}

bool
trainer_measure(Trainer *trainer, Split split, Measures *measures, DomainMeasure *by_domain,
				EngineError *error)
{
	return measure(trainer, split, false, measures, by_domain, error);
}

/* Lists of positive rows, whose other items are those of training rows. */
static ListTask
lists_of(const Trainer *trainer)
{
	const Dataset *data = trainer->data;

	return (ListTask) {
		.data = data,.known = {0, data->split_start[SPLIT_VALID]},
		.with_item = data->with_item,.seed = trainer->config->seed,.max_lists = LIST_MAX,
		.max_rows = LIST_MAX_ROWS
	};
}

/* Under the present parameters; the task has to live as long. */
static Ranking *
begin_ranking(Trainer *trainer, const ListTask *task, EngineError *error)
{
	Scorer	   *scorer = scorer_create(trainer->arena, trainer->model, READY_BYTES, trainer->team,
									   trainer->host, error);

	return scorer ? lists_begin(trainer->arena, task, scorer, trainer->host, error) : NULL;
}

static bool
rank_split(const Trainer *trainer, Ranking *ranking, Split split, ListMeasures *measures,
		   EngineError *error)
{
	const size_t *start = trainer->data->split_start;

	return lists_measure(ranking, start[split], start[split + 1], measures, error);
}

bool
trainer_rank(Trainer *trainer, EngineError *error)
{
	TrainResult *result = trainer->result;
	ListTask	task = lists_of(trainer);
	struct ArenaBlock *mark = arena_mark(trainer->arena);
	Ranking    *ranking = begin_ranking(trainer, &task, error);

	if (!ranking || !rank_split(trainer, ranking, SPLIT_VALID, result->valid_lists, error) ||
		!rank_split(trainer, ranking, SPLIT_TEST, result->test_lists, error))
		return false;
	arena_reset_to(trainer->arena, mark);
	return true;
}

/* Where evaluations are compared by lists: fewer of them than at the end, and not of all items. */
static bool
measure_lists(Trainer *trainer, Measure *ndcg, EngineError *error)
{
	ListTask	task = lists_of(trainer);
	struct ArenaBlock *mark = arena_mark(trainer->arena);
	ListMeasures measures[N_LIST_KINDS];
	Ranking    *ranking;

	if (!trainer->data->with_item || !architecture_uses(trainer->config->architecture, "stop_on") ||
		!measure_kinds[trainer->config->stop_on].of_lists)
		return true;
	task.max_lists = LIST_MAX_EVALUATION;
	task.max_rows = 0;
	ranking = begin_ranking(trainer, &task, error);
	if (!ranking || !rank_split(trainer, ranking, SPLIT_VALID, measures, error))
		return false;
	*ndcg = lists_ndcg(measures);
	arena_reset_to(trainer->arena, mark);
	return true;
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

void
trainer_restore_best(Trainer *trainer)
{
	Model	   *model = trainer->model;

	memcpy(model->params, trainer->best_params, model->n_params * sizeof(real));
	memcpy(model->masks, trainer->best_masks, (size_t) model->n_domains * model->n_gates);
	memcpy(model->has_mask, trainer->best_has_mask, model->n_domains);
}

bool
trainer_evaluate(Trainer *trainer, int epoch, bool epoch_end, EngineError *error)
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
	evaluation->train_loss = trainer->loss_units > 0 ?
		trainer->loss_sum / trainer->loss_units : NAN;
	evaluation->rows_per_second = trainer->batch_seconds > 0 ?
		trainer->loss_rows / trainer->batch_seconds : 0;
	evaluation->mask_updates = trainer->updates;
	popularity_add(trainer);
	if (!measure(trainer, SPLIT_VALID, true, &evaluation->valid, NULL, error) ||
		!measure_lists(trainer, &evaluation->valid.list_ndcg, error))
		return false;
	popularity_remove(trainer);
	evaluation->trees = stacking_counts(trainer);
	evaluation->best = result->n_evaluations == 0 ||
		evaluation_score(evaluation, trainer->config) >=
		trainer->best_score + evaluation_least_gain(evaluation, trainer->config);
	evaluation->seconds = trainer_seconds(trainer) - trainer->started;
	if (evaluation->best)
	{
		trainer->best_score = evaluation_score(evaluation, trainer->config);
		result->best_evaluation = evaluation->number;
		keep_best(trainer);
	}
	result->n_evaluations++;
	trainer->loss_sum = 0;
	trainer->loss_units = 0;
	trainer->loss_rows = 0;
	trainer->batch_seconds = 0;
	trainer->observer->evaluation(trainer->observer->context, evaluation);
	return true;
}
