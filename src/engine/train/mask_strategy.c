/*
 * mask_strategy.c
 *	  When the mask search runs, and what checkpoints keep of it.
 *
 * In a checkpoint: the numbers that settle from update to update, the masks as
 * they are and as the best evaluation had them, the gates of the present
 * stretch, and the record of all updates.
 */
#include "engine/train/mask_strategy.h"

#include "engine/model/mask.h"
#include "engine/train/augmentation.h"
#include "engine/train/mask_search.h"
#include "engine/train/schedule.h"
#include "engine/train/search.h"

/* Mask updates of small sets need not be closer than this. */
#define MIN_MASK_INTERVAL 100

/*
 * Masks are due after the warm-up (an epoch at most) and then every
 * mask_interval batches (half an epoch at most, unless that is a few batches).
 */
static uint64_t
mask_updates_due(const Trainer *trainer, uint64_t batches)
{
	const Config *config = trainer->config;
	uint64_t	n_batches = trainer_epoch_batches(trainer);
	uint64_t	warmup = config->warmup_batches;
	uint64_t	interval = config->mask_interval;

	if (warmup > n_batches)
		warmup = n_batches;
	if (interval > n_batches / 2 && interval > MIN_MASK_INTERVAL)
		interval = n_batches / 2 > MIN_MASK_INTERVAL ? n_batches / 2 : MIN_MASK_INTERVAL;
	return batches >= warmup ? (batches - warmup) / interval + 1 : 0;
}

static bool
init_augmented(Trainer *trainer, EngineError *error)
{
	return augmentation_init(trainer, error) && search_init(trainer, error);
}

static CheckpointPart
search_numbers(Trainer *trainer)
{
	Search	   *search = search_of(trainer);

	return (CheckpointPart) {.name = "search",.bytes = &search->settings,
		.size = sizeof(search->settings)};
}

/* Room for the updates, and the numbers of each that are not in arrays of its own. */
static bool
make_room(Trainer *trainer, EngineError *error)
{
	TrainResult *result = trainer->result;

	for (result->n_mask_updates = 0; result->n_mask_updates < trainer->updates;
		 result->n_mask_updates++)
		if (!search_add_update(trainer, error))
			return false;
	return true;
}

static bool
take_numbers(Trainer *trainer, EngineError *error)
{
	const Config *config = trainer->config;
	const Search *search = search_of(trainer);
	const SearchSettings *settings = &search->settings;

	if (!(settings->n_candidates >= 1 && settings->n_candidates <= config->candidates) ||
		!(settings->sigma >= 0 && settings->sigma <= config->sigma) ||
		!(settings->density > 0 && settings->density <= 1))
		return checkpoint_corrupt(error, "its mask search is not that of this training");
	return make_room(trainer, error);
}

static void
add_updates(Trainer *trainer, PartList *list)
{
	const TrainResult *result = trainer->result;
	Search	   *search = search_of(trainer);
	size_t		n_domains = trainer->model->n_domains;
	size_t		n_gates = n_domains * trainer->model->n_gates;
	int			n = result->n_mask_updates;

	search->stored = ARENA_ARRAY(trainer->arena, StoredUpdate, n);
	for (int u = 0; u < n && search->stored; u++)
	{
		MaskUpdate *update = &result->mask_updates[u];

		search->stored[u] = (StoredUpdate) {update->batches, update->seconds};
		part_list_add(list, "update.choices", u, update->choices, n_domains * sizeof(MaskChoice));
		part_list_add(list, "update.masks", u, update->masks, n_gates);
		part_list_add(list, "update.fates", u, update->fates, n_gates * sizeof(int16_t));
	}
	part_list_add(list, "updates", -1, search->stored, n * sizeof(StoredUpdate));
}

static void
search_parts(Trainer *trainer, PartList *list)
{
	const Model *model = trainer->model;
	const Search *search = search_of(trainer);
	size_t		n_domains = model->n_domains;
	size_t		n_gates = n_domains * model->n_gates;

	part_list_add(list, "masks", -1, model->masks, n_gates);
	part_list_add(list, "has_mask", -1, model->has_mask, n_domains * sizeof(bool));
	part_list_add(list, "best_masks", -1, trainer->best_masks, n_gates);
	part_list_add(list, "best_has_mask", -1, trainer->best_has_mask, n_domains * sizeof(bool));
	part_list_add(list, "gate_sum", -1, search->gate_sum, n_gates * sizeof(double));
	part_list_add(list, "gate_batches", -1, search->gate_batches, n_domains * sizeof(uint32_t));
	augmentation_parts(trainer, list);
	add_updates(trainer, list);
}

/* Masks of an update, and what became of its gates. */
static bool
check_update(const Trainer *trainer, const MaskUpdate *update, EngineError *error)
{
	const Model *model = trainer->model;
	size_t		n_gates = (size_t) model->n_domains * model->n_gates;

	if (!masks_are_valid(&model->config.hei_experts, update->masks, NULL, model->n_domains))
		return checkpoint_corrupt(error, "a mask is not valid");
	for (size_t i = 0; i < n_gates; i++)
		if (update->fates[i] < GATE_NOT_TRIED ||
			update->fates[i] > trainer->config->candidate_steps)
			return checkpoint_corrupt(error, "what became of a gate is out of range");
	return true;
}

static bool
check_parts(Trainer *trainer, EngineError *error)
{
	const Model *model = trainer->model;
	const IntList *experts = &model->config.hei_experts;
	const Search *search = search_of(trainer);

	if (!augmentation_check(trainer, error))
		return false;
	if (!masks_are_valid(experts, model->masks, model->has_mask, model->n_domains) ||
		!masks_are_valid(experts, trainer->best_masks, trainer->best_has_mask, model->n_domains))
		return checkpoint_corrupt(error, "a mask is not valid");
	for (int u = 0; u < trainer->result->n_mask_updates; u++)
	{
		MaskUpdate *update = &trainer->result->mask_updates[u];

		update->number = u + 1;
		update->batches = search->stored[u].batches;
		update->seconds = search->stored[u].seconds;
		if (!check_update(trainer, update, error))
			return false;
	}
	return true;
}

#define MASK_STRATEGY(init_function) \
	.batches = true, \
	.update_name = "mask update", \
	.init = init_function, \
	.order = trainer_mixed_order, \
	.after_batch = search_observe, \
	.updates_due = mask_updates_due, \
	.update = search_update, \
	.numbers = search_numbers, \
	.take_numbers = take_numbers, \
	.parts = search_parts, \
	.check = check_parts

const TrainStrategy mask_strategy = {MASK_STRATEGY(search_init)};
const TrainStrategy augmented_mask_strategy = {MASK_STRATEGY(init_augmented)};
