/*
 * checkpoint.c
 *	  A training as a list of parts: the one list by which checkpoints are written
 *	  and read.
 *
 * Writing: parts point to where the training has its state; nothing is copied.
 *
 * Reading, in three steps, for each depends on the one before: the header of
 * single numbers says how much has been recorded; room is made for it, the
 * strategy's too; then all parts are read into their places.  In a race the header says
 * whose they are, and is read once before there is a network (race.h).
 *
 * What was read is checked before it is used: the layout's number, the position
 * against the schedule, sizes by the store, flags and masks as bytes.  Parameters
 * may be anything: a model of nonsense diverges or is refused at the end.
 */
#include "engine/train/checkpoint.h"

#include <math.h>
#include <string.h>

#include "engine/model/mask.h"
#include "engine/train/evaluate.h"
#include "engine/train/part_list.h"
#include "engine/train/race_state.h"
#include "engine/train/schedule.h"
#include "engine/train/strategy.h"

/* Another layout of what follows, or of Evaluation, or another meaning, is another number. */
#define LAYOUT ((uint32_t) (7u << 16 | sizeof(Evaluation)))
/* Its part. */
#define HEADER "head"

/* Single numbers. */
typedef struct CheckpointHeader
{
	uint32_t	layout;
	int32_t		epoch;
	uint64_t	batch;
	uint64_t	batches;
	uint64_t	step;
	double		loss_sum;
	uint64_t	loss_units;
	uint64_t	loss_rows;
	double		batch_seconds;
	double		seconds;
	double		best_score;
	int32_t		best_evaluation;
	int32_t		n_evaluations;
	int32_t		n_updates;
	RaceState	race;
} CheckpointHeader;

static void
add_optimizer(PartList *list, Trainer *trainer)
{
	const Model *model = trainer->model;
	Optimizer  *optimizer = &trainer->optimizer;
	size_t		dense = trainer->network.n_dense * sizeof(real);

	part_list_add(list, "adam.first", -1, optimizer->first, dense);
	part_list_add(list, "adam.second", -1, optimizer->second, dense);
	for (int t = 0; t < model->n_rows; t++)
	{
		size_t		size = model->rows[t].size * sizeof(real);

		part_list_add(list, "adam.table_first", t, optimizer->table_first[t], size);
		part_list_add(list, "adam.table_second", t, optimizer->table_second[t], size);
	}
}

/* Every part but numbers, once all that the trainer has recorded has its room. */
static bool
list_parts(PartList *list, Trainer *trainer, EngineError *error)
{
	TrainResult *result = trainer->result;
	size_t		params = trainer->model->n_params * sizeof(real);

	*list = (PartList) {.arena = trainer->arena};
	part_list_add(list, "params", -1, trainer->model->params, params);
	part_list_add(list, "best_params", -1, trainer->best_params, params);
	part_list_add(list, "wide_l2", -1, result->wide_l2,
				  2 * (size_t) trainer->model->shape.n_fields * sizeof(double));
	part_list_add(list, "evaluations", -1, result->evaluations,
				  result->n_evaluations * sizeof(Evaluation));
	add_optimizer(list, trainer);
	if (trainer->strategy->parts)
		trainer->strategy->parts(trainer, list);
	return arena_ok(trainer->arena, error);
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
	header.loss_units = trainer->loss_units;
	header.loss_rows = trainer->loss_rows;
	header.batch_seconds = trainer->batch_seconds;
	header.seconds = trainer_seconds(trainer) - trainer->started;
	header.best_score = trainer->best_score;
	header.best_evaluation = result->best_evaluation;
	header.n_evaluations = result->n_evaluations;
	header.n_updates = trainer->updates;
	header.race = trainer->race ? trainer->race->state : (RaceState) {0};
	return header;
}

static bool
save(Trainer *trainer, TrainPosition position, EngineError *error)
{
	CheckpointHeader header = fill_header(trainer, position);
	PartList	list;

	if (!list_parts(&list, trainer, error))
		return false;
	if (trainer->strategy->numbers)
	{
		CheckpointPart numbers = trainer->strategy->numbers(trainer);

		part_list_add(&list, numbers.name, -1, numbers.bytes, numbers.size);
	}
	part_list_add(&list, HEADER, -1, &header, sizeof(header));
	return arena_ok(trainer->arena, error) &&
		trainer->checkpoints->save(trainer->checkpoints->context, list.parts, list.n, error);
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

/* Where a training of this configuration can be, with what it has recorded by then. */
static bool
check_position(const Trainer *trainer, const CheckpointHeader *header, EngineError *error)
{
	uint64_t	n_batches = trainer_epoch_batches(trainer);
	uint64_t	before;

	if (header->epoch < 1 || header->epoch > trainer->epochs || header->batch > n_batches ||
		header->batches != (uint64_t) (header->epoch - 1) * n_batches + header->batch ||
		header->step != header->batches)
		return checkpoint_corrupt(error, "its position is not one of this training");
	before = (uint64_t) (header->epoch - 1) * trainer_evaluations(trainer, n_batches);
	if (header->n_evaluations < 1 ||
		(uint64_t) header->n_evaluations != 1 + before + trainer_evaluations(trainer, header->batch) ||
		header->best_evaluation < 0 || header->best_evaluation >= header->n_evaluations ||
		header->n_updates < 0 ||
		(uint64_t) header->n_updates != trainer_updates_due(trainer, header->batches))
		return checkpoint_corrupt(error, "its counts are not those of this training");
	return true;
}

/* Numbers that sizes and loops depend on. */
static bool
check_header(const Trainer *trainer, const CheckpointHeader *header, EngineError *error)
{
	if (!check_position(trainer, header, error))
		return false;
	if (!isfinite(header->seconds) || !isfinite(header->loss_sum) || isnan(header->best_score))
		return checkpoint_corrupt(error, "a number is not finite");
	return true;
}

/* The header, of this layout; whether a race stands as it says is checked, too. */
static bool
load_header(const Trainer *trainer, CheckpointHeader *header, EngineError *error)
{
	const CheckpointStore *store = trainer->checkpoints;
	CheckpointPart part = {.name = HEADER,.bytes = header,.size = sizeof(*header)};

	if (!store->load(store->context, &part, error))
		return false;
	if (header->layout != LAYOUT)
		return engine_fail(error, ENGINE_BAD_INPUT, "Start the training anew.",
						   "checkpoint was written by another version of aread");
	if (!race_state_is_valid(trainer, &header->race, header->n_evaluations))
		return checkpoint_corrupt(error, "its race is not one of this training");
	return true;
}

bool
checkpoint_race(const Trainer *trainer, RaceState *state, EngineError *error)
{
	CheckpointHeader header;

	if (!load_header(trainer, &header, error))
		return false;
	*state = header.race;
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
	trainer->loss_units = header->loss_units;
	trainer->loss_rows = header->loss_rows;
	trainer->batch_seconds = header->batch_seconds;
	trainer->started = trainer_seconds(trainer) - header->seconds;
	trainer->best_score = header->best_score;
	trainer->updates = header->n_updates;
	trainer->result->best_evaluation = header->best_evaluation;
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
	return arena_ok(trainer->arena, error);
}

/* Flags are looked at as bytes: a bool that is neither is no value. */
static bool
check_evaluations(const TrainResult *result, EngineError *error)
{
	for (int i = 0; i < result->n_evaluations; i++)
	{
		const Evaluation *evaluation = &result->evaluations[i];

		if (evaluation->number != i || !are_bits(&evaluation->epoch_end, sizeof(bool)) ||
			!are_bits(&evaluation->best, sizeof(bool)) ||
			!are_bits(&evaluation->trees, sizeof(bool)))
			return checkpoint_corrupt(error, "an evaluation is not one of this training");
	}
	return true;
}

/* The strategy's numbers, and its room for what it had recorded. */
static bool
resume_strategy(Trainer *trainer, EngineError *error)
{
	const TrainStrategy *strategy = trainer->strategy;
	const CheckpointStore *store = trainer->checkpoints;
	CheckpointPart numbers;

	if (!strategy->numbers)
		return true;
	numbers = strategy->numbers(trainer);
	return store->load(store->context, &numbers, error) &&
		strategy->take_numbers(trainer, error);
}

bool
checkpoint_resume(Trainer *trainer, TrainPosition *position, EngineError *error)
{
	const CheckpointStore *store = trainer->checkpoints;
	CheckpointHeader header;
	PartList	list;

	if (!load_header(trainer, &header, error) || !check_header(trainer, &header, error) ||
		!make_room(trainer, &header, error))
		return false;
	take_header(trainer, &header, position);
	if (!resume_strategy(trainer, error) || !list_parts(&list, trainer, error))
		return false;
	for (int i = 0; i < list.n; i++)
		if (!store->load(store->context, &list.parts[i], error))
			return false;
	return check_evaluations(trainer->result, error) &&
		(!trainer->strategy->check || trainer->strategy->check(trainer, error));
}
