/*
 * test_rows.c
 *	  Row tensors whose rows are domains': a layer of the test's own adds to the
 *	  logit the product of x0 and a vector of the row's domain.  Gradients, steps,
 *	  the vector of domains never seen, and scores are checked.
 */
#include <math.h>
#include <string.h>

#include "engine/data/counts.h"
#include "engine/layers/embedding.h"
#include "engine/layers/heads.h"
#include "engine/layers/prepared.h"
#include "engine/layers/wide.h"
#include "engine/networks/build.h"
#include "engine/score/score.h"
#include "engine/train/optimizer.h"
#include "toy.h"
#include "unit.h"

#define ROWS 300
#define BATCH 40
#define STEPS 6
#define RATE 0.01
#define L2 50
#define STEP 1e-6

/* --- the layer: logit[b] += v_d . x0_b, for the row's domain d --- */

typedef struct DomainVectors
{
	Layer		layer;
	TensorRef	ref;
	int			place;			/* among the model's row tensors */
	size_t		width;			/* W */
	const real *values;			/* (domain ids, W) */
} DomainVectors;

static void
bind(Layer *layer, const Model *model, Layer **layers, Arena *arena)
{
	DomainVectors *vectors = (DomainVectors *) layer;

	(void) layers;
	(void) arena;
	vectors->place = (int) (model_tensor(model, vectors->ref) - model->rows);
	vectors->values = model_param(model, vectors->ref);
}

static void
forward(Layer *layer, Pass *pass, int task, int thread)
{
	const DomainVectors *vectors = (const DomainVectors *) layer;
	const real *x0 = pass_in(pass, layer, 0)->group[0].value.data;

	(void) task;
	(void) thread;
	for (int s = 0; s < pass->batch->n_segments; s++)
	{
		const Segment *segment = &pass->batch->segments[s];
		const real *v = vectors->values + segment_domain_id(segment) * vectors->width;

		for (int b = segment->start; b < segment->start + segment->n_rows; b++)
			pass->logit[b] += dot(v, x0 + b * vectors->width, vectors->width);
	}
}

static void
backward(Layer *layer, Pass *pass, int task, int thread)
{
	const DomainVectors *vectors = (const DomainVectors *) layer;
	const SlotGroup *x0 = &pass_in(pass, layer, 0)->group[0];
	size_t		width = vectors->width;

	(void) task;
	(void) thread;
	for (int s = 0; s < pass->batch->n_segments; s++)
	{
		const Segment *segment = &pass->batch->segments[s];
		uint32_t	id = segment_domain_id(segment);

		for (int b = segment->start; b < segment->start + segment->n_rows; b++)
		{
			add_scaled(rows_touch(&pass->rows[vectors->place], id), pass->d_logit[b],
					   x0->value.data + b * width, width);
			add_scaled(x0->d.data + b * width, pass->d_logit[b], vectors->values + id * width,
					   width);
		}
	}
}

static void
claim(Layer *layer, Prepared *prepared)
{
	(void) layer;
	prepared->wants_x0 = true;
}

static void
score(Layer *layer, const ScoreRun *run)
{
	const DomainVectors *vectors = (const DomainVectors *) layer;
	size_t		id = run->domain < 0 ? UNSEEN_ID : FIRST_ID + (size_t) run->domain;
	const real *x0 = run->buffers->slot[layer->in[0]];

	for (int b = run->from; b < run->from + run->n_rows; b++)
		run->buffers->logit[b] += dot(vectors->values + id * vectors->width,
									  x0 + b * vectors->width, vectors->width);
}

static const LayerKind kind = {
	.name = "domain vectors",
	.size = sizeof(DomainVectors),
	.serial = true,
	.bind = bind,
	.forward = forward,
	.backward = backward,
	.claim = claim,
	.score = score
};

static void
plan_domain_vectors(NetworkPlan *plan, int x0)
{
	DomainVectors *vectors = (DomainVectors *) plan_layer(plan, &kind, x0, NO_SLOT);
	const Shape *shape = plan->shape;
	Tensor		tensor = {.kind = TENSOR_ROWS,.start = START_SMALL,.rows_of = ROWS_OF_DOMAINS,
		.field = -1,.table = -1,.n_dims = 3,
		.dims = {shape_rows(shape, shape->domain_field), shape->n_fields,
		plan->config->embed_dim}};

	if (!vectors)
		return;
	vectors->width = plan_width(plan);
	vectors->ref = tensors_add(&plan->tensors, &tensor, "domain.weight");
}

static void
build(NetworkPlan *plan, const Config *config)
{
	int			x0 = plan_embedding(plan);

	(void) config;
	plan_wide(plan, false);
	plan_domain_vectors(plan, x0);
	plan_cut(plan);
	plan_heads(plan, NO_SLOT, NO_SLOT);
}

/* Two of them at once would write to the same logits. */
static void
build_shared(NetworkPlan *plan, const Config *config)
{
	int			x0 = plan_embedding(plan);

	(void) config;
	plan_domain_vectors(plan, x0);
	plan_domain_vectors(plan, x0);
	plan_cut(plan);
	plan_heads(plan, NO_SLOT, NO_SLOT);
}

/* --- a network of it, and a batch --- */

typedef struct RowsCase
{
	Arena		arena;
	Config		config;
	Dataset    *data;
	uint32_t  **counts;
	Model	   *model;
	const Tensor *tensor;		/* of the domains' vectors */
	size_t		width;
	real	   *values;
	Network		network;
	RowTensor  *rows;
	Batch		batch;
} RowsCase;

/* All vectors away from 0, so that all gradients flow. */
static void
fill_vectors(Model *model)
{
	Random		random;

	random_start(&random, 5, RANDOM_WEIGHTS, 0);
	for (int t = 0; t < model->n_rows; t++)
		for (size_t i = 0; i < model->rows[t].size; i++)
			model->params[model->rows[t].offset + i] = 0.5 * random_normal(&random);
}

/* The batch: rows of all domains but the last one. */
static void
fill_batch(RowsCase *c)
{
	uint32_t	rows[BATCH];
	int			n = 0;

	for (uint32_t row = 0; n < BATCH; row++)
		if (c->data->ids[(size_t) row * TOY_FIELDS] != FIRST_ID + TOY_DOMAINS - 1)
			rows[n++] = row;
	batch_fill(&c->batch, &c->model->shape, c->data->ids, c->data->labels, c->data->list_start,
			   c->data->list_members, rows, NULL, n);
}

static void
begin(RowsCase *c)
{
	static const DomainPairs no_pairs[TOY_FIELDS];
	EngineHost	host = toy_host();
	EngineError error = {0};

	memset(c, 0, sizeof(*c));
	arena_init_malloc(&c->arena);
	c->data = toy_dataset(&c->arena, ROWS);
	toy_config(&c->config, 0);
	c->config.l2_embedding = L2;
	CHECK(counts_init(&c->counts, &c->arena, c->data, &host, &error));
	c->model = model_create_by(build, &c->arena, &c->config, &c->data->shape, no_pairs, &error);
	CHECK(c->model != NULL && model_init_weights(c->model, NULL, &error));
	fill_vectors(c->model);
	c->tensor = model_find(c->model, "domain.weight");
	CHECK(c->tensor != NULL && c->tensor->kind == TENSOR_ROWS);
	c->width = c->tensor->size / c->tensor->dims[0];
	c->values = model_values(c->model, c->tensor);
	CHECK(c->width == TOY_FIELDS * (size_t) c->config.embed_dim);
	CHECK(network_init(&c->network, c->model, BATCH, NULL, NULL, &c->arena, &error));
	CHECK(batch_init(&c->batch, &c->arena, BATCH, TOY_FIELDS, &error));
	c->rows = &c->network.pass.rows[c->tensor - c->model->rows];
	fill_batch(c);
}

static double
loss_of(RowsCase *c)
{
	PassMode	mode = {.dropout = false};

	network_base_forward(&c->network, &c->batch, &mode);
	network_upper_forward(&c->network, &c->batch, &c->network.base, &mode);
	return heads_loss(c->network.heads, &c->batch) / c->batch.n_rows;
}

static void
pass_back(RowsCase *c)
{
	EngineError error = {0};
	double		loss;

	loss_of(c);
	CHECK(network_backward(&c->network, &c->batch, &loss, &error));
}

/* Rows of the batch that have an id as their domain's. */
static uint32_t
rows_of_domain(const Batch *batch, uint32_t id)
{
	uint32_t	n = 0;

	for (int b = 0; b < batch->n_rows; b++)
		n += batch->ids[(size_t) b * TOY_FIELDS] == id;
	return n;
}

/* The slot of a row in the present batch; -1: it has none. */
static int
slot_of(const RowTensor *rows, uint32_t row)
{
	for (uint32_t slot = 0; slot < rows->n_slots; slot++)
		if (rows->rows[slot] == row)
			return (int) slot;
	return -1;
}

/* Central differences of every row of a tensor; rows without a slot have no gradient. */
static double
worst_error(RowsCase *c, const RowTensor *rows)
{
	double		worst = 0;

	for (uint32_t row = 0; row < rows->n_rows; row++)
		for (int e = 0; e < rows->dim; e++)
		{
			int			slot = slot_of(rows, row);
			real	   *value = &rows->values[(size_t) row * rows->dim + e];
			real		saved = *value;
			double		gradient = slot < 0 ? 0 : rows->grads[(size_t) slot * rows->dim + e];
			double		up;

			*value = saved + STEP;
			up = loss_of(c);
			*value = saved - STEP;
			worst = fmax(worst, fabs((up - loss_of(c)) / (2 * STEP) - gradient));
			*value = saved;
		}
	return worst;
}

static void
check_gradients(void)
{
	RowsCase	c;

	begin(&c);
	pass_back(&c);
	for (uint32_t id = 0; id < c.rows->n_rows; id++)
	{
		uint32_t	n = rows_of_domain(&c.batch, id);
		int			slot = slot_of(c.rows, id);

		CHECK((n > 0) == (slot >= 0));
		CHECK(slot < 0 || c.rows->occurrences[slot] == n);
	}
	CHECK(c.rows->n_slots == TOY_DOMAINS - 1);
	/* in single precision the differences drown in rounding */
	for (int t = 0; t < c.model->n_rows && sizeof(real) == sizeof(double); t++)
		CHECK(worst_error(&c, &c.network.pass.rows[t]) < 1e-7);
	arena_free_all(&c.arena);
}

/* --- Adam in plain loops, over one domain's vector --- */

typedef struct PlainAdam
{
	double		value[TOY_FIELDS * MAX_EMBED_DIM];
	double		first[TOY_FIELDS * MAX_EMBED_DIM];
	double		second[TOY_FIELDS * MAX_EMBED_DIM];
} PlainAdam;

/* Step t; L2 is that of the domain's rows in the batch, of those in training. */
static void
plain_step(PlainAdam *adam, const RowsCase *c, uint32_t id, int t)
{
	uint32_t	n = rows_of_domain(&c->batch, id);
	int			slot = slot_of(c->rows, id);
	double		decay = n > 0 ? L2 * (double) n / ((double) c->counts[0][id] * BATCH) : 0;

	for (size_t e = 0; e < c->width && slot >= 0; e++)
	{
		double		gradient = c->rows->grads[slot * c->width + e] + decay * adam->value[e];

		adam->first[e] = 0.9 * adam->first[e] + 0.1 * gradient;
		adam->second[e] = 0.99 * adam->second[e] + 0.01 * gradient * gradient;
		adam->value[e] -= RATE * adam->first[e] / (1 - pow(0.9, t)) /
			(sqrt(adam->second[e] / (1 - pow(0.99, t))) + 1e-8);
	}
}

static void
check_steps(void)
{
	static PlainAdam plain[FIRST_ID + TOY_DOMAINS];
	RowsCase	c;
	Optimizer	optimizer;
	EngineError error = {0};
	double		first_loss;

	begin(&c);
	memset(plain, 0, sizeof(plain));
	CHECK(c.rows->n_rows == FIRST_ID + TOY_DOMAINS);
	for (uint32_t id = 0; id < c.rows->n_rows; id++)
		for (size_t e = 0; e < c.width; e++)
			plain[id].value[e] = c.values[id * c.width + e];
	CHECK(optimizer_init(&optimizer, &c.arena, c.model, c.network.n_dense, false, &error));
	first_loss = loss_of(&c);
	for (int t = 1; t <= STEPS; t++)
	{
		pass_back(&c);
		for (uint32_t id = 0; id < c.rows->n_rows; id++)
			plain_step(&plain[id], &c, id, t);
		optimizer_step(&optimizer, &c.network, c.counts, BATCH, RATE);
	}
	CHECK(loss_of(&c) < first_loss);
	for (uint32_t id = 0; id < c.rows->n_rows; id++)
	{
		double		worst = 0;

		for (size_t e = 0; e < c.width; e++)
			worst = fmax(worst, fabs(c.values[id * c.width + e] - plain[id].value[e]));
		/* domains without rows in the batch stay as they are */
		CHECK(rows_of_domain(&c.batch, id) > 0 ? worst < 1e-5 : worst == 0);
	}
	arena_free_all(&c.arena);
}

/* --- what domains never seen have, and scores --- */

static void
check_unseen(void)
{
	RowsCase	c;
	double		total = 0;

	begin(&c);
	model_fill_unseen(c.model, (const uint32_t *const *) c.counts);
	for (uint32_t id = FIRST_ID; id < c.rows->n_rows; id++)
		total += c.counts[0][id];
	CHECK(total == (double) c.data->split_start[1]);
	for (size_t e = 0; e < c.width; e++)
	{
		double		sum = 0;

		for (uint32_t id = FIRST_ID; id < c.rows->n_rows; id++)
			sum += c.counts[0][id] * (double) c.values[id * c.width + e];
		CHECK(fabs(c.values[UNSEEN_ID * c.width + e] - sum / total) < 1e-6);
	}
	arena_free_all(&c.arena);
}

/* Bias and product, in plain loops. */
static double
plain_score(const RowsCase *c, size_t row)
{
	const uint32_t *ids = c->data->ids + row * TOY_FIELDS;
	int			dim = c->config.embed_dim;
	double		logit = *model_named(c->model, "bias");

	for (int f = 0; f < TOY_FIELDS; f++)
	{
		const real *table = model_values(c->model, &c->model->rows[c->data->shape.field_table[f]]);
		bool		is_list = c->data->shape.field_is_list[f];
		const uint32_t *members = is_list ? c->data->list_members + c->data->list_start[ids[f]] : &ids[f];
		size_t		n = is_list ? c->data->list_start[ids[f] + 1] - c->data->list_start[ids[f]] : 1;

		for (size_t i = 0; i < n; i++)
			for (int e = 0; e < dim; e++)
				logit += (double) c->values[ids[0] * c->width + f * dim + e] *
					table[(size_t) members[i] * dim + e] / n;
	}
	return 1 / (1 + exp(-logit));
}

/* The last row's domain was never seen. */
static void
check_scores(void)
{
	static double scores[ROWS];
	RowsCase	c;
	EngineError error = {0};
	Scorer	   *scorer;
	ScoreRows	all;
	double		worst = 0;

	begin(&c);
	all = (ScoreRows) {.n_rows = ROWS,.ids = c.data->ids,.list_start = c.data->list_start,
		.list_members = c.data->list_members};
	model_fill_unseen(c.model, (const uint32_t *const *) c.counts);
	scorer = scorer_create(&c.arena, c.model, READY_BYTES, NULL, NULL, &error);
	CHECK(scorer != NULL && scorer_score(scorer, &all, scores, &error));
	CHECK(c.data->ids[(ROWS - 1) * TOY_FIELDS] == UNSEEN_ID);
	for (size_t row = 0; row < ROWS; row++)
	{
		ScoreRows	one = all;
		double		single = -1;

		one.n_rows = 1;
		one.ids += row * TOY_FIELDS;
		CHECK(scorer_score(scorer, &one, &single, &error));
		worst = fmax(worst, fabs(single - scores[row]));
		worst = fmax(worst, fabs(single - plain_score(&c, row)));
	}
	CHECK(worst < 1e-5);
	arena_free_all(&c.arena);
}

static void
check_refused(void)
{
	Arena		arena;
	EngineError error = {0};
	Config		config;
	Dataset    *data;
	static const DomainPairs no_pairs[TOY_FIELDS];

	arena_init_malloc(&arena);
	data = toy_dataset(&arena, ROWS);
	toy_config(&config, 0);
	CHECK(!model_create_by(build_shared, &arena, &config, &data->shape, no_pairs, &error));
	CHECK(strstr(error.message, "add to the logit") != NULL);
	arena_free_all(&arena);
}

int
main(void)
{
	check_gradients();
	check_steps();
	check_unseen();
	check_scores();
	check_refused();
	return unit_summary();
}
