/*
 * model.c
 *	  A model's parameters and masks: allocation, initial values, lookup.
 */
#include "engine/model/model.h"

#include <math.h>
#include <string.h>

#include "engine/base/random.h"

/* What a random number costs, in multiply-adds. */
#define DRAW_WORK 64

static void
copy_shape(Arena *arena, Shape *to, const Shape *from)
{
	uint32_t   *table_rows = ARENA_ARRAY(arena, uint32_t, from->n_tables);
	uint32_t   *field_table = ARENA_ARRAY(arena, uint32_t, from->n_fields);
	bool	   *field_is_list = ARENA_ARRAY(arena, bool, from->n_fields);
	bool	   *field_is_dense = ARENA_ARRAY(arena, bool, from->n_fields);
	FieldCross *crosses = ARENA_ARRAY(arena, FieldCross, from->n_crosses);

	*to = *from;
	to->table_rows = table_rows;
	to->field_table = field_table;
	to->field_is_list = field_is_list;
	to->field_is_dense = field_is_dense;
	to->crosses = crosses;
	if (arena->failed)
		return;
	memcpy(table_rows, from->table_rows, from->n_tables * sizeof(uint32_t));
	memcpy(field_table, from->field_table, from->n_fields * sizeof(uint32_t));
	memcpy(field_is_list, from->field_is_list, from->n_fields * sizeof(bool));
	for (int f = 0; f < from->n_fields; f++)
		field_is_dense[f] = shape_is_dense(from, f);
	for (int i = 0; i < from->n_crosses; i++)
		crosses[i] = from->crosses[i];
}

Model *
model_begin(Arena *arena, const Config *config, const Shape *shape, const DomainPairs *pairs,
			EngineError *error)
{
	Model	   *model = ARENA_ARRAY(arena, Model, 1);

	if (!arena_ok(arena, error))
		return NULL;
	model->config = *config;
	copy_shape(arena, &model->shape, shape);
	model->pairs = pairs;
	model->n_domains = shape_domains(shape);
	return arena_ok(arena, error) ? model : NULL;
}

bool
model_place(Model *model, TensorList *tensors, EngineError *error)
{
	if (!tensors_place(tensors, error))
		return false;
	model->n_tensors = tensors->n;
	model->tensors = tensors->tensors;
	model->place = tensors->place;
	model->n_params = tensors->n_params;
	for (int i = 0; i < model->n_tensors; i++)
		if (model->tensors[i].kind == TENSOR_ROWS && model->n_rows++ == 0)
			model->rows = &model->tensors[i];
	model->n_dense = tensors->n_dense;
	model->n_above_cut = tensors->n_above_cut;
	return true;
}

bool
model_allocate(Model *model, Arena *arena, EngineError *error)
{
	size_t		n_masks = (size_t) model->n_domains * model->n_gates;

	model->params = ARENA_ARRAY(arena, real, model->n_params);
	model->has_mask = ARENA_ARRAY(arena, bool, model->n_domains + 1);
	model->masks = ARENA_ARRAY(arena, uint8_t, n_masks + 1);
	if (!arena_ok(arena, error))
		return false;
	memset(model->masks, 1, n_masks);
	return true;
}

bool
model_take(Model *model, const Model *like, EngineError *error)
{
	if (model->n_params != like->n_params || model->n_domains != like->n_domains ||
		model->n_gates != like->n_gates)
		return engine_fail(error, ENGINE_BAD_INPUT, NULL, "parameters do not fit the model");
	model->params = like->params;
	model->has_mask = like->has_mask;
	model->masks = like->masks;
	model->trees = like->trees;
	return true;
}

const Tensor *
model_find(const Model *model, const char *name)
{
	for (int i = 0; i < model->n_tensors; i++)
		if (strcmp(model->tensors[i].name, name) == 0)
			return &model->tensors[i];
	return NULL;
}

Model *
model_copy_first(Arena *arena, const Model *of, size_t n, EngineError *error)
{
	Model	   *copy = ARENA_ARRAY(arena, Model, 1);
	real	   *params = ARENA_ARRAY(arena, real, n);

	if (!arena_ok(arena, error))
		return NULL;
	*copy = *of;
	copy->of = of;
	copy->n_params = n;
	copy->params = params;
	return copy;
}

real *
model_values(const Model *model, const Tensor *tensor)
{
	if (model->of && tensor->offset >= model->n_params)
		model = model->of;
	return model->params + tensor->offset;
}

real *
model_param(const Model *model, TensorRef ref)
{
	return ref == NO_TENSOR ? NULL : model_values(model, model_tensor(model, ref));
}

real *
model_named(const Model *model, const char *name)
{
	const Tensor *tensor = model_find(model, name);

	return tensor ? model_values(model, tensor) : NULL;
}

Calibration
model_calibration(const Model *model)
{
	const real *values = model_param(model, model->calibration);

	return (Calibration) {.log_scale = values[0],.shift = values[1],
		.trees_weight = model_tensor(model, model->calibration)->size > 2 ? values[2] : 0};
}

void
model_set_calibration(Model *model, const Calibration *calibration)
{
	real	   *values = model_param(model, model->calibration);

	values[0] = calibration->log_scale;
	values[1] = calibration->shift;
	if (model_tensor(model, model->calibration)->size > 2)
		values[2] = calibration->trees_weight;
}

bool
model_init_weights(Model *model, const EngineHost *host, EngineError *error)
{
	Watch		watch = {.host = host};

	for (int i = 0; i < model->n_tensors; i++)
	{
		const Tensor *tensor = &model->tensors[i];
		real	   *values = model->params + tensor->offset;
		double		std = tensor_start_std(tensor);
		real		constant = tensor->start == START_ONE ? 1 : 0;
		Random		random;

		random_start(&random, model->config.seed, RANDOM_WEIGHTS, i);
		for (size_t k = 0; k < tensor->size; k++)
		{
			if (watch_worked(&watch, DRAW_WORK))
				return watch_continue(&watch, error);
			values[k] = std > 0 ? std * random_normal(&random) : constant;
		}
	}
	return true;
}

/* Columns of a row tensor whose means are taken at once. */
#define MEAN_COLUMNS MAX_EMBED_DIM

/* Mean of n columns of rows (n_rows, dim) weighted by counts -> mean[n]; unchanged if all counts are 0. */
static void
weighted_mean(const real *rows, uint32_t n_rows, size_t dim, size_t n, const uint32_t *counts,
			  real *mean)
{
	double		sum[MEAN_COLUMNS] = {0};
	double		total = 0;

	for (uint32_t row = UNSEEN_ID + 1; row < n_rows; row++)
	{
		if (counts[row] == 0)
			continue;
		total += counts[row];
		for (size_t e = 0; e < n; e++)
			sum[e] += (double) counts[row] * rows[row * dim + e];
	}
	for (size_t e = 0; e < n && total > 0; e++)
		mean[e] = sum[e] / total;
}

/* Row UNSEEN_ID of a dense field's table is trained, and is the mean: numbers are standardized. */
static bool
is_of_vectors(const Shape *shape, int table)
{
	for (int f = 0; f < shape->n_fields; f++)
		if (shape_is_dense(shape, f) && (int) shape->field_table[f] == table)
			return true;
	return false;
}

void
model_fill_unseen(Model *model, const uint32_t *const *table_counts)
{
	for (int i = 0; i < model->n_rows; i++)
	{
		const Tensor *tensor = &model->rows[i];
		real	   *rows = model->params + tensor->offset;
		size_t		dim = tensor->size / tensor->dims[0];
		int			table = model_table_of(model, tensor);

		if (is_of_vectors(&model->shape, table))
			continue;
		for (size_t e = 0; e < dim; e += MEAN_COLUMNS)
			weighted_mean(rows + e, tensor->dims[0], dim,
						  dim - e < MEAN_COLUMNS ? dim - e : MEAN_COLUMNS, table_counts[table],
						  rows + UNSEEN_ID * dim + e);
	}
}

bool
model_is_finite(const Model *model)
{
	for (size_t i = 0; i < model->n_params; i++)
		if (!isfinite(model->params[i]))
			return false;
	return true;
}
