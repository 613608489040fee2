/*
 * model_check.c
 *	  Is a model that comes from stored bytes one that training could have left?
 */
#include <math.h>
#include <string.h>

#include "engine/model/mask.h"
#include "engine/model/model.h"

/* Bounds of a calibration, far beyond what training gives; within them scores are numbers. */
#define MAX_LOG_SCALE 50.0
#define MAX_SHIFT 1000.0
#define MAX_TREES_WEIGHT 1000.0

static bool
check_variances(const Model *model)
{
	for (int i = 0; i < model->n_tensors; i++)
	{
		const Tensor *tensor = &model->tensors[i];

		for (size_t k = 0; tensor->variance && k < tensor->size; k++)
			if (model->params[tensor->offset + k] < 0)
				return false;
	}
	return true;
}

/* One of each user, no longer than histories are kept. */
static bool
histories_fit(const Model *model, const EntityTable *histories)
{
	if (histories->n != shape_users(&model->shape))
		return false;
	for (uint32_t i = 0; i < histories->n; i++)
		if (histories->link_start[i + 1] - histories->link_start[i] >
			(uint64_t) model->config.history_length + 1)
			return false;
	return true;
}

/* Of each item, the fields that the network reads, and no other. */
static bool
sides_fit(const Model *model, const EntityTable *sides)
{
	const Shape *shape = &model->shape;

	return sides->n == shape_rows(shape, shape->item_field) - FIRST_ID &&
		sides->n_fields == (uint32_t) shape->n_sides && sides->link_start[sides->n] == 0 &&
		memcmp(sides->fields, shape->sides, shape->n_sides * sizeof(uint32_t)) == 0;
}

/* What scoring needs of users and items is there, and is the model's. */
static bool
check_histories(const Model *model, EngineError *error)
{
	const bool	needed[N_ENTITY_KINDS] = {
		[ENTITY_HISTORIES] = model->reads_history,
		[ENTITY_DISLIKES] = model->reads_history && model->config.history_dislikes,
		[ENTITY_SIDES] = model->reads_history && model->shape.n_sides > 0
	};

	for (EntityKind kind = ENTITY_HISTORIES; kind < N_ENTITY_KINDS; kind++)
	{
		const EntityTable *table = model_entities(model, kind);

		if ((table != NULL) != needed[kind])
			return engine_fail(error, ENGINE_CORRUPT, CORRUPT_HINT,
							   "stored %s are corrupt: %s", entity_kind_names[kind], table ?
							   "the model does not look at any" : "they are missing");
		if (table && !(kind == ENTITY_SIDES ? sides_fit(model, table) : histories_fit(model, table)))
			return engine_fail(error, ENGINE_CORRUPT, CORRUPT_HINT,
							   "stored %s are corrupt: they are not those of the model's %s",
							   entity_kind_names[kind], kind == ENTITY_SIDES ? "items" : "users");
	}
	return true;
}

bool
model_check(const Model *model, EngineError *error)
{
	Calibration calibration;

	if (!model_is_finite(model))
		return engine_fail(error, ENGINE_CORRUPT, CORRUPT_HINT,
						   "stored tensor is corrupt: a number is not finite");
	if (!check_variances(model))
		return engine_fail(error, ENGINE_CORRUPT, CORRUPT_HINT,
						   "stored tensor is corrupt: a variance is below 0");
	calibration = model_calibration(model);
	if (fabs(calibration.log_scale) > MAX_LOG_SCALE || fabs(calibration.shift) > MAX_SHIFT ||
		calibration.trees_weight < 0 || calibration.trees_weight > MAX_TREES_WEIGHT)
		return engine_fail(error, ENGINE_CORRUPT, CORRUPT_HINT,
						   "stored tensor is corrupt: the calibration is out of range");
	if ((model->trees != NULL) != (calibration.trees_weight > 0))
		return engine_fail(error, ENGINE_CORRUPT, CORRUPT_HINT,
						   "stored trees are corrupt: %s", model->trees ?
						   "they have no weight" : "they are missing");
	if (!check_histories(model, error))
		return false;
	if (model->n_gates > 0 && !masks_are_valid(&model->config.hei_experts, model->masks,
											   model->has_mask, model->n_domains))
		return engine_fail(error, ENGINE_CORRUPT, CORRUPT_HINT,
						   "stored mask is corrupt: a domain's mask is not valid");
	return true;
}
