/*
 * plan.c
 *	  Planning a network.
 */
#include "engine/layers/plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void
add_crossing(NetworkPlan *plan, int slot)
{
	for (int i = 0; i < plan->n_crossing; i++)
		if (plan->crossing[i] == slot)
			return;
	if (plan->n_crossing == MAX_CROSSING)
		plan->too_large = true;
	else
		plan->crossing[plan->n_crossing++] = slot;
}

Layer *
plan_layer(NetworkPlan *plan, const LayerKind *kind, int in0, int in1)
{
	int			in[MAX_INPUTS] = {in0, in1};
	Layer	   *layer;

	if (plan->n_layers == MAX_PLANNED)
	{
		plan->too_large = true;
		return NULL;
	}
	layer = arena_alloc(plan->arena, kind->size);
	if (!layer)
		return NULL;
	*layer = (Layer) {.kind = kind,.number = plan->n_layers,.above_cut = plan->cut,.out = NO_SLOT,
		.stage = plan->cut ? plan->stage_of_cut : 0};
	for (int i = 0; i < MAX_INPUTS && in[i] != NO_SLOT; i++)
	{
		layer->in[layer->n_in++] = in[i];
		if (plan->cut && in[i] < plan->slot_of_cut)
			add_crossing(plan, in[i]);
		if (layer->stage <= plan->slot_stage[in[i]])
			layer->stage = plan->slot_stage[in[i]] + 1;
	}
	if (layer->stage >= plan->n_stages)
		plan->n_stages = layer->stage + 1;
	plan->layers[plan->n_layers++] = layer;
	return layer;
}

void
plan_after(NetworkPlan *plan, Layer *layer, const Layer *other)
{
	if (layer->stage <= other->stage)
		layer->stage = other->stage + 1;
	if (layer->stage >= plan->n_stages)
		plan->n_stages = layer->stage + 1;
}

int
plan_slot(NetworkPlan *plan, Layer *layer, int groups, int width)
{
	if (plan->n_slots == MAX_PLANNED)
	{
		plan->too_large = true;
		return NO_SLOT;
	}
	plan->slots[plan->n_slots] = (Slot) {.groups = groups,.width = width};
	plan->slot_stage[plan->n_slots] = layer->stage;
	layer->out = plan->n_slots;
	return plan->n_slots++;
}

TensorRef
plan_dense(NetworkPlan *plan, TensorStart start, bool l2, uint32_t a, uint32_t b, uint32_t c,
		   const char *format,...)
{
	Tensor		tensor = {.kind = TENSOR_DENSE,.start = start,.above_cut = plan->cut,.l2 = l2,
		.field = -1,.table = -1,.n_dims = 1 + (b > 0) + (c > 0),.dims = {a, b, c}};
	char		name[sizeof(tensor.name)];
	va_list		args;

	va_start(args, format);
	vsnprintf(name, sizeof(name), format, args);
	va_end(args);
	return tensors_add(&plan->tensors, &tensor, "%s", name);
}

int
plan_mlp_numbers(NetworkPlan *plan)
{
	return plan->n_mlp_groups++ * MAX_EXPERTS;
}

void
plan_cut(NetworkPlan *plan)
{
	plan->cut = true;
	plan->stage_of_cut = plan->n_stages;
	plan->slot_of_cut = plan->n_slots;
}

/* Is no reader of the slot before this one, backward: of a later stage, or planned later? */
static bool
is_first_backward(const NetworkPlan *plan, const Layer *reader, int slot)
{
	for (int i = 0; i < plan->n_layers; i++)
	{
		const Layer *other = plan->layers[i];
		bool		before = other->stage > reader->stage ||
			(other->stage == reader->stage && other->number > reader->number);

		for (int k = 0; k < other->n_in; k++)
			if (other->in[k] == slot && before)
				return false;
	}
	return true;
}

/*
 * Base outputs, which the mask search keeps, are of slots side by side; others may
 * cross where there is a group alone, or where nobody keeps them.
 */
static bool
is_kept_apart(const NetworkPlan *plan)
{
	for (int i = 0; i < plan->n_crossing; i++)
		if (plan->slots[plan->crossing[i]].layout != SLOT_SIDE_BY_SIDE && plan->n_gates > 0)
			return true;
	return false;
}

/* Layers without a slot add to the logit, or read it (heads): no two may do so at once. */
static bool
logit_is_shared(const NetworkPlan *plan)
{
	for (int i = 0; i < plan->n_layers; i++)
		for (int k = 0; k < i; k++)
			if (plan->layers[i]->out == NO_SLOT && plan->layers[k]->out == NO_SLOT &&
				plan->layers[i]->stage == plan->layers[k]->stage)
				return true;
	return false;
}

bool
plan_end(NetworkPlan *plan, EngineError *error)
{
	if (!arena_ok(plan->arena, error))
		return false;
	if (plan->too_large || plan->n_mlp_groups > MAX_LAYERS + 1 ||
		plan->n_first > MAX_GROUPS)
		return engine_fail(error, ENGINE_BAD_INPUT, "Use fewer layers.",
						   "network has too many layers");
	if (is_kept_apart(plan))
		return engine_fail(error, ENGINE_BAD_INPUT, "Mix its groups, or cut below it.",
						   "a slot that crosses the cut has its groups apart");
	if (logit_is_shared(plan))
		return engine_fail(error, ENGINE_BAD_INPUT, "Plan one after the other (plan_after).",
						   "two layers of one stage add to the logit");
	for (int i = 0; i < plan->n_layers; i++)
		for (int k = 0; k < plan->layers[i]->n_in; k++)
			plan->layers[i]->sets[k] = is_first_backward(plan, plan->layers[i],
														 plan->layers[i]->in[k]);
	return true;
}

bool
plan_bind(const Model *model, Layer **layers, bool above_cut, Arena *arena, EngineError *error)
{
	const NetworkPlan *plan = model->plan;

	for (int i = 0; i < plan->n_layers; i++)
	{
		const Layer *layer = plan->layers[i];

		layers[i] = NULL;
		if (above_cut && !layer->above_cut)
			continue;
		layers[i] = arena_alloc(arena, layer->kind->size);
		if (!arena_ok(arena, error))
			return false;
		memcpy(layers[i], layer, layer->kind->size);
		if (layer->kind->bind)
			layer->kind->bind(layers[i], model, layers, arena);
	}
	return arena_ok(arena, error);
}

Layer *
layer_of_kind(Layer *const *layers, int n_layers, const LayerKind *kind)
{
	for (int i = 0; i < n_layers; i++)
		if (layers[i] && layers[i]->kind == kind)
			return layers[i];
	return NULL;
}

void
slot_allocate(Slot *slot, Pass *pass)
{
	size_t		row = (size_t) slot->groups * slot->width;
	real	   *value = ARENA_ARRAY(pass->arena, real, pass->capacity * row);
	real	   *d = ARENA_ARRAY(pass->arena, real, pass->capacity * row);

	slot->group = ARENA_ARRAY(pass->arena, SlotGroup, slot->groups);
	for (int g = 0; g < slot->groups && !pass->arena->failed; g++)
		slot->group[g] = (SlotGroup) {
			.value = {value + (size_t) g * slot->width, (int) row},
			.d = {d + (size_t) g * slot->width, (int) row},
			.offset = pass->segment_start
		};
}
