/*
 * plan.h
 *	  The plan of a network: which layers there are, in which order, and what
 *	  each of them reads.
 *
 * build() of an architecture calls a plan_...() of each layer, lowest first.
 * Everything that lists layers or tensors falls out of the plan: the stored
 * order of tensors, buffers, stages of passes, columns over x0, where the mask
 * search cuts.  Lack of memory shows in the arena.
 *
 * Invariants of stored models and of reproducible trainings:
 *	  the stored order of tensors, by which start values are drawn: by part, and
 *	  within a part as they are planned (model/tensor.h),
 *	  their names (the stored form),
 *	  the numbers of MLPs (dropout's coins), given in the order of planning.
 */
#ifndef AREAD_ENGINE_LAYERS_PLAN_H
#define AREAD_ENGINE_LAYERS_PLAN_H

#include "engine/layers/layer.h"
#include "engine/model/tensor.h"

typedef struct NetworkPlan
{
	Arena	   *arena;
	const Config *config;
	const Shape *shape;
	const DomainPairs *pairs;	/* [n_fields] */
	TensorList	tensors;
	TensorRef	bias;			/* that all heads share */
	int			n_layers;
	Layer	   *layers[MAX_PLANNED];
	int			n_slots;
	Slot		slots[MAX_PLANNED];
	int			slot_stage[MAX_PLANNED];
	bool		cut;			/* what is planned now lies above the cut */
	int			stage_of_cut;	/* no layer above the cut has a lower one */
	int			slot_of_cut;	/* slots below the cut come before this one */
	int			n_crossing;		/* slots from below that layers above it read, side by side */
	int			crossing[MAX_CROSSING];
	int			n_stages;
	int			n_mlp_groups;	/* numbers of MLPs given so far, by MAX_EXPERTS */
	int			widest;			/* layer of an MLP */
	int			widest_first;	/* layer over x0 */
	int			n_first;		/* groups whose first layer is made field by field */
	int			n_gates;		/* G */
	bool		too_large;		/* more layers or slots than there is room for */
} NetworkPlan;

/* A layer of that kind; input NO_SLOT: none.  The caller fills what follows Layer. */
extern Layer *plan_layer(NetworkPlan *plan, const LayerKind *kind, int in0, int in1);
/* It also needs what "other" leaves beside slots. */
extern void plan_after(NetworkPlan *plan, Layer *layer, const Layer *other);
/* Its output; returns the slot's number. */
extern int	plan_slot(NetworkPlan *plan, Layer *layer, int groups, int width);
/* A dense tensor (a, b, c); b or c 0: it has no such dimension. */
extern TensorRef plan_dense(NetworkPlan *plan, TensorStart start, bool l2, uint32_t a, uint32_t b,
							uint32_t c, const char *format,...)
	__attribute__((format(printf, 7, 8)));
/* Numbers for the MLPs of a layer: returns the first of MAX_EXPERTS. */
extern int	plan_mlp_numbers(NetworkPlan *plan);
/*
 * Layers planned from here on can be trained on a fixed base: the slots that
 * they read from below, and the logit so far.  The mask search does that.
 */
extern void plan_cut(NetworkPlan *plan);
/* Everything is planned; false and *error: no memory, too many layers. */
extern bool plan_end(NetworkPlan *plan, EngineError *error);
/*
 * Copies of the model's planned layers [n_layers], bound to it; with "above_cut"
 * those below the cut are NULL.
 */
extern bool plan_bind(const Model *model, Layer **layers, bool above_cut, Arena *arena,
					  EngineError *error);
/* The first layer of a kind among such copies; NULL: there is none. */
extern Layer *layer_of_kind(Layer *const *layers, int n_layers, const LayerKind *kind);

/* Width of x0, fields side by side. */
static inline int
plan_width(const NetworkPlan *plan)
{
	return plan->shape->n_fields * plan->config->embed_dim;
}

#endif							/* AREAD_ENGINE_LAYERS_PLAN_H */
