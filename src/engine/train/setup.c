/*
 * setup.c
 *	  All that a training needs before its first batch: model, network, counts,
 *	  optimizer, augmented rows, mask search.
 */
#include "engine/train/setup.h"

#include "engine/train/mask_search.h"

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
