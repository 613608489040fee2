/*
 * network.c
 *	  The layers put together.
 */
#include "network.h"

#include <stdio.h>
#include <string.h>

static void
bind_rows(Network *network, const Model *model, Arena *arena)
{
	const Shape *shape = &model->shape;

	network->tables = ARENA_ARRAY(arena, RowTensor, shape->n_tables);
	for (int t = 0; t < shape->n_tables && !arena->failed; t++)
	{
		char		name[32];

		snprintf(name, sizeof(name), "embedding.%d", t);
		rows_init(&network->tables[t], arena, model_param(model, name),
				  network->training ? shape->table_rows[t] : 0, model->config.embed_dim);
	}
}

static void
bind_base(Network *network, const Model *model, Arena *arena)
{
	const Config *config = &model->config;
	size_t		rows = network->capacity;
	size_t		gates;

	mlp_bind(&network->experts, model, "mmoe", config->mmoe_dims.n);
	mlp_cache_alloc(&network->expert_cache, &network->experts, network->capacity,
					network->training, arena);
	network->n_mixtures = config->hei_experts.value[0];
	network->mixture_dim = config->mmoe_dims.value[config->mmoe_dims.n - 1];
	network->gate_weight = model_param(model, "mmoe.gate.weight");
	network->gate_bias = model_param(model, "mmoe.gate.bias");
	network->skip = model_param(model, "mmoe.skip");
	gates = (size_t) network->n_mixtures * config->mmoe_experts;
	network->gates = ARENA_ARRAY(arena, real, rows * gates);
	network->base.h = ARENA_ARRAY(arena, real, rows * network->n_mixtures * network->mixture_dim);
	network->cross = (Cross) {.n_layers = config->cross_layers,.width = network->width,
		.capacity = rows,.weight = model_param(model, "cross.weight"),
		.bias = model_param(model, "cross.bias")};
	network->cross.x = ARENA_ARRAY(arena, real, config->cross_layers * rows * network->width);
	network->cross.product = ARENA_ARRAY(arena, real, config->cross_layers * rows);
	if (!network->training)
		return;
	network->d_gates = ARENA_ARRAY(arena, real, rows * gates);
	network->d_h = ARENA_ARRAY(arena, real, rows * network->n_mixtures * network->mixture_dim);
	network->d_cross = ARENA_ARRAY(arena, real, rows * network->width);
}

/* Heads read h in place: row b of head n at h + (b * N_1 + n) * H. */
static void
bind_mixture_heads(Network *network, Arena *arena)
{
	int			stride = network->n_mixtures * network->mixture_dim;

	network->segment_start = ARENA_ARRAY(arena, int, network->capacity);
	for (int n = 0; n < network->n_mixtures && !arena->failed; n++)
	{
		size_t		at = (size_t) n * network->mixture_dim;

		network->heads.input[n].e = (Matrix) {network->base.h + at, stride};
		if (network->training)
			network->heads.input[n].d_e = (Matrix) {network->d_h + at, stride};
		network->heads.input[n].offset = network->segment_start;
	}
}

static void
bind_expert_heads(Network *network)
{
	HeiLayer   *last = &network->hei.layer[network->hei.n_layers - 1];

	for (int n = 0; n < last->n_experts; n++)
	{
		HeiExpert  *expert = &last->experts[n];

		network->heads.input[n].e = (Matrix) {expert->cache.out[1], last->n_out};
		network->heads.input[n].d_e = (Matrix) {expert->d_out, last->n_out};
		network->heads.input[n].offset = expert->offset;
	}
}

static void
bind_heads(Network *network, const Model *model, Arena *arena)
{
	const Tensor *weight = model_find(model, "head.weight");
	const Tensor *cross = model_find(model, "head.cross");
	Heads	   *heads = &network->heads;

	heads->n_heads = weight ? weight->dims[0] : 1;
	heads->n_in = weight ? weight->dims[1] : 0;
	heads->width = cross ? cross->dims[1] : 0;
	heads->weight = model_param(model, "head.weight");
	heads->cross_weight = model_param(model, "head.cross");
	heads->logit = ARENA_ARRAY(arena, real, (size_t) network->capacity * heads->n_heads);
	if (network->training)
		heads->d_logit = ARENA_ARRAY(arena, real, (size_t) network->capacity * heads->n_heads);
	if (!weight)
		return;
	heads->input = ARENA_ARRAY(arena, HeadInput, heads->n_heads);
	if (arena->failed)
		return;
	if (config_has_hei(&model->config))
		bind_expert_heads(network);
	else
		bind_mixture_heads(network, arena);
}

static int
widest_layer(const Config *config)
{
	int			widest = 1;

	for (int k = 0; config_has_mmoe(config) && k < config->mmoe_dims.n; k++)
		if (config->mmoe_experts * config->mmoe_dims.value[k] > widest)
			widest = config->mmoe_experts * config->mmoe_dims.value[k];
	for (int l = 0; config_has_hei(config) && l < config->hei_experts.n; l++)
	{
		if (config->hei_hidden.value[l] > widest)
			widest = config->hei_hidden.value[l];
		if (config->hei_output.value[l] > widest)
			widest = config->hei_output.value[l];
	}
	return widest;
}

static void
alloc_scratch(Network *network, const Config *config, Arena *arena)
{
	size_t		rows = network->capacity;
	size_t		widest = widest_layer(config);

	network->scratch.sum = ARENA_ARRAY(arena, real, widest);
	network->scratch.sum2 = ARENA_ARRAY(arena, real, widest);
	network->scratch.coins = ARENA_ARRAY(arena, uint16_t, widest);
	network->base.logit = ARENA_ARRAY(arena, real, rows);
	network->x0 = ARENA_ARRAY(arena, real, rows * network->width);
	network->pairwise_sums = ARENA_ARRAY(arena, real, rows * config->embed_dim);
	if (!network->training)
		return;
	network->scratch.d_out = ARENA_ARRAY(arena, real, rows * widest);
	network->scratch.d_in = ARENA_ARRAY(arena, real, rows * widest);
	network->d_x0 = ARENA_ARRAY(arena, real, rows * network->width);
	network->d_base = ARENA_ARRAY(arena, real, rows);
}

/* Dense tensors come first, those of experts and heads before the base's. */
static void
count_dense(Network *network, const Model *model)
{
	for (int i = 0; i < model->n_tensors; i++)
	{
		const Tensor *tensor = &model->tensors[i];

		if (tensor->kind != TENSOR_DENSE)
			break;
		network->n_dense = tensor->offset + tensor->size;
		if (strcmp(tensor->name, "bias") == 0)
			network->n_expert_dense = network->n_dense;
	}
}

bool
network_init(Network *network, const Model *model, int capacity, bool training,
			 Arena *arena, EngineError *error)
{
	const Config *config = &model->config;

	memset(network, 0, sizeof(*network));
	network->model = model;
	network->arena = arena;
	network->capacity = capacity;
	network->training = training;
	network->width = model->shape.n_fields * config->embed_dim;
	bind_rows(network, model, arena);
	wide_bind(&network->wide, model, arena);
	if (config_has_mmoe(config))
		bind_base(network, model, arena);
	if (config_has_hei(config) &&
		!hei_init(&network->hei, model, capacity, capacity, training, arena, error))
		return false;
	bind_heads(network, model, arena);
	alloc_scratch(network, config, arena);
	count_dense(network, model);
	if (training)
		network->grads = ARENA_ARRAY(arena, real, network->n_dense);
	return arena_ok(arena, error);
}

/* MMoE experts' outputs to the mixtures h. */
static void
mmoe_forward(Network *network, const Batch *batch, const PassMode *mode)
{
	int			n_experts = network->experts.blocks;
	int			n_gates = network->n_mixtures * n_experts;
	Matrix		x0 = {network->x0, network->width};
	const real *e = network->expert_cache.out[network->experts.n_layers - 1];

	mlp_forward(&network->experts, &network->expert_cache, x0, batch->n_rows, mode,
				&network->scratch);
	linear_forward((Matrix) {network->gates, n_gates}, x0, network->gate_weight,
				   batch->n_rows, network->width, n_gates, network->scratch.watch);
	for (int b = 0; b < batch->n_rows; b++)
		add_scaled(network->gates + (size_t) b * n_gates, 1, network->gate_bias, n_gates);
	softmax_forward(network->gates, (size_t) batch->n_rows * network->n_mixtures, n_experts);
	mix_forward(network->base.h, network->gates, e, batch->n_rows, network->n_mixtures,
				n_experts, network->mixture_dim);
}

/* logit[b] += skip . h_b */
static void
skip_forward(Network *network, int rows)
{
	size_t		width = (size_t) network->n_mixtures * network->mixture_dim;

	for (int b = 0; b < rows; b++)
		network->base.logit[b] += dot(network->skip, network->base.h + b * width, width);
}

static void
skip_backward(Network *network, int rows)
{
	size_t		width = (size_t) network->n_mixtures * network->mixture_dim;
	real	   *d_skip = network->grads + (network->skip - network->model->params);

	for (int b = 0; b < rows; b++)
	{
		add_scaled(d_skip, network->d_base[b], network->base.h + b * width, width);
		add_scaled(network->d_h + b * width, network->d_base[b], network->skip, width);
	}
}

void
network_base_forward(Network *network, const Batch *batch, const PassMode *mode)
{
	const Model *model = network->model;
	const Config *config = &model->config;

	wide_forward(&network->wide, batch, network->base.logit);
	if (config->architecture == ARCH_WIDE)
		return;
	embedding_forward(network->x0, network->tables, &model->shape, batch, config->embed_dim);
	if (config_has_pairwise(config))
		pairwise_forward(network->base.logit, network->pairwise_sums, network->x0,
						 batch->n_rows, model->shape.n_fields, config->embed_dim);
	if (!config_has_mmoe(config))
		return;
	mmoe_forward(network, batch, mode);
	if (network->skip)
		skip_forward(network, batch->n_rows);
	if (config->cross_layers > 0)
	{
		cross_forward(&network->cross, network->x0, batch->n_rows);
		network->base.cross = cross_output(&network->cross);
	}
}

void
network_experts_forward(Network *network, const Batch *batch, const BaseOutput *base,
						const PassMode *mode)
{
	const Model *model = network->model;

	if (config_has_hei(&model->config))
		hei_forward(&network->hei, batch, base->h,
					&network->tables[model->shape.field_table[model->shape.domain_field]],
					mode, &network->scratch);
	else if (network->segment_start)
		for (int s = 0; s < batch->n_segments; s++)
			network->segment_start[s] = batch->segments[s].start;
	heads_forward(&network->heads, batch, base->logit, base->cross);
}

bool
network_begin_rows(Network *network, const Batch *batch, EngineError *error)
{
	const Shape *shape = &network->model->shape;

	for (int t = 0; t < shape->n_tables; t++)
	{
		size_t		occurrences = batch->n_segments;

		if (!network->tables[t].values)
			break;
		for (int f = 0; f < shape->n_fields; f++)
			if ((int) shape->field_table[f] == t)
				occurrences += batch_occurrences(batch, shape, f);
		if (!rows_begin(&network->tables[t], network->arena, occurrences, error))
			return false;
	}
	return true;
}

/* The last HEI layer's d_out, or d_h for heads on the mixtures, start at zero. */
static void
clear_head_inputs(Network *network, const Batch *batch)
{
	if (config_has_hei(&network->model->config))
	{
		HeiLayer   *last = &network->hei.layer[network->hei.n_layers - 1];

		for (int n = 0; n < last->n_experts; n++)
			memset(last->experts[n].d_out, 0,
				   (size_t) last->experts[n].n_rows * last->n_out * sizeof(real));
	}
	else if (network->d_h)
		memset(network->d_h, 0, (size_t) batch->n_rows * network->n_mixtures *
			   network->mixture_dim * sizeof(real));
}

static void
mmoe_backward(Network *network, const Batch *batch)
{
	const Mlp  *experts = &network->experts;
	const real *params = network->model->params;
	int			n_gates = network->n_mixtures * experts->blocks;
	Matrix		x0 = {network->x0, network->width};
	Matrix		d_x0 = {network->d_x0, network->width};
	real	   *d_e = network->scratch.d_out;

	mix_backward(network->d_gates, d_e, network->d_h, network->gates,
				 network->expert_cache.out[experts->n_layers - 1], batch->n_rows,
				 network->n_mixtures, experts->blocks, network->mixture_dim);
	mlp_backward(experts, &network->expert_cache, d_e, d_x0, 1, batch->n_rows, params,
				 network->grads, &network->scratch);
	softmax_backward(network->d_gates, network->gates,
					 (size_t) batch->n_rows * network->n_mixtures, experts->blocks);
	for (int b = 0; b < batch->n_rows; b++)
		add_scaled(network->grads + (network->gate_bias - params), 1,
				   network->d_gates + (size_t) b * n_gates, n_gates);
	linear_backward(d_x0, 1, network->grads + (network->gate_weight - params),
					(Matrix) {network->d_gates, n_gates}, x0, network->gate_weight,
					batch->n_rows, network->width, n_gates, network->scratch.watch);
}

/* Of the wide part only the bias learns. */
static void
bias_backward(Network *network, const Batch *batch)
{
	real	   *d_bias = network->grads + (network->wide.bias - network->model->params);

	for (int b = 0; b < batch->n_rows; b++)
		*d_bias += network->d_base[b];
}

static void
base_backward(Network *network, const Batch *batch)
{
	const Model *model = network->model;
	const Config *config = &model->config;

	bias_backward(network, batch);
	if (config->architecture == ARCH_WIDE)
		return;
	memset(network->d_x0, 0, (size_t) batch->n_rows * network->width * sizeof(real));
	if (config_has_pairwise(config))
		pairwise_backward(network->d_x0, network->d_base, network->pairwise_sums,
						  network->x0, batch->n_rows, model->shape.n_fields,
						  config->embed_dim);
	if (config_has_mmoe(config))
	{
		if (network->skip)
			skip_backward(network, batch->n_rows);
		if (config->cross_layers > 0)
			cross_backward(&network->cross, network->d_x0,
						   network->grads + (network->cross.weight - model->params),
						   network->grads + (network->cross.bias - model->params),
						   network->d_cross, network->x0, batch->n_rows);
		mmoe_backward(network, batch);
	}
	embedding_backward(network->tables, network->d_x0, &model->shape, batch,
					   config->embed_dim);
}

bool
network_backward(Network *network, const Batch *batch, double *loss, EngineError *error)
{
	const Model *model = network->model;
	const Shape *shape = &model->shape;

	if (!network_begin_rows(network, batch, error))
		return false;
	memset(network->grads, 0, network->n_dense * sizeof(real));
	clear_head_inputs(network, batch);
	*loss = heads_loss(&network->heads, batch);
	heads_backward(&network->heads, batch, network->base.cross, network->d_cross,
				   network->d_base, model->params, network->grads);
	if (config_has_hei(&model->config))
		hei_backward(&network->hei, batch, network->d_h,
					 &network->tables[shape->field_table[shape->domain_field]],
					 model->params, network->grads, &network->scratch);
	base_backward(network, batch);
	return true;
}

void
network_experts_backward(Network *network, const Batch *batch, const BaseOutput *base,
						 double *loss)
{
	const Model *model = network->model;

	memset(network->grads, 0, network->n_expert_dense * sizeof(real));
	clear_head_inputs(network, batch);
	*loss = heads_loss(&network->heads, batch);
	heads_backward(&network->heads, batch, base->cross, NULL, network->d_base,
				   model->params, network->grads);
	bias_backward(network, batch);
	hei_backward(&network->hei, batch, NULL, NULL, model->params, network->grads,
				 &network->scratch);
}
