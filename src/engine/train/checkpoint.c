/*
 * checkpoint.c
 *	  A trainer's state as a list of parts: the one list by which checkpoints
 *	  are written and read.
 */
#include "engine/train/checkpoint.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/model/mask.h"
#include "engine/train/trainer.h"

/* Another layout of what follows, or of Evaluation, is another number. */
#define LAYOUT ((uint32_t) (1u << 16 | sizeof(Evaluation)))
/* Parts beside those of tables and mask updates. */
#define FIXED_PARTS 16
#define UPDATE_PARTS 3

/* Single numbers. */
typedef struct Head
{
	uint32_t	layout;
	int32_t		epoch;
	uint64_t	batch;
	uint64_t	batches;
	uint64_t	step;
	double		loss_sum;
	uint64_t	loss_rows;
	double		batch_seconds;
	double		seconds;
	double		best_score;
	int32_t		evaluations_without_gain;
	int32_t		best_evaluation;
	int32_t		n_evaluations;
	int32_t		n_mask_updates;
	double		density;
	double		sigma;
	double		n_candidates;
} Head;

/* Of a mask update what is not in arrays of its own. */
typedef struct UpdateHead
{
	uint64_t	batches;
	double		seconds;
} UpdateHead;

typedef struct PartList
{
	CheckpointPart *parts;
	int			n;
} PartList;

static double
now(const Trainer *trainer)
{
	return trainer->host->seconds(trainer->host->context);
}

static void
add_part(PartList *list, const char *name, int number, void *bytes, size_t size)
{
	CheckpointPart *part;

	if (size == 0 || !bytes)
		return;
	part = &list->parts[list->n++];
	snprintf(part->name, sizeof(part->name), number < 0 ? "%s" : "%s.%d", name, number);
	part->bytes = bytes;
	part->size = size;
}

static void
add_optimizer(PartList *list, Trainer *trainer)
{
	const Shape *shape = &trainer->model->shape;
	Optimizer  *optimizer = &trainer->optimizer;
	size_t		dense = trainer->network.n_dense * sizeof(real);

	add_part(list, "adam.first", -1, optimizer->first, dense);
	add_part(list, "adam.second", -1, optimizer->second, dense);
	for (int t = 0; t < shape->n_tables; t++)
	{
		size_t		size = shape->table_rows[t] * (size_t) trainer->config->embed_dim *
			sizeof(real);

		add_part(list, "adam.table_first", t, optimizer->table_first[t], size);
		add_part(list, "adam.table_second", t, optimizer->table_second[t], size);
	}
}

static void
add_masks(PartList *list, Trainer *trainer, UpdateHead *heads)
{
	const TrainResult *result = trainer->result;
	size_t		n_domains = trainer->model->n_domains;
	size_t		n_gates = n_domains * trainer->model->n_gates;

	add_part(list, "masks", -1, trainer->model->masks, n_gates);
	add_part(list, "has_mask", -1, trainer->model->has_mask, n_domains * sizeof(bool));
	add_part(list, "best_masks", -1, trainer->best_masks, n_gates);
	add_part(list, "best_has_mask", -1, trainer->best_has_mask, n_domains * sizeof(bool));
	add_part(list, "gate_sum", -1, trainer->search.gate_sum, n_gates * sizeof(double));
	add_part(list, "gate_batches", -1, trainer->search.gate_batches,
			 n_domains * sizeof(uint32_t));
	add_part(list, "updates", -1, heads, result->n_mask_updates * sizeof(UpdateHead));
	for (int u = 0; u < result->n_mask_updates; u++)
	{
		MaskUpdate *update = &result->mask_updates[u];

		add_part(list, "update.choices", u, update->choices, n_domains * sizeof(MaskChoice));
		add_part(list, "update.masks", u, update->masks, n_gates);
		add_part(list, "update.fates", u, update->fates, n_gates * sizeof(int16_t));
	}
}

/* Every part but the head, once the result's evaluations and updates have their room. */
static bool
list_parts(PartList *list, Trainer *trainer, UpdateHead *heads, EngineError *error)
{
	const Model *model = trainer->model;
	TrainResult *result = trainer->result;
	size_t		params = model->n_params * sizeof(real);

	list->n = 0;
	list->parts = ARENA_ARRAY(trainer->arena, CheckpointPart,
							  FIXED_PARTS + 2 * (size_t) model->shape.n_tables +
							  UPDATE_PARTS * (size_t) result->n_mask_updates);
	if (!arena_ok(trainer->arena, error))
		return false;
	add_part(list, "params", -1, model->params, params);
	add_part(list, "best_params", -1, trainer->best_params, params);
	add_part(list, "wide_l2", -1, result->wide_l2,
			 2 * (size_t) model->shape.n_fields * sizeof(double));
	add_part(list, "evaluations", -1, result->evaluations,
			 result->n_evaluations * sizeof(Evaluation));
	add_optimizer(list, trainer);
	add_masks(list, trainer, heads);
	return true;
}

static CheckpointPart
head_part(Head *head)
{
	return (CheckpointPart) {.name = "head",.bytes = head,.size = sizeof(*head)};
}

static Head
fill_head(const Trainer *trainer, TrainPosition position)
{
	const TrainResult *result = trainer->result;
	Head		head;

	memset(&head, 0, sizeof(head));
	head.layout = LAYOUT;
	head.epoch = position.epoch;
	head.batch = position.batch;
	head.batches = trainer->batches;
	head.step = trainer->optimizer.step;
	head.loss_sum = trainer->loss_sum;
	head.loss_rows = trainer->loss_rows;
	head.batch_seconds = trainer->batch_seconds;
	head.seconds = now(trainer) - trainer->started;
	head.best_score = trainer->best_score;
	head.evaluations_without_gain = trainer->evaluations_without_gain;
	head.best_evaluation = result->best_evaluation;
	head.n_evaluations = result->n_evaluations;
	head.n_mask_updates = result->n_mask_updates;
	head.density = trainer->search.density;
	head.sigma = trainer->search.sigma;
	head.n_candidates = trainer->search.n_candidates;
	return head;
}

static bool
save(Trainer *trainer, TrainPosition position, EngineError *error)
{
	const TrainResult *result = trainer->result;
	Head		head = fill_head(trainer, position);
	UpdateHead *heads = ARENA_ARRAY(trainer->arena, UpdateHead, result->n_mask_updates + 1);
	PartList	list;

	if (!arena_ok(trainer->arena, error))
		return false;
	for (int u = 0; u < result->n_mask_updates; u++)
		heads[u] = (UpdateHead) {result->mask_updates[u].batches,
			result->mask_updates[u].seconds};
	if (!list_parts(&list, trainer, heads, error))
		return false;
	list.parts[list.n++] = head_part(&head);
	return trainer->checkpoints->save(trainer->checkpoints->context, list.parts, list.n, error);
}

bool
checkpoint_offer(Trainer *trainer, TrainPosition position, EngineError *error)
{
	const CheckpointStore *store = trainer->checkpoints;
	struct ArenaBlock *mark = arena_mark(trainer->arena);

	if (!store || !store->due(store->context))
		return true;
	if (!save(trainer, position, error))
		return false;
	arena_reset_to(trainer->arena, mark);
	return true;
}

static bool
corrupt(EngineError *error, const char *what)
{
	return engine_fail(error, ENGINE_CORRUPT, "Start the training anew.",
					   "checkpoint is corrupt: %s", what);
}

/* Where a training of this configuration can be, with what it has recorded by then. */
static bool
check_position(const Trainer *trainer, const Head *head, EngineError *error)
{
	const Config *config = trainer->config;
	uint64_t	n_batches = trainer_epoch_batches(trainer);
	uint64_t	before;

	if (head->epoch < 1 || head->epoch > config->epochs || head->batch > n_batches ||
		head->batches != (uint64_t) (head->epoch - 1) * n_batches + head->batch ||
		head->step != head->batches)
		return corrupt(error, "its position is not one of this training");
	before = (uint64_t) (head->epoch - 1) * trainer_evaluations(trainer, n_batches);
	if (head->n_evaluations < 1 ||
		(uint64_t) head->n_evaluations != 1 + before + trainer_evaluations(trainer, head->batch) ||
		head->best_evaluation < 0 || head->best_evaluation >= head->n_evaluations ||
		head->evaluations_without_gain < 0 ||
		head->evaluations_without_gain >= head->n_evaluations || head->n_mask_updates < 0 ||
		(uint64_t) head->n_mask_updates != trainer_mask_updates(trainer, head->batches))
		return corrupt(error, "its counts are not those of this training");
	return true;
}

/* Numbers that sizes and loops depend on. */
static bool
check_head(const Trainer *trainer, const Head *head, EngineError *error)
{
	const Config *config = trainer->config;

	if (head->layout != LAYOUT)
		return engine_fail(error, ENGINE_BAD_INPUT, "Start the training anew.",
						   "checkpoint was written by another version of aread");
	if (!check_position(trainer, head, error))
		return false;
	if (!isfinite(head->seconds) || !isfinite(head->loss_sum) || isnan(head->best_score))
		return corrupt(error, "a number is not finite");
	if (config_has_masks(config) &&
		(!(head->n_candidates >= 1 && head->n_candidates <= config->candidates) ||
		 !(head->sigma >= 0 && head->sigma <= config->sigma) ||
		 !(head->density > 0 && head->density <= 1)))
		return corrupt(error, "its mask search is not that of this training");
	return true;
}

static void
take_head(Trainer *trainer, const Head *head, TrainPosition *position)
{
	position->epoch = head->epoch;
	position->batch = head->batch;
	trainer->batches = head->batches;
	trainer->optimizer.step = head->step;
	trainer->loss_sum = head->loss_sum;
	trainer->loss_rows = head->loss_rows;
	trainer->batch_seconds = head->batch_seconds;
	trainer->started = now(trainer) - head->seconds;
	trainer->best_score = head->best_score;
	trainer->evaluations_without_gain = head->evaluations_without_gain;
	trainer->result->best_evaluation = head->best_evaluation;
	trainer->search.density = head->density;
	trainer->search.sigma = head->sigma;
	trainer->search.n_candidates = head->n_candidates;
}

/* Room for what the trainer had recorded. */
static bool
make_room(Trainer *trainer, const Head *head, EngineError *error)
{
	TrainResult *result = trainer->result;

	for (result->n_evaluations = 0; result->n_evaluations < head->n_evaluations;
		 result->n_evaluations++)
		if (!trainer_add_evaluation(trainer, error))
			return false;
	for (result->n_mask_updates = 0; result->n_mask_updates < head->n_mask_updates;
		 result->n_mask_updates++)
		if (!search_add_update(trainer, error))
			return false;
	if (config_has_wide(trainer->config))
		result->wide_l2 = ARENA_ARRAY(trainer->arena, double,
									  2 * (size_t) trainer->model->shape.n_fields);
	return arena_ok(trainer->arena, error);
}

static bool
check_masks(const Trainer *trainer, EngineError *error)
{
	const Model *model = trainer->model;
	const TrainResult *result = trainer->result;
	const IntList *experts = &model->config.hei_experts;
	size_t		n_gates = (size_t) model->n_domains * model->n_gates;

	if (model->n_gates == 0)
		return are_bits(model->has_mask, model->n_domains) &&
			are_bits(trainer->best_has_mask, model->n_domains) ? true :
			corrupt(error, "a mask is not valid");
	if (!masks_are_valid(experts, model->masks, model->has_mask, model->n_domains) ||
		!masks_are_valid(experts, trainer->best_masks, trainer->best_has_mask, model->n_domains))
		return corrupt(error, "a mask is not valid");
	for (int u = 0; u < result->n_mask_updates; u++)
	{
		const MaskUpdate *update = &result->mask_updates[u];

		if (!masks_are_valid(experts, update->masks, NULL, model->n_domains))
			return corrupt(error, "a mask is not valid");
		for (size_t i = 0; i < n_gates; i++)
			if (update->fates[i] < GATE_NOT_TRIED ||
				update->fates[i] > trainer->config->candidate_steps)
				return corrupt(error, "what became of a gate is out of range");
	}
	return true;
}

/* Flags are looked at as bytes: a bool that is neither is no value. */
static bool
check_evaluations(const TrainResult *result, EngineError *error)
{
	for (int i = 0; i < result->n_evaluations; i++)
	{
		const Evaluation *evaluation = &result->evaluations[i];

		if (evaluation->number != i || !are_bits(&evaluation->epoch_end, sizeof(bool)) ||
			!are_bits(&evaluation->best, sizeof(bool)))
			return corrupt(error, "an evaluation is not one of this training");
	}
	return true;
}

bool
checkpoint_resume(Trainer *trainer, TrainPosition *position, EngineError *error)
{
	const CheckpointStore *store = trainer->checkpoints;
	Head		head;
	CheckpointPart part = head_part(&head);
	UpdateHead *heads;
	PartList	list;

	if (!store->load(store->context, &part, error) || !check_head(trainer, &head, error) ||
		!make_room(trainer, &head, error))
		return false;
	heads = ARENA_ARRAY(trainer->arena, UpdateHead, head.n_mask_updates + 1);
	if (!arena_ok(trainer->arena, error) || !list_parts(&list, trainer, heads, error))
		return false;
	for (int i = 0; i < list.n; i++)
		if (!store->load(store->context, &list.parts[i], error))
			return false;
	for (int u = 0; u < head.n_mask_updates; u++)
	{
		MaskUpdate *update = &trainer->result->mask_updates[u];

		update->number = u + 1;
		update->batches = heads[u].batches;
		update->seconds = heads[u].seconds;
	}
	take_head(trainer, &head, position);
	return check_evaluations(trainer->result, error) && check_masks(trainer, error);
}
