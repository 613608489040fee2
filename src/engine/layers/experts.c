/*
 * experts.c
 *	  MLPs side by side over x0, forward, backward and in scoring.
 *
 * Their first layers are products with x0 and made field by field
 * (first_layer.h); in scoring they are columns over x0 (prepared.h).
 */
#include "engine/layers/experts.h"

#include <string.h>

#include "engine/layers/mlp.h"
#include "engine/layers/prepared.h"

typedef struct Experts
{
	Layer		layer;
	MlpTensors	tensors;
	int			n;
	int			number;			/* of the first among the network's MLPs */
	int			first;			/* of theirs among the groups made field by field */
	Mlp		   *mlps;			/* [n] */
	MlpCache   *caches;			/* [n]; training only */
	/* scoring */
	int			group;			/* the first one's group of claimed columns */
	PreparedLayer *upper;		/* [n][n_layers - 1]: all but the first layers */
} Experts;

static void
bind(Layer *layer, const Model *model, Layer **layers, Arena *arena)
{
	Experts    *experts = (Experts *) layer;

	(void) layers;
	experts->mlps = ARENA_ARRAY(arena, Mlp, experts->n);
	for (int m = 0; m < experts->n && !arena->failed; m++)
		mlp_bind(&experts->mlps[m], &experts->tensors, model, m, experts->number + m);
}

static void
begin_training(Layer *layer, Pass *pass)
{
	Experts    *experts = (Experts *) layer;
	Slot	   *out = pass_out(pass, layer);
	int			last = experts->tensors.n_layers - 1;

	experts->caches = ARENA_ARRAY(pass->arena, MlpCache, experts->n);
	out->group = ARENA_ARRAY(pass->arena, SlotGroup, experts->n);
	for (int m = 0; m < experts->n && !pass->arena->failed; m++)
	{
		MlpCache   *cache = &experts->caches[m];

		mlp_cache_alloc(cache, &experts->mlps[m], pass->capacity, pass->arena);
		out->group[m] = (SlotGroup) {
			.value = {cache->out[last], out->width},
			.d = {cache->d[last], out->width},
			.offset = pass->segment_start
		};
	}
}

static int
n_tasks(const Layer *layer, const Pass *pass, bool backward)
{
	(void) pass;
	(void) backward;
	return ((const Experts *) layer)->n;
}

static void
forward(Layer *layer, Pass *pass, int m, int thread)
{
	Experts    *experts = (Experts *) layer;
	const Mlp  *mlp = &experts->mlps[m];
	Scratch    *scratch = &pass->workers.scratch[thread];

	fields_forward(&pass->fields, mlp_first_product(&experts->caches[m]),
				   pass_in(pass, layer, 0)->group[0].value.data, mlp->layer[0].weight,
				   pass->batch->n_rows, mlp->layer[0].n_out, scratch);
	mlp_forward_rest(mlp, &experts->caches[m], pass->batch->n_rows, &pass->mode, scratch);
}

static void
backward(Layer *layer, Pass *pass, int m, int thread)
{
	Experts    *experts = (Experts *) layer;
	const Mlp  *mlp = &experts->mlps[m];
	const MlpLayer *first = &mlp->layer[0];
	Scratch    *scratch = &pass->workers.scratch[thread];

	mlp_backward_rest(mlp, &experts->caches[m], pass->batch->n_rows, pass->model->params,
					  pass->grads, scratch);
	fields_backward(&pass->fields, pass_gradient(pass, first->weight), experts->first + m,
					experts->caches[m].d[0], pass_in(pass, layer, 0)->group[0].value.data,
					first->weight, pass->batch->n_rows, first->n_out, scratch);
}

/* Some rows of x0's gradient, expert after expert. */
static void
backward_rows(Layer *layer, Pass *pass, int from, int to, int thread)
{
	Experts    *experts = (Experts *) layer;

	for (int m = 0; m < experts->n && to > from; m++)
		fields_backward_rows(&pass->fields, pass_in(pass, layer, 0)->group[0].d.data,
							 experts->caches[m].d[0], experts->mlps[m].layer[0].weight, from, to,
							 experts->mlps[m].layer[0].n_out, pass_watch(pass, thread));
}

static void
claim(Layer *layer, Prepared *prepared)
{
	Experts    *experts = (Experts *) layer;

	experts->group = prepared_claim_groups(prepared, layer, experts->n,
										   experts->tensors.dims.value[0]);
}

static PreparedLayer *
upper_layer(const Experts *experts, int m, int k)
{
	return &experts->upper[m * (experts->tensors.n_layers - 1) + k - 1];
}

static void
lay_out(Layer *layer, Prepared *prepared)
{
	Experts    *experts = (Experts *) layer;
	const IntList *dims = &experts->tensors.dims;

	if (!experts->upper)
		experts->upper = ARENA_ARRAY(prepared->arena, PreparedLayer, (size_t) experts->n * dims->n);
	for (int m = 0; m < experts->n && experts->upper; m++)
		for (int k = 1; k < dims->n; k++)
			prepared_lay_out_layer(prepared, upper_layer(experts, m, k), dims->value[k - 1],
								   dims->value[k]);
}

static bool
prepare(Layer *layer, Prepared *prepared, EngineError *error)
{
	const Experts *experts = (const Experts *) layer;
	int			width = experts->tensors.dims.value[0];

	for (int m = 0; m < experts->n; m++)
	{
		int			column = prepared_group_column(prepared, experts->group + m);
		Mlp			folded;

		if (!mlp_fold(&folded, &experts->mlps[m], prepared->arena, prepared->watch, error))
			return false;
		prepared_fill_columns(prepared, column, folded.layer[0].weight, width);
		memcpy(prepared_bias(prepared, column), folded.layer[0].bias, width * sizeof(real));
		for (int k = 1; k < folded.n_layers; k++)
			prepared_fill_layer(prepared, upper_layer(experts, m, k), &folded.layer[k]);
	}
	return true;
}

static void
score_group(Layer *layer, const ScoreRun *run, int m, Matrix in)
{
	const Experts *experts = (const Experts *) layer;
	int			n_layers = experts->tensors.n_layers;
	Matrix		e = run_group(run, layer->out, m);

	for (int k = 1; k < n_layers; k++)
	{
		const PreparedLayer *upper = upper_layer(experts, m, k);
		Matrix		out = k == n_layers - 1 ? e :
			(Matrix) {run->scratch->layer[k % 2], upper->panels.n_out};

		if (!prepared_forward(upper, in, run->n_rows, out, run->scratch->watch))
			return;
		in = out;
	}
	for (int r = 0; r < run->n_rows && n_layers == 1; r++)
		memcpy(e.data + (size_t) r * e.stride, in.data + (size_t) r * in.stride,
			   e.stride * sizeof(real));
}

static const LayerKind kind = {
	.name = "experts",
	.size = sizeof(Experts),
	.bind = bind,
	.begin_training = begin_training,
	.n_tasks = n_tasks,
	.forward = forward,
	.backward = backward,
	.backward_rows = backward_rows,
	.claim = claim,
	.lay_out = lay_out,
	.prepare = prepare,
	.score_group = score_group
};

int
plan_experts(NetworkPlan *plan, const char *prefix, int x0, int n, const IntList *dims)
{
	Experts    *experts = (Experts *) plan_layer(plan, &kind, x0, NO_SLOT);
	int			slot;

	if (!experts)
		return NO_SLOT;
	experts->n = n;
	experts->number = plan_mlp_numbers(plan);
	experts->first = plan->n_first;
	plan->n_first += n;
	if (dims->value[0] > plan->widest_first)
		plan->widest_first = dims->value[0];
	mlp_plan(&experts->tensors, plan, prefix, n, plan_width(plan), dims);
	slot = plan_slot(plan, &experts->layer, n, dims->value[dims->n - 1]);
	if (slot != NO_SLOT)
		plan->slots[slot].layout = SLOT_APART;
	return slot;
}
