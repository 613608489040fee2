/*
 * network.c
 *	  A planned network made to work.
 *
 * Stages are laid out once: the tasks of each, forward and backward.  A pass is
 * a walk over them.
 */
#include "engine/networks/network.h"

#include <string.h>

#include "engine/layers/embedding.h"

static int
count_tasks(const Layer *layer, const Pass *pass, bool backward)
{
	return layer->kind->n_tasks ? layer->kind->n_tasks(layer, pass, backward) : 1;
}

static void
add_tasks(StageTask *tasks, int *n, Layer *layer, int n_tasks)
{
	for (int i = 0; i < n_tasks; i++)
		tasks[(*n)++] = (StageTask) {layer, i};
}

/* The layers of stage s and their tasks; serial layers are the first task backward. */
static void
lay_out_stage(Network *network, int s, Arena *arena)
{
	Stage	   *stage = &network->stages[s];
	bool		serial = false;
	int			n_tasks = 1;

	stage->layers = ARENA_ARRAY(arena, Layer *, network->n_layers);
	for (int i = 0; i < network->n_layers && !arena->failed; i++)
	{
		Layer	   *layer = network->layers[i];

		if (!layer || layer->stage != s)
			continue;
		stage->layers[stage->n_layers++] = layer;
		stage->above_cut = layer->above_cut;
		stage->has_rows |= layer->kind->backward_rows != NULL;
		serial |= layer->kind->serial;
		n_tasks += count_tasks(layer, &network->pass, false) +
			count_tasks(layer, &network->pass, true);
	}
	stage->forward = ARENA_ARRAY(arena, StageTask, n_tasks);
	stage->backward = ARENA_ARRAY(arena, StageTask, n_tasks);
	if (arena->failed)
		return;
	if (serial)
		add_tasks(stage->backward, &stage->n_backward, NULL, 1);
	for (int i = 0; i < stage->n_layers; i++)
	{
		Layer	   *layer = stage->layers[i];

		add_tasks(stage->forward, &stage->n_forward, layer,
				  count_tasks(layer, &network->pass, false));
		if (layer->kind->backward && !layer->kind->serial)
			add_tasks(stage->backward, &stage->n_backward, layer,
					  count_tasks(layer, &network->pass, true));
	}
}

/* Copies of the planned layers, bound to the model, with their buffers. */
static bool
init_layers(Network *network, bool above_cut, Arena *arena, EngineError *error)
{
	const NetworkPlan *plan = network->model->plan;
	Pass	   *pass = &network->pass;

	network->n_layers = plan->n_layers;
	network->n_stages = plan->n_stages;
	network->stages = ARENA_ARRAY(arena, Stage, plan->n_stages);
	if (!arena_ok(arena, error) ||
		!plan_bind(network->model, network->layers, above_cut, arena, error))
		return false;
	for (int i = 0; i < network->n_layers && !arena->failed; i++)
		if (network->layers[i] && network->layers[i]->kind->begin_training)
			network->layers[i]->kind->begin_training(network->layers[i], pass);
	for (int s = 0; s < network->n_stages && !arena->failed; s++)
		lay_out_stage(network, s, arena);
	network->wide = wide_of(network->layers, network->n_layers);
	network->heads = heads_of(network->layers, network->n_layers);
	network->hei = hei_of(network->layers, network->n_layers);
	return arena_ok(arena, error);
}

/* The number of the i-th slot that crosses the cut. */
static int
crossing(const Network *network, int i)
{
	return network->model->plan->crossing[i];
}

static bool
init_pass(Network *network, int capacity, Team *team, size_t products, Arena *arena,
		  EngineError *error)
{
	Pass	   *pass = &network->pass;

	*pass = (Pass) {.model = network->model,.capacity = capacity,.arena = arena,
		.slots = network->slots};
	pass->segment_start = ARENA_ARRAY(arena, int, capacity);
	pass->d_logit = ARENA_ARRAY(arena, real, capacity);
	pass->grads = ARENA_ARRAY(arena, real, network->n_dense);
	return workers_init(&pass->workers, team, network->model->plan->widest, products, arena,
						error);
}

bool
network_init(Network *network, const Model *model, int capacity, const bool *shared, Team *team,
			 Arena *arena, EngineError *error)
{
	const NetworkPlan *plan = model->plan;
	Fields		fields = {0};
	Pass	   *pass = &network->pass;

	*network = (Network) {.model = model,.n_dense = model->n_dense};
	if (plan->n_first > 0 &&
		!fields_init(&fields, &model->shape, model->config.embed_dim, capacity, shared,
					 plan->n_first, arena, error))
		return false;
	if (!init_pass(network, capacity, team, fields.capacity * plan->widest_first, arena, error))
		return false;
	pass->fields = fields;
	pass->rows = tables_bind(model, true, arena);
	pass->logit = network->base.logit = ARENA_ARRAY(arena, real, capacity);
	memcpy(network->slots, plan->slots, sizeof(network->slots));
	if (!init_layers(network, false, arena, error))
		return false;
	for (int i = 0; i < network->model->plan->n_crossing; i++)
		network->base.value[i] = network->slots[crossing(network, i)].group[0].value.data;
	return true;
}

/* Slots from below the cut: values come with each pass, and nobody wants their gradients. */
static void
init_crossing_slots(Network *network, Arena *arena)
{
	for (int i = 0; i < network->model->plan->n_crossing; i++)
	{
		Slot	   *slot = &network->slots[crossing(network, i)];

		slot->group = ARENA_ARRAY(arena, SlotGroup, slot->groups);
		for (int g = 0; g < slot->groups && slot->group; g++)
			slot->group[g] = (SlotGroup) {
				.value.stride = slot->groups * slot->width,
				.offset = network->pass.segment_start
			};
	}
}

bool
network_init_above_cut(Network *network, const Network *whole, Arena *arena, EngineError *error)
{
	size_t		n_dense = whole->model->n_above_cut;
	Model	   *model = model_copy_first(arena, whole->model, n_dense, error);

	if (!model)
		return false;
	*network = (Network) {.model = model,.n_dense = n_dense};
	if (!init_pass(network, whole->pass.capacity, NULL, 0, arena, error))
		return false;
	network->pass.rows = whole->pass.rows;
	memcpy(network->slots, model->plan->slots, sizeof(network->slots));
	init_crossing_slots(network, arena);
	return arena_ok(arena, error) && init_layers(network, true, arena, error);
}

static size_t
slot_row(const Slot *slot)
{
	return (size_t) slot->groups * slot->width;
}

void
base_output_init(BaseOutput *base, const Network *network, Arena *arena)
{
	size_t		rows = network->pass.capacity;

	base->logit = ARENA_ARRAY(arena, real, rows);
	for (int i = 0; i < network->model->plan->n_crossing; i++)
		base->value[i] = ARENA_ARRAY(arena, real, rows *
									 slot_row(&network->slots[crossing(network, i)]));
}

void
base_output_copy(BaseOutput *base, const Network *network, int rows)
{
	memcpy(base->logit, network->base.logit, rows * sizeof(real));
	for (int i = 0; i < network->model->plan->n_crossing; i++)
		memcpy(base->value[i], network->base.value[i], rows *
			   slot_row(&network->slots[crossing(network, i)]) * sizeof(real));
}

/* What the tasks of a stage share. */
typedef struct StagePass
{
	Pass	   *pass;
	const Stage *stage;
} StagePass;

static void
forward_task(void *context, int number, int thread)
{
	const StagePass *run = context;
	const StageTask *task = &run->stage->forward[number];

	task->layer->kind->forward(task->layer, run->pass, task->number, thread);
}

static void
forward(Network *network, bool above_cut)
{
	StagePass	run = {.pass = &network->pass};

	for (int s = 0; s < network->n_stages; s++)
	{
		run.stage = &network->stages[s];
		if (run.stage->n_forward > 0 && run.stage->above_cut == above_cut)
			workers_run(&network->pass.workers, forward_task, &run, run.stage->n_forward);
	}
}

static void
begin_pass(Network *network, const Batch *batch, const PassMode *mode)
{
	network->pass.batch = batch;
	network->pass.mode = *mode;
	for (int s = 0; s < batch->n_segments; s++)
		network->pass.segment_start[s] = batch->segments[s].start;
}

void
network_base_forward(Network *network, const Batch *batch, const PassMode *mode)
{
	begin_pass(network, batch, mode);
	network->pass.logit = network->base.logit;
	if (network->pass.fields.n_products > 0)
		fields_index(&network->pass.fields, network->pass.rows, batch);
	forward(network, false);
}

void
network_upper_forward(Network *network, const Batch *batch, const BaseOutput *base,
					  const PassMode *mode)
{
	begin_pass(network, batch, mode);
	network->pass.logit = base->logit;
	for (int i = 0; i < network->model->plan->n_crossing && base != &network->base; i++)
	{
		Slot	   *slot = &network->slots[crossing(network, i)];

		for (int g = 0; g < slot->groups; g++)
			slot->group[g].value.data = base->value[i] + (size_t) g * slot->width;
	}
	forward(network, true);
}

/* Rows of a row tensor that a batch touches, at most; each as often as it does. */
static size_t
touched_rows(const Tensor *tensor, const Shape *shape, const Batch *batch)
{
	size_t		n = 0;
	const uint32_t *members;

	if (tensor->of_history)
	{
		for (int b = 0; b < batch->n_rows; b++)
			n += batch_history(batch, tensor->of_history - 1, b, &members);
		return n;
	}
	/* a domain's own row, and that of domains never seen */
	n = batch->n_segments;
	for (int f = 0; f < shape->n_fields && tensor->rows_of == ROWS_OF_IDS; f++)
		if ((int) shape->field_table[f] == tensor->table)
			n += batch_occurrences(batch, shape, f);
	return n;
}

/* Room for a batch's rows in the row tensors; starts their slots anew. */
static bool
begin_rows(Network *network, const Batch *batch, EngineError *error)
{
	const Model *model = network->model;

	for (int i = 0; i < model->n_rows; i++)
		if (!rows_begin(&network->pass.rows[i], network->pass.arena,
						touched_rows(&model->rows[i], &model->shape, batch), error))
			return false;
	return true;
}

/* Serial layers add to x0's gradient one after the other. */
static void
backward_serial(const StagePass *run, int thread)
{
	for (int i = run->stage->n_layers - 1; i >= 0; i--)
	{
		Layer	   *layer = run->stage->layers[i];

		if (layer->kind->serial)
			layer->kind->backward(layer, run->pass, 0, thread);
	}
}

static void
backward_task(void *context, int number, int thread)
{
	const StagePass *run = context;
	const StageTask *task = &run->stage->backward[number];

	if (task->layer)
		task->layer->kind->backward(task->layer, run->pass, task->number, thread);
	else
		backward_serial(run, thread);
}

static void
backward_rows_task(void *context, int number, int thread)
{
	const StagePass *run = context;
	int			from = part_start(run->pass->batch->n_rows, ROW_PARTS, number);
	int			to = part_start(run->pass->batch->n_rows, ROW_PARTS, number + 1);

	for (int i = run->stage->n_layers - 1; i >= 0; i--)
	{
		Layer	   *layer = run->stage->layers[i];

		if (layer->kind->backward_rows)
			layer->kind->backward_rows(layer, run->pass, from, to, thread);
	}
}

static void
backward(Network *network, bool above_cut)
{
	StagePass	run = {.pass = &network->pass};

	for (int s = network->n_stages - 1; s >= 0; s--)
	{
		run.stage = &network->stages[s];
		if (run.stage->above_cut != above_cut)
			continue;
		if (run.stage->n_backward > 0)
			workers_run(&network->pass.workers, backward_task, &run, run.stage->n_backward);
		if (run.stage->has_rows)
			workers_run(&network->pass.workers, backward_rows_task, &run, ROW_PARTS);
	}
}

/* All layers add to the gradient of x0. */
static void
clear_x0(Network *network, size_t rows)
{
	for (int i = 0; i < network->model->plan->n_slots; i++)
	{
		const Slot *slot = &network->slots[i];

		if (slot->is_x0)
			memset(slot->group[0].d.data, 0, rows * slot->width * sizeof(real));
	}
}

static void
upper_backward(Network *network, const Batch *batch, bool rows_fixed, double *loss)
{
	network->pass.batch = batch;
	network->pass.rows_fixed = rows_fixed;
	memset(network->pass.grads, 0, network->n_dense * sizeof(real));
	*loss = heads_loss(network->heads, batch);
	backward(network, true);
}

bool
network_backward(Network *network, const Batch *batch, double *loss, EngineError *error)
{
	if (!begin_rows(network, batch, error))
		return false;
	clear_x0(network, batch->n_rows);
	upper_backward(network, batch, false, loss);
	backward(network, false);
	return true;
}

void
network_upper_backward(Network *network, const Batch *batch, double *loss)
{
	upper_backward(network, batch, true, loss);
}
