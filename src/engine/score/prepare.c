/*
 * prepare.c
 *	  A trained model's weights as scoring wants them.
 */
#include "engine/score/prepare.h"

#include <stdio.h>
#include <string.h>

#include "engine/layers/hei.h"

/*
 * Values are laid out by walking through them; the first walk only measures.
 * All begin where a vector may.
 */
static real *
take(Prepared *prepared, size_t n)
{
	real	   *at = prepared->values ? prepared->values + prepared->n_values : NULL;

	prepared->n_values += (n + LANES - 1) / LANES * LANES;
	return at;
}

static uint32_t
table_rows(const Model *model, int field)
{
	return model->shape.table_rows[model->shape.field_table[field]];
}

/*
 * Fields of the smallest tables are ready, as far as there is room; others, and
 * dense ones, whose values come but once, are first.
 */
static bool
choose_ready(Prepared *prepared, size_t bytes, Arena *arena, EngineError *error)
{
	const Model *model = prepared->model;
	int			n_fields = model->shape.n_fields;
	size_t		left = bytes / ((size_t) prepared->columns.n * sizeof(real));
	int			last = n_fields;
	bool	   *ready = ARENA_ARRAY(arena, bool, n_fields);

	prepared->order = ARENA_ARRAY(arena, int, n_fields);
	prepared->ready = ARENA_ARRAY(arena, real *, n_fields);
	if (!arena_ok(arena, error))
		return false;
	for (;;)
	{
		int			smallest = -1;

		for (int f = 0; f < n_fields; f++)
			if (!ready[f] && !shape_is_dense(&model->shape, f) && (smallest < 0 || table_rows(model, f) < table_rows(model, smallest)))
				smallest = f;
		if (smallest < 0 || table_rows(model, smallest) > left)
			break;
		left -= table_rows(model, smallest);
		ready[smallest] = true;
		prepared->order[--last] = smallest;
	}
	prepared->n_plain = 0;
	for (int f = 0; f < n_fields; f++)
		if (!ready[f])
			prepared->order[prepared->n_plain++] = f;
	return true;
}

static StackColumns
stack_columns(const Model *model)
{
	const Config *config = &model->config;
	const Tensor *heads = model_find(model, "head.cross");
	StackColumns columns = {.expert = panels_columns(config->mmoe_dims.value[0])};
	int			width = panels_of(0, columns.expert).width;

	columns.gates = config->mmoe_experts * columns.expert;
	columns.cross = columns.gates + config->hei_experts.value[0] * config->mmoe_experts;
	columns.heads = columns.cross + config->cross_layers;
	columns.end = columns.heads + (heads ? (int) heads->dims[0] : 0);
	columns.n = (columns.end + width - 1) / width * width;
	return columns;
}

/* Panels over vectors of some fields, as wide as suits an expert. */
static Panels
stack_panels(const Prepared *prepared, int n_fields)
{
	Panels		panels = panels_of(n_fields * prepared->model->config.embed_dim,
								   prepared->columns.expert);

	panels.n_out = prepared->columns.n;
	panels.n = panels.n_out / panels.width;
	return panels;
}

static void
lay_out_layer(Prepared *prepared, PreparedLayer *layer, int n_in, int n_out)
{
	layer->panels = panels_of(n_in, n_out);
	layer->panels.values = take(prepared, panels_size(&layer->panels));
	layer->bias = take(prepared, panels_columns(n_out));
}

static void
lay_out_hei(Prepared *prepared)
{
	const Config *config = &prepared->model->config;

	for (int l = 0; l < prepared->n_hei; l++)
	{
		int			n_in = l > 0 ? config->hei_output.value[l - 1] :
			config->mmoe_dims.value[config->mmoe_dims.n - 1];

		for (int n = 0; n < config->hei_experts.value[l]; n++)
		{
			PreparedLayer *layers = prepared->hei[l][n];

			lay_out_layer(prepared, &layers[0], n_in, config->hei_hidden.value[l]);
			lay_out_layer(prepared, &layers[1], config->hei_hidden.value[l],
						  config->hei_output.value[l]);
		}
	}
	if (prepared->n_hei > 0)
		prepared->gates = take(prepared, ((size_t) prepared->model->n_domains + 1) *
							   prepared->model->n_gates);
}

/* Where everything lies, in "values" if there are any; counts them. */
static void
lay_out(Prepared *prepared)
{
	const Model *model = prepared->model;
	const IntList *dims = &model->config.mmoe_dims;
	size_t		n = prepared->columns.n;

	prepared->n_values = 0;
	prepared->stack = stack_panels(prepared, prepared->n_plain);
	prepared->stack.values = take(prepared, panels_size(&prepared->stack));
	prepared->bias = take(prepared, n);
	prepared->cross_constant = take(prepared, model->config.cross_layers);
	prepared->head_constant = take(prepared, prepared->columns.end - prepared->columns.heads);
	for (int m = 0; m < prepared->n_experts; m++)
		for (int k = 0; k < prepared->n_deep; k++)
			lay_out_layer(prepared, &prepared->deep[m * prepared->n_deep + k], dims->value[k],
						  dims->value[k + 1]);
	lay_out_hei(prepared);
	for (int i = prepared->n_plain; i < model->shape.n_fields; i++)
	{
		int			f = prepared->order[i];

		prepared->ready[f] = take(prepared, table_rows(model, f) * n);
	}
}

static void
fill_layer(PreparedLayer *layer, const MlpLayer *folded)
{
	int			n_in = layer->panels.n_in;
	int			n_out = layer->panels.n_out;

	panels_fill(&layer->panels, 0, 0, (Matrix) {folded->weight, n_in}, n_in, n_out);
	memcpy(layer->bias, folded->bias, n_out * sizeof(real));
}

/* The stack's weights: of plain fields, and those that ready products are made with. */
typedef struct StackWeights
{
	Prepared   *prepared;
	Panels		ready;			/* ((n_fields - n_plain) * E, columns.n) */
} StackWeights;

/* From column "at" on they are weights (n_out, W) of the model. */
static void
fill_columns(StackWeights *weights, int at, real *from, int n_out)
{
	Prepared   *prepared = weights->prepared;
	int			dim = prepared->model->config.embed_dim;
	int			n_fields = prepared->model->shape.n_fields;

	for (int i = 0; i < n_fields && n_out > 0; i++)
	{
		bool		plain = i < prepared->n_plain;

		panels_fill(plain ? &prepared->stack : &weights->ready,
					(plain ? i : i - prepared->n_plain) * dim, at,
					(Matrix) {from + (size_t) prepared->order[i] * dim, n_fields * dim}, dim, n_out);
	}
}

static bool
fill_experts(StackWeights *weights, Arena *arena, Watch *watch, EngineError *error)
{
	Prepared   *prepared = weights->prepared;
	int			width = prepared->model->config.mmoe_dims.value[0];

	for (int m = 0; m < prepared->n_experts; m++)
	{
		Mlp			mlp;
		Mlp			folded;

		mlp_bind(&mlp, prepared->model, "mmoe", 1 + prepared->n_deep, m, m);
		if (!watch_continue(watch, error) || !mlp_fold(&folded, &mlp, arena, error))
			return false;
		fill_columns(weights, m * prepared->columns.expert, folded.layer[0].weight, width);
		memcpy(prepared->bias + (size_t) m * prepared->columns.expert, folded.layer[0].bias,
			   width * sizeof(real));
		for (int k = 0; k < prepared->n_deep; k++)
			fill_layer(&prepared->deep[m * prepared->n_deep + k], &folded.layer[k + 1]);
	}
	return true;
}

/* Gates, and the products that the cross network is made of. */
static bool
fill_rest(StackWeights *weights, Arena *arena, EngineError *error)
{
	Prepared   *prepared = weights->prepared;
	const Model *model = prepared->model;
	const StackColumns *columns = &prepared->columns;
	size_t		width = (size_t) model->shape.n_fields * model->config.embed_dim;
	real	   *v = model_param(model, "cross.weight");
	const real *bias = model_param(model, "cross.bias");
	real	   *heads = model_param(model, "head.cross");
	real	   *constant = ARENA_ARRAY(arena, real, width);	/* c_k */

	if (!arena_ok(arena, error))
		return false;
	fill_columns(weights, columns->gates, model_param(model, "mmoe.gate.weight"),
				 columns->cross - columns->gates);
	memcpy(prepared->bias + columns->gates, model_param(model, "mmoe.gate.bias"),
		   (columns->cross - columns->gates) * sizeof(real));
	fill_columns(weights, columns->cross, v, columns->heads - columns->cross);
	fill_columns(weights, columns->heads, heads, columns->end - columns->heads);
	for (int k = 0; k < columns->heads - columns->cross; k++)
	{
		prepared->cross_constant[k] = dot(constant, v + k * width, width);
		add_scaled(constant, 1, bias + k * width, width);
	}
	for (int j = 0; j < columns->end - columns->heads; j++)
		prepared->head_constant[j] = dot(constant, heads + j * width, width);
	return true;
}

void
prepared_add_cross(const Prepared *prepared, const real *z, real *logits)
{
	const StackColumns *columns = &prepared->columns;
	real		a = 1;

	for (int k = 0; k < columns->heads - columns->cross; k++)
		a += a * z[columns->cross - columns->gates + k] + prepared->cross_constant[k];
	for (int j = 0; j < columns->end - columns->heads; j++)
		logits[j] += a * z[columns->heads - columns->gates + j] + prepared->head_constant[j];
}

const uint8_t *
prepared_mask(const Model *model, int64_t domain)
{
	if (domain < 0 || !model->has_mask[domain])
		return NULL;
	return model->masks + (size_t) domain * model->n_gates;
}

static bool
fill_hei(Prepared *prepared, Arena *arena, Watch *watch, EngineError *error)
{
	const Model *model = prepared->model;
	size_t		dim = model->config.embed_dim;
	const real *domains;
	char		name[32];
	Hei			hei;
	real	   *scratch = ARENA_ARRAY(arena, real, 2 * dim + model->n_gates);

	snprintf(name, sizeof(name), "embedding.%u", model->shape.field_table[model->shape.domain_field]);
	domains = model_param(model, name);
	if (!hei_init(&hei, model, 1, 1, false, arena, error))
		return false;
	for (int l = 0; l < prepared->n_hei; l++)
		for (int n = 0; n < hei.layer[l].n_experts; n++)
		{
			Mlp			folded;

			if (!watch_continue(watch, error) ||
				!mlp_fold(&folded, &hei.layer[l].experts[n].mlp, arena, error))
				return false;
			fill_layer(&prepared->hei[l][n][0], &folded.layer[0]);
			fill_layer(&prepared->hei[l][n][1], &folded.layer[1]);
		}
	for (uint32_t d = 0; d <= model->n_domains; d++)
	{
		int64_t		domain = d < model->n_domains ? (int64_t) d : -1;
		size_t		row = domain < 0 ? UNSEEN_ID : FIRST_ID + d;

		if (watch_worked(watch, dim * model->n_gates))
			return watch_continue(watch, error);
		hei_gates_forward(&hei, domains + row * dim, prepared_mask(model, domain), scratch,
						  scratch + 2 * dim, prepared->gates + (size_t) d * model->n_gates);
	}
	return true;
}

/* Products of all values of the fields that are to be ready. */
static void
fill_ready(const StackWeights *weights)
{
	const Prepared *prepared = weights->prepared;
	const Model *model = prepared->model;
	int			dim = model->config.embed_dim;

	for (int i = prepared->n_plain; i < model->shape.n_fields; i++)
	{
		int			f = prepared->order[i];
		int			at = (i - prepared->n_plain) * dim;
		char		name[32];
		PanelInput	in = {.stride = dim,.n_parts = 1,.length = dim,.at = &at};

		snprintf(name, sizeof(name), "embedding.%u", model->shape.field_table[f]);
		in.x = model_param(model, name);
		for (int p = 0; p < weights->ready.n; p++)
			panels_forward(&weights->ready, p, &in, table_rows(model, f),
						   prepared->ready[f] + (size_t) p * weights->ready.width,
						   prepared->columns.n, false);
	}
}

static bool
fill(Prepared *prepared, Arena *arena, Watch *watch, EngineError *error)
{
	StackWeights weights = {.prepared = prepared};
	struct ArenaBlock *mark;

	prepared->values = ARENA_ARRAY(arena, real, prepared->n_values);
	if (!arena_ok(arena, error))
		return false;
	lay_out(prepared);
	mark = arena_mark(arena);
	weights.ready = stack_panels(prepared, prepared->model->shape.n_fields - prepared->n_plain);
	weights.ready.values = ARENA_ARRAY(arena, real, panels_size(&weights.ready));
	if (!arena_ok(arena, error) || !fill_experts(&weights, arena, watch, error) ||
		!fill_rest(&weights, arena, error))
		return false;
	if (prepared->n_hei > 0 && !fill_hei(prepared, arena, watch, error))
		return false;
	fill_ready(&weights);
	arena_reset_to(arena, mark);
	return true;
}

bool
prepare(Prepared *prepared, const Model *model, size_t ready_bytes, real *values, Arena *arena,
		Watch *watch, EngineError *error)
{
	const Config *config = &model->config;

	memset(prepared, 0, sizeof(*prepared));
	prepared->model = model;
	if (!config_has_mmoe(config))
		return true;
	prepared->columns = stack_columns(model);
	prepared->n_experts = config->mmoe_experts;
	prepared->n_deep = config->mmoe_dims.n - 1;
	prepared->n_hei = config_has_hei(config) ? config->hei_experts.n : 0;
	prepared->deep = ARENA_ARRAY(arena, PreparedLayer, prepared->n_experts * config->mmoe_dims.n);
	prepared->hei = arena_array(arena, MAX_LAYERS, sizeof(*prepared->hei));
	if (!choose_ready(prepared, ready_bytes, arena, error))
		return false;
	prepared->values = values;
	lay_out(prepared);
	return values ? true : fill(prepared, arena, watch, error);
}
