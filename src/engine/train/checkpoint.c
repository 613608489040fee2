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
#include "engine/train/evaluate.h"
#include "engine/train/mask_search.h"
#include "engine/train/schedule.h"
#include "engine/train/search.h"

/* Another layout of what follows, or of Evaluation, is another number. */
#define LAYOUT ((uint32_t) (1u << 16 | sizeof(Evaluation)))
/* Parts beside those of tables and mask updates. */
#define FIXED_PARTS 16
#define UPDATE_PARTS 3

/* Single numbers. */
typedef struct CheckpointHeader
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
} CheckpointHeader;

/* Of a mask update what is not in arrays of its own. */
typedef struct UpdateHeader
{
	uint64_t	batches;
	double		seconds;
} UpdateHeader;

typedef struct PartList
{
	CheckpointPart *parts;
	int			n;
} PartList;

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
add_masks(PartList *list, Trainer *trainer, UpdateHeader *headers)
{
	const TrainResult *result = trainer->result;
	size_t		n_domains = trainer->model->n_domains;
	size_t		n_gates = n_domains * trainer->model->n_gates;

	add_part(list, "masks", -1, trainer->model->masks, n_gates);
	add_part(list, "has_mask", -1, trainer->model->has_mask, n_domains * sizeof(bool));
	add_part(list, "best_masks", -1, trainer->best_masks, n_gates);
	add_part(list, "best_has_mask", -1, trainer->best_has_mask, n_domains * sizeof(bool));
	if (trainer->search)
	{
		add_part(list, "gate_sum", -1, trainer->search->gate_sum, n_gates * sizeof(double));
		add_part(list, "gate_batches", -1, trainer->search->gate_batches,
				 n_domains * sizeof(uint32_t));
	}
	add_part(list, "updates", -1, headers, result->n_mask_updates * sizeof(UpdateHeader));
	for (int u = 0; u < result->n_mask_updates; u++)
	{
		MaskUpdate *update = &result->mask_updates[u];

		add_part(list, "update.choices", u, update->choices, n_domains * sizeof(MaskChoice));
		add_part(list, "update.masks", u, update->masks, n_gates);
		add_part(list, "update.fates", u, update->fates, n_gates * sizeof(int16_t));
	}
}

/* Every part but the header, once the result's evaluations and updates have their room. */
static bool
list_parts(PartList *list, Trainer *trainer, UpdateHeader *headers, EngineError *error)
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
	add_masks(list, trainer, headers);
	return true;
}

static CheckpointPart
header_part(CheckpointHeader *header)
{
	return (CheckpointPart) {.name = "head",.bytes = header,.size = sizeof(*header)};
}

static CheckpointHeader
fill_header(const Trainer *trainer, TrainPosition position)
{
	const TrainResult *result = trainer->result;
	CheckpointHeader header;

	memset(&header, 0, sizeof(header));
	header.layout = LAYOUT;
	header.epoch = position.epoch;
	header.batch = position.batch;
	header.batches = trainer->batches;
	header.step = trainer->optimizer.step;
	header.loss_sum = trainer->loss_sum;
	header.loss_rows = trainer->loss_rows;
	header.batch_seconds = trainer->batch_seconds;
	header.seconds = trainer_seconds(trainer) - trainer->started;
	header.best_score = trainer->best_score;
	header.evaluations_without_gain = trainer->evaluations_without_gain;
	header.best_evaluation = result->best_evaluation;
	header.n_evaluations = result->n_evaluations;
	header.n_mask_updates = result->n_mask_updates;
	if (!trainer->search)
		return header;
	header.density = trainer->search->density;
	header.sigma = trainer->search->sigma;
	header.n_candidates = trainer->search->n_candidates;
	return header;
}

static bool
save(Trainer *trainer, TrainPosition position, EngineError *error)
{
	const TrainResult *result = trainer->result;
	CheckpointHeader header = fill_header(trainer, position);
	UpdateHeader *headers = ARENA_ARRAY(trainer->arena, UpdateHeader, result->n_mask_updates + 1);
	PartList	list;

	if (!arena_ok(trainer->arena, error))
		return false;
	for (int u = 0; u < result->n_mask_updates; u++)
		headers[u] = (UpdateHeader) {result->mask_updates[u].batches,
			result->mask_updates[u].seconds};
	if (!list_parts(&list, trainer, headers, error))
		return false;
	list.parts[list.n++] = header_part(&header);
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
check_position(const Trainer *trainer, const CheckpointHeader *header, EngineError *error)
{
	const Config *config = trainer->config;
	uint64_t	n_batches = trainer_epoch_batches(trainer);
	uint64_t	before;

	if (header->epoch < 1 || header->epoch > config->epochs || header->batch > n_batches ||
		header->batches != (uint64_t) (header->epoch - 1) * n_batches + header->batch ||
		header->step != header->batches)
		return corrupt(error, "its position is not one of this training");
	before = (uint64_t) (header->epoch - 1) * trainer_evaluations(trainer, n_batches);
	if (header->n_evaluations < 1 ||
		(uint64_t) header->n_evaluations != 1 + before + trainer_evaluations(trainer, header->batch) ||
		header->best_evaluation < 0 || header->best_evaluation >= header->n_evaluations ||
		header->evaluations_without_gain < 0 ||
		header->evaluations_without_gain >= header->n_evaluations || header->n_mask_updates < 0 ||
		(uint64_t) header->n_mask_updates != trainer_mask_updates(trainer, header->batches))
		return corrupt(error, "its counts are not those of this training");
	return true;
}

/* Numbers that sizes and loops depend on. */
static bool
check_header(const Trainer *trainer, const CheckpointHeader *header, EngineError *error)
{
	const Config *config = trainer->config;

	if (header->layout != LAYOUT)
		return engine_fail(error, ENGINE_BAD_INPUT, "Start the training anew.",
						   "checkpoint was written by another version of aread");
	if (!check_position(trainer, header, error))
		return false;
	if (!isfinite(header->seconds) || !isfinite(header->loss_sum) || isnan(header->best_score))
		return corrupt(error, "a number is not finite");
	if (config_has_masks(config) &&
		(!(header->n_candidates >= 1 && header->n_candidates <= config->candidates) ||
		 !(header->sigma >= 0 && header->sigma <= config->sigma) ||
		 !(header->density > 0 && header->density <= 1)))
		return corrupt(error, "its mask search is not that of this training");
	return true;
}

static void
take_header(Trainer *trainer, const CheckpointHeader *header, TrainPosition *position)
{
	position->epoch = header->epoch;
	position->batch = header->batch;
	trainer->batches = header->batches;
	trainer->optimizer.step = header->step;
	trainer->loss_sum = header->loss_sum;
	trainer->loss_rows = header->loss_rows;
	trainer->batch_seconds = header->batch_seconds;
	trainer->started = trainer_seconds(trainer) - header->seconds;
	trainer->best_score = header->best_score;
	trainer->evaluations_without_gain = header->evaluations_without_gain;
	trainer->result->best_evaluation = header->best_evaluation;
	if (!trainer->search)
		return;
	trainer->search->density = header->density;
	trainer->search->sigma = header->sigma;
	trainer->search->n_candidates = header->n_candidates;
}

/* Room for what the trainer had recorded. */
static bool
make_room(Trainer *trainer, const CheckpointHeader *header, EngineError *error)
{
	TrainResult *result = trainer->result;

	for (result->n_evaluations = 0; result->n_evaluations < header->n_evaluations;
		 result->n_evaluations++)
		if (!trainer_add_evaluation(trainer, error))
			return false;
	for (result->n_mask_updates = 0; result->n_mask_updates < header->n_mask_updates;
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
	CheckpointHeader header;
	CheckpointPart part = header_part(&header);
	UpdateHeader *headers;
	PartList	list;

	if (!store->load(store->context, &part, error) || !check_header(trainer, &header, error) ||
		!make_room(trainer, &header, error))
		return false;
	headers = ARENA_ARRAY(trainer->arena, UpdateHeader, header.n_mask_updates + 1);
	if (!arena_ok(trainer->arena, error) || !list_parts(&list, trainer, headers, error))
		return false;
	for (int i = 0; i < list.n; i++)
		if (!store->load(store->context, &list.parts[i], error))
			return false;
	for (int u = 0; u < header.n_mask_updates; u++)
	{
		MaskUpdate *update = &trainer->result->mask_updates[u];

		update->number = u + 1;
		update->batches = headers[u].batches;
		update->seconds = headers[u].seconds;
	}
	take_header(trainer, &header, position);
	return check_evaluations(trainer->result, error) && check_masks(trainer, error);
}
