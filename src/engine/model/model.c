/*
 * model.c
 *	  Layout, allocation and initial values of a model's parameters.
 *
 * Order in the block: dense tensors that the mask search of kind "experts"
 * trains (HEI, gates, heads), the other dense tensors, statistics, rows,
 * what is fitted before and after training.  So gradients and Adam's moments of the
 * dense part are one range, and the search's part is its beginning.
 */
#include "engine/model/model.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "engine/model/gates.h"
#include "engine/base/random.h"

/* Embeddings start at N(0, 0.01^2): larger starts overfit sparse ids. */
#define EMBEDDING_START_STD 0.01
/* What a random number costs, in multiply-adds. */
#define DRAW_WORK 64

typedef struct Layout
{
	Tensor	   *tensors;
	int			n_tensors;
	int			capacity;
	size_t		size;
	bool		overflow;
} Layout;

static void
add_tensor(Layout *layout, TensorKind kind, bool l2, int n_dims, uint32_t a,
		   uint32_t b, uint32_t c, const char *format,...)
	__attribute__((format(printf, 8, 9)));

static void
add_tensor(Layout *layout, TensorKind kind, bool l2, int n_dims, uint32_t a,
		   uint32_t b, uint32_t c, const char *format,...)
{
	Tensor	   *tensor = &layout->tensors[layout->n_tensors++];
	va_list		args;

	va_start(args, format);
	vsnprintf(tensor->name, sizeof(tensor->name), format, args);
	va_end(args);
	tensor->kind = kind;
	tensor->l2 = l2;
	tensor->n_dims = n_dims;
	tensor->dims[0] = a;
	tensor->dims[1] = n_dims > 1 ? b : 1;
	tensor->dims[2] = n_dims > 2 ? c : 1;
	tensor->offset = layout->size;
	tensor->size = (size_t) tensor->dims[0] * tensor->dims[1];
	if (__builtin_mul_overflow(tensor->size, (size_t) tensor->dims[2], &tensor->size) ||
		__builtin_add_overflow(layout->size, tensor->size, &layout->size) ||
		layout->size > SIZE_MAX / sizeof(real) / 8)
		layout->overflow = true;
}

/*
 * One layer of an MLP, "blocks" MLPs side by side:
 * weight (blocks, n_out, n_in), bias (blocks, n_out) and, with batch norm,
 * scale; statistics come later, with add_mlp_statistics().
 */
static void
add_mlp_layer(Layout *layout, bool batch_norm, uint32_t blocks, uint32_t n_out,
			  uint32_t n_in, const char *prefix)
{
	add_tensor(layout, TENSOR_DENSE, true, 3, blocks, n_out, n_in, "%s.weight", prefix);
	add_tensor(layout, TENSOR_DENSE, false, 2, blocks, n_out, 1, "%s.bias", prefix);
	if (batch_norm)
		add_tensor(layout, TENSOR_DENSE, false, 2, blocks, n_out, 1, "%s.scale", prefix);
}

static void
add_mlp_statistics(Layout *layout, bool batch_norm, uint32_t blocks, uint32_t n_out,
				   const char *prefix)
{
	if (!batch_norm)
		return;
	add_tensor(layout, TENSOR_STATISTIC, false, 2, blocks, n_out, 1, "%s.mean", prefix);
	add_tensor(layout, TENSOR_STATISTIC, false, 2, blocks, n_out, 1, "%s.variance", prefix);
}

/* Input width of expert layer l (1-based): H, or the layer below's output. */
static int
hei_input(const Config *config, int layer)
{
	if (layer == 1)
		return config->mmoe_dims.value[config->mmoe_dims.n - 1];
	return config->hei_output.value[layer - 2];
}

static void
layout_hei(Layout *layout, const Config *config, bool statistics)
{
	for (int l = 1; l <= config->hei_experts.n; l++)
	{
		int			n_experts = config->hei_experts.value[l - 1];
		int			hidden = config->hei_hidden.value[l - 1];
		int			output = config->hei_output.value[l - 1];

		for (int n = 0; n < n_experts; n++)
		{
			char		prefix[48];

			snprintf(prefix, sizeof(prefix), "hei%d.expert%d.layer0", l, n + 1);
			if (statistics)
				add_mlp_statistics(layout, config->batch_norm, 1, hidden, prefix);
			else
				add_mlp_layer(layout, config->batch_norm, 1, hidden,
							  hei_input(config, l), prefix);
			snprintf(prefix, sizeof(prefix), "hei%d.expert%d.layer1", l, n + 1);
			if (statistics)
				add_mlp_statistics(layout, config->batch_norm, 1, output, prefix);
			else
				add_mlp_layer(layout, config->batch_norm, 1, output, hidden, prefix);
		}
		if (l > 1 && !statistics)
		{
			int			below = config->hei_experts.value[l - 2];

			add_tensor(layout, TENSOR_DENSE, true, 3, n_experts, below,
					   2 * config->embed_dim, "hei%d.gate.weight", l);
			add_tensor(layout, TENSOR_DENSE, false, 2, n_experts, below, 1,
					   "hei%d.gate.bias", l);
		}
	}
	if (!statistics)
		add_tensor(layout, TENSOR_DENSE, false, 2, config->hei_experts.value[0],
				   config->embed_dim, 1, "hei.group");
}

/* head.weight (heads, [e_j ; cross]) and the bias that all heads share. */
static void
layout_heads(Layout *layout, const Config *config, uint32_t width)
{
	if (config_has_mmoe(config))
	{
		int			last = config->hei_experts.n - 1;
		int			n_heads = config->hei_experts.value[config_has_hei(config) ? last : 0];
		int			n_in = config_has_hei(config) ? config->hei_output.value[last] :
			config->mmoe_dims.value[config->mmoe_dims.n - 1];

		add_tensor(layout, TENSOR_DENSE, true, 2, n_heads, n_in, 1, "head.weight");
		if (config->cross_layers > 0)
			add_tensor(layout, TENSOR_DENSE, true, 2, n_heads, width, 1, "head.cross");
	}
	add_tensor(layout, TENSOR_DENSE, false, 1, 1, 1, 1, "bias");
}

static void
layout_base(Layout *layout, const Config *config, uint32_t width, bool statistics)
{
	uint32_t	n_in = width;

	for (int k = 0; k < config->mmoe_dims.n; k++)
	{
		char		prefix[48];

		snprintf(prefix, sizeof(prefix), "mmoe.layer%d", k);
		if (statistics)
			add_mlp_statistics(layout, config->batch_norm, config->mmoe_experts,
							   config->mmoe_dims.value[k], prefix);
		else
			add_mlp_layer(layout, config->batch_norm, config->mmoe_experts,
						  config->mmoe_dims.value[k], n_in, prefix);
		n_in = config->mmoe_dims.value[k];
	}
	if (statistics)
		return;
	add_tensor(layout, TENSOR_DENSE, true, 3, config->hei_experts.value[0],
			   config->mmoe_experts, width, "mmoe.gate.weight");
	add_tensor(layout, TENSOR_DENSE, false, 2, config->hei_experts.value[0],
			   config->mmoe_experts, 1, "mmoe.gate.bias");
	if (config_has_skip(config))
		add_tensor(layout, TENSOR_DENSE, true, 2, config->hei_experts.value[0], n_in, 1,
				   "mmoe.skip");
	if (config->cross_layers > 0)
	{
		add_tensor(layout, TENSOR_DENSE, true, 2, config->cross_layers, width, 1,
				   "cross.weight");
		add_tensor(layout, TENSOR_DENSE, false, 2, config->cross_layers, width, 1,
				   "cross.bias");
	}
}

static void
layout_wide(Layout *layout, const Config *config, const Shape *shape, const DomainPairs *pairs)
{
	if (!config_has_wide(config))
		return;
	for (int f = 0; f < shape->n_fields; f++)
		add_tensor(layout, TENSOR_FITTED, false, 1,
				   shape->table_rows[shape->field_table[f]], 1, 1, "wide.%d", f);
	for (int f = 0; f < shape->n_fields; f++)
		if (pairs[f].n_pairs > 0)
			add_tensor(layout, TENSOR_FITTED, false, 1, pairs[f].n_pairs, 1, 1,
					   "domain_wide.%d", f);
}

static void
layout_model(Layout *layout, const Config *config, const Shape *shape,
			 const DomainPairs *pairs)
{
	uint32_t	width = (uint32_t) shape->n_fields * config->embed_dim;

	if (config_has_hei(config))
		layout_hei(layout, config, false);
	layout_heads(layout, config, width);
	if (config_has_mmoe(config))
	{
		layout_base(layout, config, width, false);
		layout_base(layout, config, width, true);
	}
	if (config_has_hei(config))
		layout_hei(layout, config, true);
	if (config->architecture != ARCH_WIDE)
		for (int t = 0; t < shape->n_tables; t++)
			add_tensor(layout, TENSOR_ROWS, false, 2, shape->table_rows[t],
					   config->embed_dim, 1, "embedding.%d", t);
	layout_wide(layout, config, shape, pairs);
	add_tensor(layout, TENSOR_FITTED, false, 1, 2, 1, 1, "calibration");
}

/* An upper bound of the number of tensors. */
static int
count_tensors(const Config *config, const Shape *shape)
{
	int			n = 16 + 5 * MAX_LAYERS + shape->n_tables + 2 * shape->n_fields;

	for (int l = 0; l < config->hei_experts.n; l++)
		n += 10 * config->hei_experts.value[l] + 2;
	return n;
}

static void
copy_shape(Arena *arena, Shape *to, const Shape *from)
{
	uint32_t   *table_rows = ARENA_ARRAY(arena, uint32_t, from->n_tables);
	uint32_t   *field_table = ARENA_ARRAY(arena, uint32_t, from->n_fields);
	bool	   *field_is_list = ARENA_ARRAY(arena, bool, from->n_fields);
	bool	   *field_is_dense = ARENA_ARRAY(arena, bool, from->n_fields);

	*to = *from;
	to->table_rows = table_rows;
	to->field_table = field_table;
	to->field_is_list = field_is_list;
	to->field_is_dense = field_is_dense;
	if (arena->failed)
		return;
	memcpy(table_rows, from->table_rows, from->n_tables * sizeof(uint32_t));
	memcpy(field_table, from->field_table, from->n_fields * sizeof(uint32_t));
	memcpy(field_is_list, from->field_is_list, from->n_fields * sizeof(bool));
	for (int f = 0; f < from->n_fields; f++)
		field_is_dense[f] = shape_is_dense(from, f);
}

/* Everything but the parameters and masks themselves. */
static Model *
lay_out(Arena *arena, const Config *config, const Shape *shape, const DomainPairs *pairs,
		EngineError *error)
{
	Model	   *model = ARENA_ARRAY(arena, Model, 1);
	Layout		layout = {0};

	layout.capacity = count_tensors(config, shape);
	layout.tensors = ARENA_ARRAY(arena, Tensor, layout.capacity);
	if (!arena_ok(arena, error))
		return NULL;
	model->config = *config;
	copy_shape(arena, &model->shape, shape);
	if (!arena_ok(arena, error))
		return NULL;
	model->pairs = pairs;
	layout_model(&layout, config, shape, pairs);
	if (layout.overflow)
	{
		engine_fail(error, ENGINE_BAD_INPUT, "Use fewer features or a smaller embed_dim.",
					"model has too many parameters");
		return NULL;
	}
	model->n_tensors = layout.n_tensors;
	model->tensors = layout.tensors;
	model->n_params = layout.size;
	model->n_domains = shape_domains(shape);
	model->n_gates = config_has_hei(config) ? gates_total(&config->hei_experts) : 0;
	return model;
}

size_t
model_count_params(Arena *arena, const Config *config, const Shape *shape,
				   const DomainPairs *pairs, EngineError *error)
{
	struct ArenaBlock *mark = arena_mark(arena);
	Model	   *model = lay_out(arena, config, shape, pairs, error);
	size_t		n = model ? model->n_params : 0;

	arena_reset_to(arena, mark);
	return n;
}

Model *
model_create(Arena *arena, const Config *config, const Shape *shape,
			 const DomainPairs *pairs, EngineError *error)
{
	Model	   *model = lay_out(arena, config, shape, pairs, error);

	if (!model)
		return NULL;
	model->params = ARENA_ARRAY(arena, real, model->n_params);
	model->has_mask = ARENA_ARRAY(arena, bool, model->n_domains + 1);
	model->masks = ARENA_ARRAY(arena, uint8_t, (size_t) model->n_domains * model->n_gates + 1);
	if (!arena_ok(arena, error))
		return NULL;
	memset(model->masks, 1, (size_t) model->n_domains * model->n_gates);
	return model;
}

Model *
model_attach(Arena *arena, const Model *like, const Shape *shape, const DomainPairs *pairs,
			 EngineError *error)
{
	Model	   *model = lay_out(arena, &like->config, shape, pairs, error);

	if (!model)
		return NULL;
	if (model->n_params != like->n_params || model->n_domains != like->n_domains ||
		model->n_gates != like->n_gates)
	{
		engine_fail(error, ENGINE_BAD_INPUT, NULL, "parameters do not fit the model");
		return NULL;
	}
	model->params = like->params;
	model->has_mask = like->has_mask;
	model->masks = like->masks;
	return model;
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
model_param(const Model *model, const char *name)
{
	const Tensor *tensor = model_find(model, name);

	return tensor ? model_values(model, tensor) : NULL;
}

Calibration
model_calibration(const Model *model)
{
	const real *values = model_param(model, "calibration");

	return (Calibration) {.log_scale = values[0],.shift = values[1]};
}

void
model_set_calibration(Model *model, const Calibration *calibration)
{
	real	   *values = model_param(model, "calibration");

	values[0] = calibration->log_scale;
	values[1] = calibration->shift;
}

static bool
ends_with(const char *name, const char *ending)
{
	size_t		n = strlen(name);
	size_t		e = strlen(ending);

	return n >= e && strcmp(name + n - e, ending) == 0;
}

/* Standard deviation of a tensor's initial values; 0: see fill_constant(). */
static double
initial_std(const Tensor *tensor)
{
	if (strncmp(tensor->name, "embedding.", 10) == 0 || strcmp(tensor->name, "hei.group") == 0)
		return EMBEDDING_START_STD;
	if (strncmp(tensor->name, "head.", 5) == 0 || tensor->kind == TENSOR_FITTED ||
		strcmp(tensor->name, "mmoe.skip") == 0)
		return 0;
	if (strcmp(tensor->name, "cross.weight") == 0)
		return 1 / sqrt(tensor->dims[1]);
	if (ends_with(tensor->name, "gate.weight"))
		return 1 / sqrt(tensor->dims[2]);
	if (ends_with(tensor->name, ".weight"))
		return sqrt(2.0 / tensor->dims[2]); /* He et al. 2015, for ReLU */
	return 0;
}

static double
initial_constant(const Tensor *tensor)
{
	return ends_with(tensor->name, ".scale") || ends_with(tensor->name, ".variance") ? 1 : 0;
}

bool
model_init_weights(Model *model, const EngineHost *host, EngineError *error)
{
	Watch		watch = {.host = host};

	for (int i = 0; i < model->n_tensors; i++)
	{
		const Tensor *tensor = &model->tensors[i];
		real	   *values = model->params + tensor->offset;
		double		std = initial_std(tensor);
		Random		random;

		random_start(&random, model->config.seed, RANDOM_WEIGHTS, i);
		for (size_t k = 0; k < tensor->size; k++)
		{
			if (watch_worked(&watch, DRAW_WORK))
				return watch_continue(&watch, error);
			values[k] = std > 0 ? std * random_normal(&random) : initial_constant(tensor);
		}
	}
	return true;
}

/* Mean of a table's rows weighted by counts -> mean[dim]; unchanged if all counts are 0. */
static void
weighted_mean(const real *table, uint32_t n_rows, int dim, const uint32_t *counts,
			  real *mean)
{
	double		sum[MAX_EMBED_DIM] = {0};
	double		total = 0;

	for (uint32_t row = UNSEEN_ID + 1; row < n_rows; row++)
	{
		const real *vector = table + (size_t) row * dim;

		if (counts[row] == 0)
			continue;
		total += counts[row];
		for (int e = 0; e < dim; e++)
			sum[e] += (double) counts[row] * vector[e];
	}
	for (int e = 0; e < dim && total > 0; e++)
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
	int			dim = model->config.embed_dim;

	for (int t = 0; t < model->shape.n_tables; t++)
	{
		char		name[32];
		real	   *table;

		snprintf(name, sizeof(name), "embedding.%d", t);
		table = model_param(model, name);
		if (!table)
			return;
		if (is_of_vectors(&model->shape, t))
			continue;
		weighted_mean(table, model->shape.table_rows[t], dim, table_counts[t],
					  table + (size_t) UNSEEN_ID * dim);
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
