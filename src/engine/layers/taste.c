/*
 * taste.c
 *	  The taste term, forward, backward and in scoring.
 *
 *	  logit[b] += u_b . q_i,  u_b = p_u + (1 / sqrt(n)) sum over members j of y_j
 *
 * with p (users, E), q (items, E), y (items, E), each a table of its own: factors of users
 * and items, and of items as signs of taste (SVD++, Koren 2008).  By sqrt(n), not n: many
 * members say more than few.
 *
 * The history is no input of x0: a network over its mean learnt training rows by heart.
 *
 * Threads: forward by rows; backward each table is a task.
 */
#include "engine/layers/taste.h"

#include <math.h>
#include <string.h>

#include "engine/layers/prepared.h"

/* L2 of a use as a member, of that of a use as the row's own. */
#define MEMBER_L2 0.2

/* The tables, each of which is a task backward. */
typedef enum TasteTable
{
	TASTE_USERS,
	TASTE_ITEMS,
	TASTE_MEMBERS,
	TASTE_TABLES
} TasteTable;

typedef struct Taste
{
	Layer		layer;
	TensorRef	refs[TASTE_TABLES];
	int			rows[TASTE_TABLES]; /* among the model's row tensors */
	const real *values[TASTE_TABLES];
	const Shape *shape;
	size_t		dim;			/* E */
	/* training only */
	real	   *u;				/* (B, E) */
	real	   *scale;			/* [B] 1 / sqrt(n); 0: no members */
} Taste;

static const real *
vector_of(const Taste *taste, TasteTable table, uint32_t id)
{
	return taste->values[table] + id * taste->dim;
}

/* A row's user, or its item. */
static inline uint32_t
id_of(const Batch *batch, int b, int field)
{
	return batch->ids[(size_t) b * batch->n_fields + field];
}

/* u (E) of a row; returns 1 / sqrt(n). */
static real
user_taste(const Taste *taste, const Batch *batch, int b, real *u)
{
	const uint32_t *members;
	uint32_t	n = batch_history(batch, b, &members);
	real		scale = n > 0 ? (real) (1 / sqrt((double) n)) : 0;

	memcpy(u, vector_of(taste, TASTE_USERS, id_of(batch, b, taste->shape->user_field)),
		   taste->dim * sizeof(real));
	for (uint32_t i = 0; i < n; i++)
		add_scaled(u, scale, vector_of(taste, TASTE_MEMBERS, members[i]), taste->dim);
	return scale;
}

static const real *
item_of(const Taste *taste, const Batch *batch, int b)
{
	return vector_of(taste, TASTE_ITEMS, id_of(batch, b, taste->shape->item_field));
}

static void
bind(Layer *layer, const Model *model, Layer **layers, Arena *arena)
{
	Taste	   *taste = (Taste *) layer;

	(void) layers;
	(void) arena;
	taste->shape = &model->shape;
	for (int i = 0; i < TASTE_TABLES; i++)
	{
		taste->rows[i] = (int) (model_tensor(model, taste->refs[i]) - model->rows);
		taste->values[i] = model_param(model, taste->refs[i]);
	}
}

static void
begin_training(Layer *layer, Pass *pass)
{
	Taste	   *taste = (Taste *) layer;

	taste->u = ARENA_ARRAY(pass->arena, real, pass->capacity * taste->dim);
	taste->scale = ARENA_ARRAY(pass->arena, real, pass->capacity);
}

static int
n_tasks(const Layer *layer, const Pass *pass, bool backward)
{
	(void) layer;
	(void) pass;
	return backward ? TASTE_TABLES : ROW_PARTS;
}

/* What a row costs, in multiply-adds. */
static inline size_t
row_work(const Taste *taste, const Batch *batch)
{
	return (batch->history_length + 1) * taste->dim;
}

static void
forward(Layer *layer, Pass *pass, int task, int thread)
{
	const Taste *taste = (const Taste *) layer;
	const Batch *batch = pass->batch;
	int			to = part_start(batch->n_rows, ROW_PARTS, task + 1);

	for (int b = part_start(batch->n_rows, ROW_PARTS, task); b < to; b++)
	{
		real	   *u = taste->u + b * taste->dim;

		if (watch_worked(pass_watch(pass, thread), row_work(taste, batch)))
			return;
		taste->scale[b] = user_taste(taste, batch, b, u);
		pass->logit[b] += dot(u, item_of(taste, batch, b), taste->dim);
	}
}

/*
 * d p_u += d_logit * q_i
 * d q_i += d_logit * u
 * d y_j += d_logit / sqrt(n) * q_i, for each member j
 */
static void
backward(Layer *layer, Pass *pass, int task, int thread)
{
	const Taste *taste = (const Taste *) layer;
	const Batch *batch = pass->batch;
	const Shape *shape = taste->shape;
	RowTensor  *rows = &pass->rows[taste->rows[task]];

	for (int b = 0; b < batch->n_rows; b++)
	{
		const real *q = item_of(taste, batch, b);
		real		d_logit = pass->d_logit[b];
		const uint32_t *members;
		uint32_t	n = batch_history(batch, b, &members);

		if (watch_worked(pass_watch(pass, thread), row_work(taste, batch)))
			return;
		if (task == TASTE_USERS)
			add_scaled(rows_touch(rows, id_of(batch, b, shape->user_field)), d_logit, q, taste->dim);
		else if (task == TASTE_ITEMS)
			add_scaled(rows_touch(rows, id_of(batch, b, shape->item_field)), d_logit,
					   taste->u + b * taste->dim, taste->dim);
		else
			for (uint32_t i = 0; i < n; i++)
				add_scaled(rows_touch(rows, members[i]), taste->scale[b] * d_logit, q, taste->dim);
	}
}

/* Have two rows the same user with the same history?  Candidates of one user mostly have. */
static bool
same_taste(const Taste *taste, const Batch *batch, int a, int b)
{
	const uint32_t *members[2];
	uint32_t	n = batch_history(batch, a, &members[0]);
	int			user = taste->shape->user_field;

	return id_of(batch, a, user) == id_of(batch, b, user) &&
		batch_history(batch, b, &members[1]) == n &&
		(n == 0 || memcmp(members[0], members[1], n * sizeof(uint32_t)) == 0);
}

static void
score_ids(Layer *layer, const ScoreRun *run)
{
	const Taste *taste = (const Taste *) layer;
	const Batch *batch = run->buffers->batch;
	real		u[MAX_EMBED_DIM];

	for (int b = run->from; b < run->from + run->n_rows; b++)
	{
		if (watch_worked(run->scratch->watch, row_work(taste, batch)))
			return;
		if (b == run->from || !same_taste(taste, batch, b - 1, b))
			(void) user_taste(taste, batch, b, u);
		run->buffers->logit[b] += dot(u, item_of(taste, batch, b), taste->dim);
	}
}

static const LayerKind kind = {
	.name = "taste",
	.size = sizeof(Taste),
	.bind = bind,
	.begin_training = begin_training,
	.n_tasks = n_tasks,
	.forward = forward,
	.backward = backward,
	.score_ids = score_ids
};

/* Of the item's vectors alone the start is not 0: so the term is, and can leave it. */
static void
plan_table(NetworkPlan *plan, Taste *taste, TasteTable table, const char *name)
{
	const Shape *shape = plan->shape;
	int			field = table == TASTE_USERS ? shape->user_field : shape->item_field;
	uint32_t	ids = shape->field_table[field];
	double		l2 = plan->config->history_l2;
	Tensor		tensor = {
		.kind = TENSOR_ROWS,.start = table == TASTE_ITEMS ? START_SMALL : START_ZERO,
		.rows_of = ROWS_OF_IDS,.field = field,.table = (int) ids,
		.l2_by_use = true,.l2_of_use = table == TASTE_MEMBERS ? MEMBER_L2 * l2 : l2,
		.of_history = table == TASTE_MEMBERS,
		.n_dims = 2,.dims = {shape->table_rows[ids], plan->config->embed_dim}
	};

	taste->refs[table] = tensors_add(&plan->tensors, &tensor, "taste.%s", name);
}

void
plan_taste(NetworkPlan *plan)
{
	Taste	   *taste;

	if (plan->config->history_length == 0 || !shape_has_history(plan->shape))
		return;
	taste = (Taste *) plan_layer(plan, &kind, NO_SLOT, NO_SLOT);
	if (!taste)
		return;
	/* no two add to the logit at once */
	for (int i = 0; i < taste->layer.number; i++)
		if (plan->layers[i]->out == NO_SLOT)
			plan_after(plan, &taste->layer, plan->layers[i]);
	taste->dim = plan->config->embed_dim;
	plan_table(plan, taste, TASTE_USERS, "users");
	plan_table(plan, taste, TASTE_ITEMS, "items");
	plan_table(plan, taste, TASTE_MEMBERS, "members");
}

bool
plan_has_taste(const NetworkPlan *plan)
{
	return layer_of_kind(plan->layers, plan->n_layers, &kind) != NULL;
}
