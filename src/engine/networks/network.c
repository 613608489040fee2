/*
 * network.c
 *	  The layers put together.
 */
#include "engine/networks/network.h"

#include <stdio.h>
#include <string.h>

RowTensor *
tables_bind(const Model *model, bool training, Arena *arena)
{
	const Shape *shape = &model->shape;
	RowTensor  *tables = ARENA_ARRAY(arena, RowTensor, shape->n_tables);

	for (int t = 0; t < shape->n_tables && !arena->failed; t++)
	{
		char		name[32];

		snprintf(name, sizeof(name), "embedding.%d", t);
		rows_init(&tables[t], arena, model_param(model, name),
				  training ? shape->table_rows[t] : 0, model->config.embed_dim);
	}
	return tables;
}

/* Heads read h in place: row b of head n at h + (b * N_1 + n) * H. */
static void
bind_mixture_heads(Network *network, Arena *arena)
{
	Mmoe	   *mmoe = &network->mmoe;
	int			stride = mmoe->n_mixtures * mmoe->dim;

	network->segment_start = ARENA_ARRAY(arena, int, network->capacity);
	for (int n = 0; n < mmoe->n_mixtures && !arena->failed; n++)
	{
		size_t		at = (size_t) n * mmoe->dim;

		network->heads.input[n].e = (Matrix) {mmoe->h + at, stride};
		if (network->training)
			network->heads.input[n].d_e = (Matrix) {mmoe->d_h + at, stride};
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

void
heads_bind(Heads *heads, const Model *model)
{
	const Tensor *weight = model_find(model, "head.weight");
	const Tensor *cross = model_find(model, "head.cross");

	*heads = (Heads) {.n_heads = weight ? weight->dims[0] : 1,
		.n_in = weight ? weight->dims[1] : 0,.width = cross ? cross->dims[1] : 0,
		.weight = model_param(model, "head.weight"),
		.cross_weight = model_param(model, "head.cross")};
}

static void
bind_heads(Network *network, const Model *model, Arena *arena)
{
	Heads	   *heads = &network->heads;

	heads_bind(heads, model);
	heads->logit = ARENA_ARRAY(arena, real, (size_t) network->capacity * heads->n_heads);
	if (network->training)
		heads->d_logit = ARENA_ARRAY(arena, real, (size_t) network->capacity * heads->n_heads);
	if (heads->n_in == 0)
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
		if (config->mmoe_dims.value[k] > widest)
			widest = config->mmoe_dims.value[k];
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
alloc_activations(Network *network, const Config *config, Arena *arena)
{
	size_t		rows = network->capacity;

	network->base.logit = ARENA_ARRAY(arena, real, rows);
	network->x0 = ARENA_ARRAY(arena, real, rows * network->width);
	network->pairwise_sums = ARENA_ARRAY(arena, real, rows * config->embed_dim);
	if (!network->training)
		return;
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
			 const bool *shared, Team *team, Arena *arena, EngineError *error)
{
	const Config *config = &model->config;

	memset(network, 0, sizeof(*network));
	network->model = model;
	network->arena = arena;
	network->capacity = capacity;
	network->training = training;
	network->width = model->shape.n_fields * config->embed_dim;
	network->tables = tables_bind(model, training, arena);
	wide_bind(&network->wide, model, arena);
	if (config_has_mmoe(config) &&
		!mmoe_init(&network->mmoe, model, capacity, shared, training, arena, error))
		return false;
	if (!workers_init(&network->workers, team, widest_layer(config),
					  network->mmoe.fields.capacity * config->mmoe_dims.value[0], arena, error))
		return false;
	network->skip = model_param(model, "mmoe.skip");
	network->base.h = network->mmoe.h;
	if (config_has_hei(config) &&
		!hei_init(&network->hei, model, capacity, capacity, training, arena, error))
		return false;
	bind_heads(network, model, arena);
	alloc_activations(network, config, arena);
	count_dense(network, model);
	if (training)
		network->grads = ARENA_ARRAY(arena, real, network->n_dense);
	return arena_ok(arena, error);
}

bool
network_init_experts(Network *network, const Network *whole, Arena *arena, EngineError *error)
{
	const Config *config = &whole->model->config;
	Model	   *model = model_copy_first(arena, whole->model, whole->n_expert_dense, error);

	if (!model)
		return false;
	*network = (Network) {
		.model = model,.arena = arena,.capacity = whole->capacity,.training = true,
		.width = whole->width,.tables = whole->tables,.n_dense = whole->n_expert_dense,
		.n_expert_dense = whole->n_expert_dense
	};
	network->wide.bias = model_param(model, "bias");
	if (!workers_init(&network->workers, NULL, widest_layer(config), 0, arena, error) ||
		!hei_init(&network->hei, model, network->capacity, network->capacity, true, arena, error))
		return false;
	bind_heads(network, model, arena);
	network->d_base = ARENA_ARRAY(arena, real, network->capacity);
	network->grads = ARENA_ARRAY(arena, real, network->n_dense);
	return arena_ok(arena, error);
}

/* logit[b] += skip . h_b */
static void
skip_forward(Network *network, int rows)
{
	size_t		width = (size_t) network->mmoe.n_mixtures * network->mmoe.dim;

	for (int b = 0; b < rows; b++)
		network->base.logit[b] += dot(network->skip, network->base.h + b * width, width);
}

static void
skip_backward(Network *network, int rows)
{
	size_t		width = (size_t) network->mmoe.n_mixtures * network->mmoe.dim;
	real	   *d_skip = network->grads + (network->skip - network->model->params);

	for (int b = 0; b < rows; b++)
	{
		add_scaled(d_skip, network->d_base[b], network->base.h + b * width, width);
		add_scaled(network->mmoe.d_h + b * width, network->d_base[b], network->skip, width);
	}
}

/* What the tasks of embedding share. */
typedef struct EmbedPass
{
	Network    *network;
	const Batch *batch;
} EmbedPass;

/* Some rows of the wide part's logit and of x0. */
static void
embed_task(void *context, int number, int thread)
{
	const EmbedPass *pass = context;
	const Network *network = pass->network;
	const Model *model = network->model;
	int			from = part_start(pass->batch->n_rows, ROW_PARTS, number);
	int			to = part_start(pass->batch->n_rows, ROW_PARTS, number + 1);
	Watch	   *watch = network->workers.scratch[thread].watch;

	wide_forward(&network->wide, pass->batch, from, to, network->base.logit, watch);
	if (model->config.architecture != ARCH_WIDE)
		embedding_forward(network->x0, network->tables, &model->shape, pass->batch, from, to,
						  model->config.embed_dim, watch);
}

/* A table's rows get their gradients. */
static void
embed_backward_task(void *context, int table, int thread)
{
	const EmbedPass *pass = context;
	Network    *network = pass->network;
	const Shape *shape = &network->model->shape;

	for (int f = 0; f < shape->n_fields; f++)
	{
		if ((int) shape->field_table[f] != table)
			continue;
		embedding_backward(&network->tables[table], network->d_x0, shape, pass->batch, f,
						   network->model->config.embed_dim,
						   network->workers.scratch[thread].watch);
		mmoe_add_values(&network->mmoe, f, &network->tables[table]);
	}
}

void
network_base_forward(Network *network, const Batch *batch, const PassMode *mode)
{
	const Model *model = network->model;
	const Config *config = &model->config;

	EmbedPass	pass = {.network = network,.batch = batch};

	workers_run(&network->workers, embed_task, &pass, ROW_PARTS);
	if (config->architecture == ARCH_WIDE)
		return;
	if (config_has_pairwise(config))
		pairwise_forward(network->base.logit, network->pairwise_sums, network->x0,
						 batch->n_rows, model->shape.n_fields, config->embed_dim);
	if (!config_has_mmoe(config))
		return;
	mmoe_forward(&network->mmoe, network->tables, batch, network->x0, mode, &network->workers);
	if (network->skip)
		skip_forward(network, batch->n_rows);
	if (config->cross_layers > 0)
		network->base.cross = cross_output(&network->mmoe.cross);
}

void
network_experts_forward(Network *network, const Batch *batch, const BaseOutput *base,
						const PassMode *mode)
{
	const Model *model = network->model;

	if (config_has_hei(&model->config))
		hei_forward(&network->hei, batch, base->h,
					&network->tables[model->shape.field_table[model->shape.domain_field]],
					mode, &network->workers);
	else if (network->segment_start)
		for (int s = 0; s < batch->n_segments; s++)
			network->segment_start[s] = batch->segments[s].start;
	heads_forward(&network->heads, batch, base->logit, base->cross);
}

/* Room for a batch's rows in the row tensors; starts their slots anew. */
static bool
begin_rows(Network *network, const Batch *batch, EngineError *error)
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
	else if (network->mmoe.d_h)
		memset(network->mmoe.d_h, 0, (size_t) batch->n_rows * network->mmoe.n_mixtures *
			   network->mmoe.dim * sizeof(real));
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
	EmbedPass	pass = {.network = network,.batch = batch};

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
		mmoe_backward(&network->mmoe, batch, network->x0, network->d_x0, model->params,
					  network->grads, &network->workers);
	}
	workers_run(&network->workers, embed_backward_task, &pass, model->shape.n_tables);
}

bool
network_backward(Network *network, const Batch *batch, double *loss, EngineError *error)
{
	const Model *model = network->model;
	const Shape *shape = &model->shape;

	if (!begin_rows(network, batch, error))
		return false;
	memset(network->grads, 0, network->n_dense * sizeof(real));
	clear_head_inputs(network, batch);
	*loss = heads_loss(&network->heads, batch);
	heads_backward(&network->heads, batch, network->base.cross, network->mmoe.d_cross,
				   network->d_base, model->params, network->grads);
	if (config_has_hei(&model->config))
		hei_backward(&network->hei, batch, network->mmoe.d_h,
					 &network->tables[shape->field_table[shape->domain_field]],
					 model->params, network->grads, &network->workers);
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
				 &network->workers);
}
