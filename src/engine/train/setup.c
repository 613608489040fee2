/*
 * setup.c
 *	  All that a training needs before its first batch: model, network, counts,
 *	  optimizer, and what its strategy needs.
 *
 * Memory: of the training, ids by training rows, rows by domain, and histories; of a network
 * the parameters twice (the model's, the best so far), two moments for each that Adam moves,
 * gradients of the dense ones, and one batch's activations.  Scratch of what is built once
 * is given back before the first network begins.
 */
#include "engine/train/setup.h"

#include <string.h>

#include "engine/data/shuffle.h"
#include "engine/entities/sides.h"
#include "engine/networks/architectures.h"
#include "engine/networks/build.h"
#include "engine/train/hard.h"
#include "engine/train/popularity.h"
#include "engine/train/strategies.h"
#include "engine/train/units.h"

/* Room for the best parameters and masks so far: at first the masks that there are. */
static bool
init_best(Trainer *trainer, EngineError *error)
{
	const Model *model = trainer->model;
	size_t		n_masks = (size_t) model->n_domains * model->n_gates;

	trainer->best_params = ARENA_ARRAY(trainer->arena, real, model->n_params);
	trainer->best_masks = ARENA_ARRAY(trainer->arena, uint8_t, n_masks + 1);
	trainer->best_has_mask = ARENA_ARRAY(trainer->arena, bool, model->n_domains + 1);
	if (!arena_ok(trainer->arena, error))
		return false;
	memcpy(trainer->best_masks, model->masks, n_masks);
	memcpy(trainer->best_has_mask, model->has_mask, model->n_domains);
	return true;
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
	return network_init(&trainer->network, trainer->model, trainer->config->batch_size,
						shared, trainer->team, trainer->arena, error);
}

/*
 * Pairs of value and domain that have weights: of all fields, or, where popularity alone
 * wants a wide part, of the item.
 */
static bool
init_pairs(const Trainer *trainer, DomainPairs *pairs, EngineError *error)
{
	const Config *config = trainer->config;
	const Shape *shape = &trainer->data->shape;
	bool		wide = architecture_has_wide(config);

	if (!config->domain_weights || !(wide || config_has_offset(config)))
		return true;
	if (!pairs_build(trainer->lasting, trainer->data, trainer->host, pairs, error))
		return false;
	for (int f = 0; f < shape->n_fields && !wide; f++)
		if (f != shape->item_field)
			pairs[f] = (DomainPairs) {0};
	return true;
}

/* Of the list that a user took, or that he disliked. */
static bool
build_history(Trainer *trainer, HistoryList list, Arena *scratch, EngineError *error)
{
	const Config *config = trainer->config;
	HistoryRows counting = list == HISTORY_DISLIKED ? HISTORY_NEGATIVES :
		config->history_of == HISTORY_OF_ALL ? HISTORY_ALL : HISTORY_POSITIVES;
	const History *history;
	const EntityTable *table;

	history = history_build(trainer->lasting, scratch, trainer->data, config->history_length,
							counting, trainer->host, error);
	if (!history)
		return false;
	trainer->history[list] = *history;
	table = entity_table_of_history(scratch, history, list == HISTORY_DISLIKED ?
									ENTITY_DISLIKES : ENTITY_HISTORIES, error);
	if (!table)
		return false;
	trainer->kept_histories[list] = entity_table_pack(trainer->lasting, table, error);
	return trainer->kept_histories[list] != NULL;
}

static bool
build_sides(Trainer *trainer, Arena *scratch, EngineError *error)
{
	trainer->sides = sides_build(trainer->lasting, scratch, trainer->data, trainer->host, error);
	return trainer->sides != NULL;
}

/* Histories, where networks read them: one that does is planned with that option. */
static bool
init_history(Trainer *trainer, EngineError *error)
{
	const Config *config = trainer->config;
	Arena		scratch;
	bool		ok;

	if (config->history_length <= 0 || !shape_has_history(&trainer->data->shape) ||
		!architecture_uses(config->architecture, "history.length"))
		return true;
	arena_init(&scratch, trainer->lasting->allocate, trainer->lasting->release,
			   trainer->lasting->context);
	ok = build_history(trainer, HISTORY_TAKEN, &scratch, error) &&
		(!config->history_dislikes ||
		 build_history(trainer, HISTORY_DISLIKED, &scratch, error)) &&
		(trainer->data->shape.n_sides == 0 || build_sides(trainer, &scratch, error));
	arena_free_all(&scratch);
	return ok;
}

bool
trainer_prepare(Trainer *trainer, EngineError *error)
{
	Arena	   *arena = trainer->lasting;
	int			n_fields = trainer->data->shape.n_fields;
	DomainPairs *pairs = ARENA_ARRAY(arena, DomainPairs, n_fields);

	trainer->result = ARENA_ARRAY(arena, TrainResult, 1);
	trainer->pairs = pairs;
	if (!arena_ok(arena, error) || !init_pairs(trainer, pairs, error))
		return false;
	if (architecture_has_wide(trainer->config))
		trainer->result->wide_l2 = ARENA_ARRAY(arena, double, 2 * (size_t) n_fields);
	return arena_ok(arena, error) &&
		counts_init(&trainer->counts, arena, trainer->data, trainer->host, error) &&
		init_history(trainer, error) &&
		domain_rows_init(&trainer->domain_rows, arena, trainer->data, error);
}

/* All that is of a network, and what was recorded of it. */
static void
forget_network(Trainer *trainer)
{
	TrainResult *result = trainer->result;

	memset((char *) trainer + offsetof(Trainer, arena), 0,
		   sizeof(Trainer) - offsetof(Trainer, arena));
	*result = (TrainResult) {.wide_l2 = result->wide_l2,.trees = result->trees};
}

bool
trainer_begin(Trainer *trainer, Arena *arena, const Config *config, EngineError *error)
{
	Model	   *model;

	forget_network(trainer);
	trainer->arena = arena;
	trainer->config = config;
	trainer->epochs = config->epochs;
	trainer->strategy = strategy_of(config);
	trainer->model = model = model_create(arena, config, &trainer->data->shape, trainer->pairs,
										  error);
	if (!model || !model_init_weights(model, trainer->host, error))
		return false;
	trainer->result->model = model;
	if (model->reads_history)
	{
		model->histories = trainer->kept_histories[HISTORY_TAKEN];
		model->dislikes = trainer->kept_histories[HISTORY_DISLIKED];
		model->sides = trainer->sides;
	}
	if (!init_best(trainer, error) || !init_network(trainer, error) ||
		!popularity_init(trainer, error) ||
		!batch_init(&trainer->batch, arena, config->batch_size, model->shape.n_fields, error))
		return false;
	for (int list = 0; list < N_HISTORY_LISTS && model->reads_history; list++)
		batch_init_history(&trainer->batch, list, arena, trainer->history[list].length);
	if (!arena_ok(arena, error))
		return false;
	trainer->watch = (Watch) {.host = trainer->host};
	workers_watch(&trainer->network.pass.workers, &trainer->watch);
	if (!trainer->strategy->batches)
		return true;
	trainer->shuffle = ARENA_ARRAY(arena, uint32_t,
								   shuffle_chunks(trainer->units->n));
	return hard_negatives_init(trainer, error) &&
		optimizer_init(&trainer->optimizer, arena, model, trainer->network.n_dense, false,
						  error) &&
		(!trainer->strategy->init || trainer->strategy->init(trainer, error));
}
