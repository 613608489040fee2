/*
 * test_gradients.c
 *	  Analytic gradients against central differences: every layer on its own,
 *	  then the whole network under each architecture, with masks and without.
 *
 * Built in double precision only: in single precision the differences drown
 * in rounding.  The relative error must stay below 1e-6.
 */
#include <math.h>
#include <string.h>

#include "engine/layers/cross.h"
#include "engine/layers/gate.h"
#include "engine/layers/mix.h"
#include "engine/layers/pairwise.h"
#include "engine/networks/architectures.h"
#include "engine/networks/build.h"
#include "unit.h"

#include "engine/model/gates.h"
#include "engine/model/mask.h"
#include "engine/networks/config_options.h"
#include "engine/networks/network.h"

#ifndef AREAD_DOUBLE
#error "gradient checks need double precision"
#endif

#define STEP 1e-6
#define TOLERANCE 1e-6

/* A loss as a function of whatever its context points to. */
typedef double (*LossFunction) (void *context);

static void
fill_normal(real *values, size_t n, double std, uint64_t stream)
{
	Random		random;

	random_start(&random, 7, RANDOM_WEIGHTS, stream);
	for (size_t i = 0; i < n; i++)
		values[i] = std * random_normal(&random);
}

/* |analytic - numeric| over the larger of both and a floor, the worst of n. */
static double
worst_error(LossFunction loss, void *context, real *values, const real *grads, size_t n)
{
	double		worst = 0;

	for (size_t i = 0; i < n; i++)
	{
		real		saved = values[i];
		double		up;
		double		down;
		double		numeric;
		double		scale;

		values[i] = saved + STEP;
		up = loss(context);
		values[i] = saved - STEP;
		down = loss(context);
		values[i] = saved;
		numeric = (up - down) / (2 * STEP);
		scale = fmax(fmax(fabs(numeric), fabs(grads[i])), 1e-2);
		worst = fmax(worst, fabs(numeric - grads[i]) / scale);
	}
	return worst;
}

/* --- single layers: loss = sum of out * weights, for fixed random weights --- */

#define ROWS 7
#define N_FIELDS 5

typedef struct LayerCase
{
	Model	   *model;
	Mlp			mlp;
	MlpCache	cache;
	Workers		workers;
	PassMode	mode;
	real		in[ROWS * N_FIELDS];
	real		weights[ROWS * 12];
	int			n_in;
} LayerCase;

static double
weighted_sum(const real *out, const real *weights, size_t n)
{
	double		sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (double) out[i] * weights[i];
	return sum;
}

static double
mlp_loss(void *context)
{
	LayerCase  *layer = context;
	int			last = layer->mlp.n_layers - 1;

	mlp_forward(&layer->mlp, &layer->cache, (Matrix) {layer->in, layer->n_in}, ROWS,
				&layer->mode, &layer->workers.scratch[0]);
	return weighted_sum(layer->cache.out[last], layer->weights,
						(size_t) ROWS * layer->mlp.layer[last].n_out);
}

static void
small_config(Config *config, int architecture)
{
	config_defaults(config);
	config->architecture = architecture;
	config->embed_dim = 2;
	config->mmoe_experts = 2;
	config->mmoe_dims = (IntList) {2, {5, 4}};
	config->mmoe_mixtures = 2;
	config->deep_dims = (IntList) {2, {5, 4}};
	config->hei_experts = (IntList) {3, {2, 3, 4}};
	config->hei_hidden = (IntList) {3, {4, 4, 3}};
	config->hei_output = (IntList) {3, {4, 3, 3}};
	config->cross_layers = 2;
	config->batch_size = 16;
	config->dropout = 0.25;
}

/* Fields: domain, user, item, list of items sharing the item's table, vector of three numbers. */
static const uint32_t table_rows[] = {FIRST_ID + 3, FIRST_ID + 5, FIRST_ID + 6, FIRST_ID + 3};
static const uint32_t field_table[] = {0, 1, 2, 2, 3};
static const bool field_is_list[] = {false, false, false, true, true};
static const bool field_is_dense[] = {false, false, false, false, true};
static const DomainPairs no_pairs[8];
static const Shape shape = {
	.n_tables = 4,.table_rows = table_rows,.n_fields = N_FIELDS,.field_table = field_table,
	.field_is_list = field_is_list,.field_is_dense = field_is_dense,.domain_field = 0,.user_field = 1,.item_field = 2
};

/* Histories have what items are beside themselves; the domain's field will do. */
static Shape
shape_of(const Config *config)
{
	Shape		sided = shape;

	sided.n_sides = config->history_side.n;
	return sided;
}

static const uint32_t side_fields[] = {0};
static const uint32_t side_values[] = {3, 4, NULL_ID, 5, 4, 3};
static const EntityTable sides = {.kind = ENTITY_SIDES,.n = 6,.n_fields = 1,.fields = side_fields,
	.values = side_values};

/* Bits of floats. */
#define ONE 0x3F800000
#define MINUS_HALF 0xBF000000
#define TWO 0x40000000
#define QUARTER 0x3E800000

/* Lists of ids, then no vector, and vectors. */
static const uint64_t list_start[] = {0, 0, 2, 5, 6, 7, 11, 15};
static const uint32_t list_members[] = {
	3, 4, 5, 5, 8, NULL_ID, NULL_ID, UNSEEN_ID, ONE, MINUS_HALF, TWO, UNSEEN_ID, QUARTER, TWO, 0
};
static const uint32_t rows_ids[] = {
	3, 3, 4, 0, 5, 4, 4, 3, 1, 6, 5, 5, 8, 2, 4, 3, 6, 6, 3, 5, 4, 7, 7, 1, 6,
	3, NULL_ID, 3, 2, 4, 4, 3, 5, 0, 5, 5, 4, 4, 1, 6, 3, 5, 8, 2, 6, 4, 6, 3, 3, 4,
	5, 7, 6, 1, 5
};
static const uint8_t row_labels[] = {1, 0, 1, 1, 0, 0, 1, 0, 1, 0, 1};

#define N_ROWS 11

/* Fields whose distinct values are multiplied once; the last ones are lists. */
static const bool some_shared[] = {true, false, true, false, false};
static const bool all_shared[] = {true, true, true, false, false};

static const float row_weights[N_ROWS] = {0.5, 2, 1, 0, 1.5, 1, 3, 0.25, 1, 0.75, 2};

static void
check_mlp(bool batch_norm, bool dropout)
{
	Arena		arena;
	EngineError error = {0};
	Config		config;
	NetworkPlan	plan = {0};
	MlpTensors	tensors;
	LayerCase	layer = {0};
	real	   *grads;
	real		d_in[ROWS * N_FIELDS] = {0};
	size_t		n_out;

	arena_init_malloc(&arena);
	small_config(&config, architecture_find("mmoe"));
	config.batch_norm = batch_norm;
	config.dropout = dropout ? 0.25 : 0;
	config.embed_dim = 1;
	plan.arena = plan.tensors.arena = &arena;
	plan.config = &config;
	layer.n_in = N_FIELDS;
	mlp_plan(&tensors, &plan, "mlp", 2, layer.n_in, &config.mmoe_dims);
	layer.model = model_begin(&arena, &config, &shape, no_pairs, &error);
	CHECK(layer.model && model_place(layer.model, &plan.tensors, &error) &&
		  model_allocate(layer.model, &arena, &error));
	model_init_weights(layer.model, NULL, &error);
	mlp_bind(&layer.mlp, &tensors, layer.model, 1, 0);
	for (int k = 0; k < 2; k++)
	{
		int			width = layer.mlp.layer[k].n_out;

		fill_normal(layer.mlp.layer[k].bias, width, 0.5, 20 + k);
		if (batch_norm)
			fill_normal(layer.mlp.layer[k].scale, width, 1, 30 + k);
	}
	mlp_cache_alloc(&layer.cache, &layer.mlp, ROWS, &arena);
	CHECK(workers_init(&layer.workers, NULL, 16, 0, &arena, &error));
	layer.mode = (PassMode) {.dropout = dropout,.seed = 3,
		.use = RANDOM_DROPOUT};
	fill_normal(layer.in, ROWS * layer.n_in, 1, 1);
	n_out = (size_t) ROWS * layer.mlp.layer[1].n_out;
	fill_normal(layer.weights, n_out, 1, 2);
	grads = ARENA_ARRAY(&arena, real, layer.model->n_params);

	mlp_loss(&layer);
	memcpy(layer.cache.d[1], layer.weights, n_out * sizeof(real));
	mlp_backward(&layer.mlp, &layer.cache, (Matrix) {d_in, layer.n_in}, ROWS,
				 layer.model->params, grads, &layer.workers.scratch[0]);
	CHECK(worst_error(mlp_loss, &layer, layer.in, d_in, ROWS * layer.n_in) < TOLERANCE);
	for (int i = 0; i < layer.model->n_tensors; i++)
	{
		const Tensor *tensor = &layer.model->tensors[i];

		if (tensor->kind == TENSOR_DENSE)
			CHECK(worst_error(mlp_loss, &layer, layer.model->params + tensor->offset,
							  grads + tensor->offset, tensor->size) < TOLERANCE);
	}
	arena_free_all(&arena);
}

typedef struct CrossCase
{
	Cross		cross;
	real		x0[ROWS * 4];
	real		weight[2 * 4];
	real		bias[2 * 4];
	real		x[2 * ROWS * 4];
	real		product[2 * ROWS];
	real		weights[ROWS * 4];
} CrossCase;

static double
cross_loss(void *context)
{
	CrossCase  *c = context;

	cross_forward(&c->cross, c->x0, ROWS, NULL);
	return weighted_sum(cross_output(&c->cross), c->weights, ROWS * 4);
}

static void
check_cross(void)
{
	CrossCase	c;
	real		d_x0[ROWS * 4] = {0};
	real		d_weight[8] = {0};
	real		d_bias[8] = {0};
	real		d[ROWS * 4];

	c.cross = (Cross) {.n_layers = 2,.width = 4,.weight = c.weight,.bias = c.bias,
		.x = c.x,.product = c.product,.capacity = ROWS};
	fill_normal(c.x0, ROWS * 4, 1, 1);
	fill_normal(c.weight, 8, 0.5, 2);
	fill_normal(c.bias, 8, 0.5, 3);
	fill_normal(c.weights, ROWS * 4, 1, 4);
	cross_loss(&c);
	memcpy(d, c.weights, sizeof(d));
	cross_backward(&c.cross, d_x0, d_weight, d_bias, d, c.x0, ROWS, NULL);
	CHECK(worst_error(cross_loss, &c, c.x0, d_x0, ROWS * 4) < TOLERANCE);
	CHECK(worst_error(cross_loss, &c, c.weight, d_weight, 8) < TOLERANCE);
	CHECK(worst_error(cross_loss, &c, c.bias, d_bias, 8) < TOLERANCE);
}

typedef struct MixCase
{
	real		logits[ROWS * 2 * 3];
	real		gates[ROWS * 2 * 3];
	real		e[ROWS * 3 * 2];
	real		h[ROWS * 2 * 2];
	real		weights[ROWS * 2 * 2];
} MixCase;

/* Experts' outputs (ROWS, 2) one after the other. */
static real *const *
experts_of(real *e, real **experts)
{
	for (int m = 0; m < 3; m++)
		experts[m] = e + m * ROWS * 2;
	return experts;
}

static double
mix_loss(void *context)
{
	MixCase    *c = context;
	real	   *e[3];

	memcpy(c->gates, c->logits, sizeof(c->gates));
	softmax_forward(c->gates, ROWS * 2, 3);
	/* in two parts, as threads do */
	mix_forward(c->h, c->gates, experts_of(c->e, e), 0, 3, 2, 3, 2, NULL);
	mix_forward(c->h, c->gates, experts_of(c->e, e), 3, ROWS, 2, 3, 2, NULL);
	return weighted_sum(c->h, c->weights, ROWS * 2 * 2);
}

static void
check_mix(void)
{
	MixCase		c;
	real		d_gates[ROWS * 2 * 3];
	real		d_e[ROWS * 3 * 2] = {0};
	real	   *d_experts[3];
	real	   *experts[3];

	fill_normal(c.logits, ROWS * 6, 1, 1);
	fill_normal(c.e, ROWS * 6, 1, 2);
	fill_normal(c.weights, ROWS * 4, 1, 3);
	mix_loss(&c);
	mix_backward(d_gates, experts_of(d_e, d_experts), c.weights, c.gates, experts_of(c.e, experts),
				 0, ROWS, 2, 3, 2, NULL);
	softmax_backward(d_gates, c.gates, ROWS * 2, 3);
	CHECK(worst_error(mix_loss, &c, c.logits, d_gates, ROWS * 6) < TOLERANCE);
	CHECK(worst_error(mix_loss, &c, c.e, d_e, ROWS * 6) < TOLERANCE);
}

typedef struct PairwiseCase
{
	real		x0[ROWS * 3 * 2];
	real		sums[ROWS * 2];
	real		logit[ROWS];
	real		weights[ROWS];
} PairwiseCase;

static double
pairwise_loss(void *context)
{
	PairwiseCase *c = context;

	memset(c->logit, 0, sizeof(c->logit));
	pairwise_forward(c->logit, c->sums, c->x0, ROWS, 3, 2, NULL);
	return weighted_sum(c->logit, c->weights, ROWS);
}

static void
check_pairwise(void)
{
	PairwiseCase c;
	real		d_x0[ROWS * 3 * 2] = {0};

	fill_normal(c.x0, ROWS * 6, 1, 1);
	fill_normal(c.weights, ROWS, 1, 2);
	pairwise_loss(&c);
	pairwise_backward(d_x0, c.weights, c.sums, c.x0, ROWS, 3, 2, NULL);
	CHECK(worst_error(pairwise_loss, &c, c.x0, d_x0, ROWS * 6) < TOLERANCE);
}

/* --- the whole network --- */

typedef struct NetworkCase
{
	Network		network;
	Batch		batch;
	Model	   *model;
	PassMode	mode;
	BaseOutput *base;			/* experts alone, over this base */
} NetworkCase;

/* Mean loss of a forward pass; its dropout is the same every time. */
static double
network_loss(void *context)
{
	NetworkCase *c = context;

	if (!c->base)
		network_base_forward(&c->network, &c->batch, &c->mode);
	network_upper_forward(&c->network, &c->batch, c->base ? c->base : &c->network.base,
							&c->mode);
	return heads_loss(c->network.heads, &c->batch) / c->batch.n_rows;
}

/* Rows with no members, one, and several, of which some are alike. */
static void
fill_histories(Batch *batch, const Config *config, Arena *arena)
{
	uint32_t	n_items = shape_rows(&shape, shape.item_field);

	for (int list = 0; list <= config->history_dislikes; list++)
	{
		batch_init_history(batch, list, arena, 5);
		for (int b = 0; b < batch->n_rows; b++)
		{
			batch->history[list].n[b] = (b + 2 * list) % 6;
			for (int i = 0; i < (b + 2 * list) % 6; i++)
				batch->history[list].members[5 * b + i] =
					FIRST_ID + (uint32_t) (b * 3 + i * i + list) % (n_items - FIRST_ID);
		}
	}
}

/* shared [n_fields] as network_init() takes it. */
static void
network_case(NetworkCase *c, Arena *arena, const Config *config, const bool *shared, Team *team)
{
	EngineError error = {0};
	uint32_t	rows[N_ROWS];
	Shape		sided = shape_of(config);

	memset(c, 0, sizeof(*c));
	c->model = model_create(arena, config, &sided, no_pairs, &error);
	CHECK(c->model != NULL);
	model_init_weights(c->model, NULL, &error);
	/* away from the zeros and small values of the start, so that all gradients flow */
	for (int i = 0; i < c->model->n_tensors; i++)
	{
		const Tensor *tensor = &c->model->tensors[i];

		if (tensor->kind != TENSOR_STATISTIC)
			fill_normal(c->model->params + tensor->offset, tensor->size, 0.7, 100 + i);
	}
	c->model->sides = sided.n_sides > 0 ? &sides : NULL;
	CHECK(network_init(&c->network, c->model, 16, shared, team, arena, &error));
	CHECK(batch_init(&c->batch, arena, 16, shape.n_fields, &error));
	for (uint32_t i = 0; i < N_ROWS; i++)
		rows[i] = i;
	batch_fill(&c->batch, &shape, rows_ids, row_labels, list_start, list_members, rows, NULL,
			   N_ROWS);
	if (c->model->reads_history)
		fill_histories(&c->batch, config, arena);
	c->batch.row_weights = row_weights;
	c->mode = (PassMode) {.dropout = true,.seed = 5,
		.use = RANDOM_DROPOUT};
}

static void
set_random_masks(NetworkCase *c, const Config *config)
{
	Random		random;

	random_start(&random, 11, RANDOM_MASKS, 0);
	for (int s = 0; s < c->batch.n_segments; s++)
	{
		uint8_t    *mask = c->model->masks + (size_t) s * c->model->n_gates;
		real		gates[64];

		fill_normal(gates, c->model->n_gates, 1, 40 + s);
		mask_candidate(&config->hei_experts, gates, NULL, 0.5, 0.2, &random, mask);
		CHECK(mask_is_valid(&config->hei_experts, mask));
		c->batch.segments[s].mask = mask;
	}
}

static void
check_rows(NetworkCase *c, const RowTensor *tensor)
{
	for (uint32_t slot = 0; slot < tensor->n_slots; slot++)
		CHECK(worst_error(network_loss, c, tensor->values + (size_t) tensor->rows[slot] * tensor->dim,
						  tensor->grads + (size_t) slot * tensor->dim, tensor->dim) < TOLERANCE);
}

static void
check_gradients(const Config *config, bool masks, const bool *shared, int n_threads)
{
	Arena		arena;
	EngineError error = {0};
	NetworkCase c;
	Team	   *team;
	double		loss;

	arena_init_malloc(&arena);
	team = team_start(&arena, n_threads, &error);
	network_case(&c, &arena, config, shared, team);
	if (masks)
		set_random_masks(&c, config);
	c.batch.grouped = config->loss != LOSS_LOGISTIC;
	network_loss(&c);
	CHECK(network_backward(&c.network, &c.batch, &loss, &error));
	for (int i = 0; i < c.model->n_tensors; i++)
	{
		const Tensor *tensor = &c.model->tensors[i];

		if (tensor->kind == TENSOR_DENSE)
			CHECK(worst_error(network_loss, &c, c.model->params + tensor->offset,
							  c.network.pass.grads + tensor->offset, tensor->size) < TOLERANCE);
	}
	for (int t = 0; t < c.model->n_rows; t++)
		check_rows(&c, &c.network.pass.rows[t]);
	team_stop(team);
	arena_free_all(&arena);
}

static void
check_network(int architecture, bool masks, bool batch_norm, bool pairwise,
			  const bool *shared, int n_threads, LossKind kind)
{
	Config		config;

	small_config(&config, architecture);
	config.batch_norm = batch_norm;
	config.pairwise = pairwise;
	config.history_length = n_threads > 1 ? 5 : 0;
	config.loss = kind;
	check_gradients(&config, masks, shared, n_threads);
}

/* All that histories can have, alone and together. */
static void
check_histories(void)
{
	for (int options = 1; options < 8; options++)
	{
		Config		config;

		small_config(&config, architecture_find("fm"));
		config.history_length = 5;
		config.history_dislikes = options & 1;
		config.history_side.n = options >> 1 & 1;
		config.history_attention = options >> 2 & 1;
		check_gradients(&config, false, NULL, 2);
	}
}

/* The cheap mask search's backward pass: experts and heads over a fixed base. */
static void
check_experts_alone(void)
{
	Arena		arena;
	Config		config;
	NetworkCase c;
	double		loss;

	arena_init_malloc(&arena);
	small_config(&config, architecture_find("aread"));
	network_case(&c, &arena, &config, NULL, NULL);
	set_random_masks(&c, &config);
	network_loss(&c);
	c.base = &c.network.base;
	network_loss(&c);
	network_upper_backward(&c.network, &c.batch, &loss);
	/* the bias enters by the base's logit, which is fixed here */
	for (int i = 0; i < c.model->n_tensors; i++)
	{
		const Tensor *tensor = &c.model->tensors[i];

		if (tensor->offset < c.model->n_above_cut && strcmp(tensor->name, "bias") != 0)
			CHECK(worst_error(network_loss, &c, c.model->params + tensor->offset,
							  c.network.pass.grads + tensor->offset, tensor->size) < TOLERANCE);
	}
	arena_free_all(&arena);
}

/*
 * A gate's bias is the logarithm of a factor on it, so its gradient is d_open
 * summed over the segments.
 */
static void
check_open_gradients(void)
{
	Arena		arena;
	Config		config;
	NetworkCase c;
	double		loss;

	arena_init_malloc(&arena);
	small_config(&config, architecture_find("aread"));
	network_case(&c, &arena, &config, NULL, NULL);
	set_random_masks(&c, &config);
	network_loss(&c);
	network_upper_backward(&c.network, &c.batch, &loss);
	for (int l = 2; l <= config.hei_experts.n; l++)
	{
		const real *d_bias = c.network.pass.grads + (c.network.hei->bias[l - 1] - c.model->params);
		int			below = config.hei_experts.value[l - 2];

		for (int i = 0; i < below; i++)
			for (int n = 0; n < config.hei_experts.value[l - 1]; n++)
			{
				int			gate = gate_at(&config.hei_experts, l, i, n);
				real		sum = 0;

				for (int s = 0; s < c.batch.n_segments; s++)
				{
					real		d_open = c.network.hei->d_open[s * c.model->n_gates + gate];

					CHECK(c.batch.segments[s].mask[gate] || d_open == 0);
					sum += d_open;
				}
				CHECK(fabs(sum - d_bias[n * below + i]) < 1e-12);
			}
	}
	arena_free_all(&arena);
}

int
main(void)
{
	check_mlp(true, false);
	check_mlp(true, true);
	check_mlp(false, true);
	check_cross();
	check_mix();
	check_pairwise();
	for (int architecture = 0; architecture < n_architectures; architecture++)
	{
		bool		masks = architecture_has_masks(architecture);

		check_network(architecture, masks, true, false, NULL, 1, LOSS_LOGISTIC);
		check_network(architecture, masks, true, true, some_shared, 3, LOSS_BPR);
		check_network(architecture, false, true, true, NULL, 1, LOSS_SOFTMAX);
		check_network(architecture, masks, false, false, all_shared, 2, LOSS_SOFTMAX);
		check_network(architecture, masks, false, false, all_shared, 2, LOSS_LOGISTIC);
	}
	check_histories();
	check_experts_alone();
	check_open_gradients();
	return unit_summary();
}
