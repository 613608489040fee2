/*
 * build.c
 *	  From a configuration to a model.
 */
#include "engine/networks/build.h"

#include "engine/layers/taste.h"
#include "engine/networks/architectures.h"

/* After the network's own tensors: factor and shift, and what trees count. */
static void
plan_calibration(NetworkPlan *plan, Model *model)
{
	Tensor		tensor = {
		.kind = TENSOR_FITTED,.field = -1,.table = -1,.n_dims = 1,
		.dims = {architecture_has_trees(&model->config) ? 3 : 2}
	};

	model->calibration = tensors_add(&plan->tensors, &tensor, "calibration");
}

/* Everything but the parameters and masks themselves. */
static Model *
lay_out(void (*build) (NetworkPlan *plan, const Config *config), Arena *arena, const Config *config,
		const Shape *shape, const DomainPairs *pairs, EngineError *error)
{
	Model	   *model = model_begin(arena, config, shape, pairs, error);
	NetworkPlan *plan = ARENA_ARRAY(arena, NetworkPlan, 1);

	if (!model || !arena_ok(arena, error))
		return NULL;
	*plan = (NetworkPlan) {.arena = arena,.config = &model->config,.shape = &model->shape,
		.pairs = pairs,.tensors = {.arena = arena},.widest = 1};
	build(plan, &model->config);
	plan_calibration(plan, model);
	if (!plan_end(plan, error) || !model_place(model, &plan->tensors, error))
		return NULL;
	model->plan = plan;
	model->n_gates = plan->n_gates;
	model->reads_history = plan_has_taste(plan);
	model->masks_rule = architecture_has_masks(config->architecture);
	return model;
}

size_t
model_count_params(Arena *arena, const Config *config, const Shape *shape,
				   const DomainPairs *pairs, EngineError *error)
{
	struct ArenaBlock *mark = arena_mark(arena);
	Model	   *model = lay_out(architecture_of(config)->build, arena, config, shape, pairs,
								error);
	size_t		n = model ? model->n_params : 0;

	arena_reset_to(arena, mark);
	return n;
}

Model *
model_create_by(void (*build) (NetworkPlan *plan, const Config *config), Arena *arena,
				const Config *config, const Shape *shape, const DomainPairs *pairs,
				EngineError *error)
{
	Model	   *model = lay_out(build, arena, config, shape, pairs, error);

	return model && model_allocate(model, arena, error) ? model : NULL;
}

Model *
model_create(Arena *arena, const Config *config, const Shape *shape,
			 const DomainPairs *pairs, EngineError *error)
{
	return model_create_by(architecture_of(config)->build, arena, config, shape, pairs, error);
}

Model *
model_attach(Arena *arena, const Model *like, const Shape *shape, const DomainPairs *pairs,
			 EngineError *error)
{
	Model	   *model = lay_out(architecture_of(&like->config)->build, arena, &like->config, shape,
								pairs, error);

	return model && model_take(model, like, error) ? model : NULL;
}
