/*
 * taste.c
 *	  The taste term, forward, backward and in scoring.
 *
 *	  logit[b] += u_b . q_b
 *	  u_b = p_u + sum over lists of (1 / sqrt(n)) sum over their members j of a_bj m_j
 *	  m_j = y_j + sum over sides s of y_s(j)
 *	  q_b = q_i + sum over sides s of q_s(b)
 *
 * with p (users, E), q (items, E), y (items, E), each a table of its own: factors of users
 * and items, and of items as signs of taste (SVD++, Koren 2008).  By sqrt(n), not n: many
 * members say more than few.  A second list, of what the user disliked, has its own y.  Sides
 * are columns of items: tables of their values (rows of the column's table, E).  A member's
 * value is the one that the model keeps of it, the row's item has the row's.  Attention gives
 * members weights (attention.h); without it a is 1.
 *
 * The history is no input of x0: a network over its mean learnt training rows by heart.
 *
 * Threads: forward by rows; backward each table is a task, but with attention there is one,
 * for what all of them get comes from the same weights.
 */
#include "engine/layers/taste.h"

#include <math.h>
#include <string.h>

#include "engine/layers/attention.h"
#include "engine/layers/prepared.h"

/* L2 of a use as a member, of that of a use as the row's own. */
#define MEMBER_L2 0.2

/* What a table's vectors are summed to; the lists' members follow. */
typedef enum TastePart
{
	TASTE_USERS,
	TASTE_ITEMS,
	TASTE_MEMBERS,
	TASTE_PARTS = TASTE_MEMBERS + N_HISTORY_LISTS
} TastePart;

#define MAX_TABLES (TASTE_PARTS * (1 + MAX_SIDES))
#define NO_SIDE (-1)

typedef struct TasteTable
{
	TensorRef	ref;
	TastePart	part;
	int			side;			/* of the shape's; NO_SIDE: rows are those of users or items themselves */
	int			rows;			/* among the model's row tensors */
	const real *values;
} TasteTable;

typedef struct Taste
{
	Layer		layer;
	int			n_tables;
	TasteTable	tables[MAX_TABLES]; /* part by part */
	int			first[TASTE_PARTS + 1]; /* where a part's begin */
	bool		attends;
	AttentionTensors attention_tensors[N_HISTORY_LISTS];
	Attention	attention[N_HISTORY_LISTS];
	const Shape *shape;
	const EntityTable *sides;	/* of members; NULL: none */
	size_t		dim;			/* E */
	/* training only */
	real	   *u;				/* (B, E) */
	real	   *q;				/* (B, E) */
} Taste;

/* Room for what goes beyond one row of a table. */
typedef struct TasteScratch
{
	real		vector[MAX_EMBED_DIM];
	AttentionFold fold;
} TasteScratch;

static const real *
vector_of(const Taste *taste, const TasteTable *table, uint32_t id)
{
	return table->values + id * taste->dim;
}

/* The row of a table that a member of a history has. */
static inline uint32_t
member_id(const Taste *taste, const TasteTable *table, uint32_t item)
{
	if (table->side == NO_SIDE)
		return item;
	return taste->sides->values[(size_t) (item - FIRST_ID) * taste->sides->n_fields + table->side];
}

/* The row of a table that a row has by its own user or item. */
static inline uint32_t
own_id(const Taste *taste, const TasteTable *table, const Batch *batch, int b)
{
	int			field = table->part == TASTE_USERS ? taste->shape->user_field :
		table->side == NO_SIDE ? taste->shape->item_field : (int) taste->shape->sides[table->side];

	return batch->ids[(size_t) b * batch->n_fields + field];
}

/* m (E): where it lies, or in "room". */
static const real *
member_vector(const Taste *taste, HistoryList list, uint32_t item, real *room)
{
	const TasteTable *table = &taste->tables[taste->first[TASTE_MEMBERS + list]];
	const TasteTable *end = &taste->tables[taste->first[TASTE_MEMBERS + list + 1]];
	const real *m = vector_of(taste, table, item);

	if (table + 1 == end)
		return m;
	memcpy(room, m, taste->dim * sizeof(real));
	while (++table < end)
		add_scaled(room, 1, vector_of(taste, table, member_id(taste, table, item)), taste->dim);
	return room;
}

/* q (E) of a row: where it lies, or in "room". */
static const real *
item_vector(const Taste *taste, const Batch *batch, int b, real *room)
{
	const TasteTable *table = &taste->tables[taste->first[TASTE_ITEMS]];
	const TasteTable *end = &taste->tables[taste->first[TASTE_ITEMS + 1]];
	const real *q = vector_of(taste, table, own_id(taste, table, batch, b));

	if (table + 1 == end)
		return q;
	memcpy(room, q, taste->dim * sizeof(real));
	while (++table < end)
		add_scaled(room, 1, vector_of(taste, table, own_id(taste, table, batch, b)), taste->dim);
	return room;
}

static inline real
scale_of(uint32_t n)
{
	return n > 0 ? (real) (1 / sqrt((double) n)) : 0;
}

/* What a list's members add to u (E) of a row with that q. */
static void
add_members(const Taste *taste, const Batch *batch, int b, HistoryList list, const real *q,
			TasteScratch *scratch, real *u)
{
	const uint32_t *members;
	uint32_t	n = batch_history(batch, list, b, &members);
	real		scale = scale_of(n);

	if (taste->attends && n > 0)
		attention_fold(&taste->attention[list], q, &scratch->fold);
	for (uint32_t i = 0; i < n; i++)
	{
		const real *m = member_vector(taste, list, members[i], scratch->vector);
		real		a = taste->attends ?
			attention_weight(&taste->attention[list], &scratch->fold, m) : 1;

		add_scaled(u, scale * a, m, taste->dim);
	}
}

/* u (E) of a row; q: its item's vector, which attention looks at. */
static void
user_taste(const Taste *taste, const Batch *batch, int b, const real *q, TasteScratch *scratch,
		   real *u)
{
	const TasteTable *users = &taste->tables[taste->first[TASTE_USERS]];

	memcpy(u, vector_of(taste, users, own_id(taste, users, batch, b)), taste->dim * sizeof(real));
	for (int list = 0; list < N_HISTORY_LISTS; list++)
		add_members(taste, batch, b, list, q, scratch, u);
}

static void
bind(Layer *layer, const Model *model, Layer **layers, Arena *arena)
{
	Taste	   *taste = (Taste *) layer;

	(void) layers;
	(void) arena;
	taste->shape = &model->shape;
	taste->sides = model->sides;
	for (int i = 0; i < taste->n_tables; i++)
	{
		TasteTable *table = &taste->tables[i];

		table->rows = (int) (model_tensor(model, table->ref) - model->rows);
		table->values = model_param(model, table->ref);
	}
	for (int list = 0; list < N_HISTORY_LISTS && taste->attends; list++)
		if (taste->first[TASTE_MEMBERS + list] < taste->first[TASTE_MEMBERS + list + 1])
			attention_bind(&taste->attention[list], &taste->attention_tensors[list], model);
}

static void
begin_training(Layer *layer, Pass *pass)
{
	Taste	   *taste = (Taste *) layer;

	taste->u = ARENA_ARRAY(pass->arena, real, pass->capacity * taste->dim);
	taste->q = ARENA_ARRAY(pass->arena, real, pass->capacity * taste->dim);
}

static int
n_tasks(const Layer *layer, const Pass *pass, bool backward)
{
	const Taste *taste = (const Taste *) layer;

	(void) pass;
	return !backward ? ROW_PARTS : taste->attends ? 1 : taste->n_tables;
}

/* What a row costs, in multiply-adds. */
static inline size_t
row_work(const Taste *taste, const Batch *batch)
{
	size_t		members = 0;

	for (int list = 0; list < N_HISTORY_LISTS; list++)
		members += batch->history[list].length;
	return (members * (1 + taste->shape->n_sides) + 1 +
			(taste->attends ? (members + 3) * ATTENTION_UNITS : 0)) * taste->dim;
}

static void
forward(Layer *layer, Pass *pass, int task, int thread)
{
	const Taste *taste = (const Taste *) layer;
	const Batch *batch = pass->batch;
	int			to = part_start(batch->n_rows, ROW_PARTS, task + 1);
	TasteScratch scratch;

	for (int b = part_start(batch->n_rows, ROW_PARTS, task); b < to; b++)
	{
		real	   *u = taste->u + b * taste->dim;
		real	   *room = taste->q + b * taste->dim;
		const real *q = item_vector(taste, batch, b, room);

		if (watch_worked(pass_watch(pass, thread), row_work(taste, batch)))
			return;
		/* for the pass backward */
		if (q != room)
			memcpy(room, q, taste->dim * sizeof(real));
		user_taste(taste, batch, b, q, &scratch, u);
		pass->logit[b] += dot(u, q, taste->dim);
	}
}

/*
 * One table's gradients of a row, without attention:
 * d p += d_logit * q
 * d q += d_logit * u, of the item and of each side
 * d y += d_logit / sqrt(n) * q, for each member, of the item and of each side
 */
static void
backward_table(const Taste *taste, const Pass *pass, const TasteTable *table, int b)
{
	const Batch *batch = pass->batch;
	RowTensor  *rows = &pass->rows[table->rows];
	const real *q = taste->q + b * taste->dim;
	real		d_logit = pass->d_logit[b];
	const uint32_t *members;
	uint32_t	n;

	if (table->part < TASTE_MEMBERS)
	{
		add_scaled(rows_touch(rows, own_id(taste, table, batch, b)), d_logit,
				   table->part == TASTE_USERS ? q : taste->u + b * taste->dim, taste->dim);
		return;
	}
	n = batch_history(batch, table->part - TASTE_MEMBERS, b, &members);
	for (uint32_t i = 0; i < n; i++)
		add_scaled(rows_touch(rows, member_id(taste, table, members[i])), scale_of(n) * d_logit, q,
				   taste->dim);
}

/* A part's tables get a gradient (E) of one member, or of the row's own ids. */
static void
touch_part(const Taste *taste, const Pass *pass, TastePart part, int b, const uint32_t *member,
		   const real *d)
{
	for (int t = taste->first[part]; t < taste->first[part + 1]; t++)
	{
		const TasteTable *table = &taste->tables[t];
		uint32_t	id = member ? member_id(taste, table, *member) :
			own_id(taste, table, pass->batch, b);

		add_scaled(rows_touch(&pass->rows[table->rows], id), 1, d, taste->dim);
	}
}

/*
 * A list's gradients of a row, with attention; what its weights have of q goes to d_q:
 * d a_j = d_logit / sqrt(n) * m_j . q
 * d m_j = d_logit / sqrt(n) * a_j q, and what comes through a_j
 */
static void
backward_attended(const Taste *taste, Pass *pass, HistoryList list, int b, real *d_q)
{
	const Attention *attention = &taste->attention[list];
	const real *q = taste->q + b * taste->dim;
	const uint32_t *members;
	uint32_t	n = batch_history(pass->batch, list, b, &members);
	real		d_term = scale_of(n) * pass->d_logit[b];
	TasteScratch scratch;
	AttentionFold d_fold;

	if (n == 0)
		return;
	attention_fold(attention, q, &scratch.fold);
	memset(d_fold.weight, 0, ATTENTION_UNITS * taste->dim * sizeof(real));
	memset(d_fold.bias, 0, sizeof(d_fold.bias));
	for (uint32_t i = 0; i < n; i++)
	{
		const real *m = member_vector(taste, list, members[i], scratch.vector);
		real		a = attention_weight(attention, &scratch.fold, m);
		real		d_m[MAX_EMBED_DIM];

		for (size_t e = 0; e < taste->dim; e++)
			d_m[e] = d_term * a * q[e];
		attention_backward(attention, &scratch.fold, m, d_term * dot(m, q, taste->dim), d_m,
						   &d_fold, pass);
		touch_part(taste, pass, TASTE_MEMBERS + list, b, &members[i], d_m);
	}
	attention_fold_backward(attention, q, &d_fold, d_q, pass);
}

/* All of a row's gradients, with attention. */
static void
backward_row(const Taste *taste, Pass *pass, int b)
{
	const real *q = taste->q + b * taste->dim;
	const real *u = taste->u + b * taste->dim;
	real		d_u[MAX_EMBED_DIM];
	real		d_q[MAX_EMBED_DIM];

	for (size_t e = 0; e < taste->dim; e++)
	{
		d_u[e] = pass->d_logit[b] * q[e];
		d_q[e] = pass->d_logit[b] * u[e];
	}
	for (int list = 0; list < N_HISTORY_LISTS; list++)
		backward_attended(taste, pass, list, b, d_q);
	touch_part(taste, pass, TASTE_USERS, b, NULL, d_u);
	touch_part(taste, pass, TASTE_ITEMS, b, NULL, d_q);
}

static void
backward(Layer *layer, Pass *pass, int task, int thread)
{
	const Taste *taste = (const Taste *) layer;

	for (int b = 0; b < pass->batch->n_rows; b++)
	{
		if (watch_worked(pass_watch(pass, thread), row_work(taste, pass->batch)))
			return;
		if (taste->attends)
			backward_row(taste, pass, b);
		else
			backward_table(taste, pass, &taste->tables[task], b);
	}
}

/* Have two rows the same user with the same histories?  Candidates of one user mostly have. */
static bool
same_taste(const Taste *taste, const Batch *batch, int a, int b)
{
	const TasteTable *users = &taste->tables[taste->first[TASTE_USERS]];
	bool		same = own_id(taste, users, batch, a) == own_id(taste, users, batch, b);

	for (int list = 0; list < N_HISTORY_LISTS && same; list++)
	{
		const uint32_t *members[2];
		uint32_t	n = batch_history(batch, list, a, &members[0]);

		same = batch_history(batch, list, b, &members[1]) == n &&
			(n == 0 || memcmp(members[0], members[1], n * sizeof(uint32_t)) == 0);
	}
	return same;
}

static void
score_ids(Layer *layer, const ScoreRun *run)
{
	const Taste *taste = (const Taste *) layer;
	const Batch *batch = run->buffers->batch;
	real		u[MAX_EMBED_DIM];
	real		room[MAX_EMBED_DIM];
	TasteScratch scratch;

	for (int b = run->from; b < run->from + run->n_rows; b++)
	{
		const real *q = item_vector(taste, batch, b, room);

		if (watch_worked(run->scratch->watch, row_work(taste, batch)))
			return;
		if (taste->attends || b == run->from || !same_taste(taste, batch, b - 1, b))
			user_taste(taste, batch, b, q, &scratch, u);
		run->buffers->logit[b] += dot(u, q, taste->dim);
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
plan_table(NetworkPlan *plan, Taste *taste, TastePart part, int side)
{
	static const char *const names[TASTE_PARTS] = {
		[TASTE_USERS] = "users",[TASTE_ITEMS] = "items",
		[TASTE_MEMBERS + HISTORY_TAKEN] = "members",[TASTE_MEMBERS + HISTORY_DISLIKED] = "dislikes"
	};
	const Shape *shape = plan->shape;
	int			field = part == TASTE_USERS ? shape->user_field :
		side == NO_SIDE ? shape->item_field : (int) shape->sides[side];
	uint32_t	ids = shape->field_table[field];
	bool		is_member = part >= TASTE_MEMBERS;
	double		l2 = plan->config->history_l2;
	Tensor		tensor = {
		.kind = TENSOR_ROWS,.start = part == TASTE_ITEMS ? START_SMALL : START_ZERO,
		.rows_of = ROWS_OF_IDS,.field = field,.table = (int) ids,
		.l2_by_use = true,.l2_of_use = is_member ? MEMBER_L2 * l2 : l2,
		.of_history = is_member ? 1 + (int) (part - TASTE_MEMBERS) : 0,
		.n_dims = 2,.dims = {shape->table_rows[ids], plan->config->embed_dim}
	};
	TasteTable *table = &taste->tables[taste->n_tables++];

	*table = (TasteTable) {.part = part,.side = side};
	if (side == NO_SIDE)
		table->ref = tensors_add(&plan->tensors, &tensor, "taste.%s", names[part]);
	else
		table->ref = tensors_add(&plan->tensors, &tensor, "taste.%s.%d", names[part], field);
}

/* The tables of a part: of users or items themselves, and, but of users, of each side. */
static void
plan_part(NetworkPlan *plan, Taste *taste, TastePart part, bool there)
{
	taste->first[part] = taste->n_tables;
	if (there)
		plan_table(plan, taste, part, NO_SIDE);
	for (int side = 0; side < plan->shape->n_sides && there && part != TASTE_USERS; side++)
		plan_table(plan, taste, part, side);
	taste->first[part + 1] = taste->n_tables;
}

void
plan_taste(NetworkPlan *plan)
{
	const Config *config = plan->config;
	Taste	   *taste;

	if (config->history_length <= 0 || !shape_has_history(plan->shape))
		return;
	taste = (Taste *) plan_layer(plan, &kind, NO_SLOT, NO_SLOT);
	if (!taste)
		return;
	/* no two add to the logit at once */
	for (int i = 0; i < taste->layer.number; i++)
		if (plan->layers[i]->out == NO_SLOT)
			plan_after(plan, &taste->layer, plan->layers[i]);
	taste->dim = config->embed_dim;
	taste->attends = config->history_attention;
	plan_part(plan, taste, TASTE_USERS, true);
	plan_part(plan, taste, TASTE_ITEMS, true);
	plan_part(plan, taste, TASTE_MEMBERS + HISTORY_TAKEN, true);
	plan_part(plan, taste, TASTE_MEMBERS + HISTORY_DISLIKED, config->history_dislikes);
	if (taste->attends)
		attention_plan(&taste->attention_tensors[HISTORY_TAKEN], plan, "taste.attention");
	if (taste->attends && config->history_dislikes)
		attention_plan(&taste->attention_tensors[HISTORY_DISLIKED], plan, "taste.dislike_attention");
}

bool
plan_has_taste(const NetworkPlan *plan)
{
	return layer_of_kind(plan->layers, plan->n_layers, &kind) != NULL;
}
