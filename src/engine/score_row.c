/*
 * score_row.c
 *	  The score of one row: products of a vector with matrices, which have to be
 *	  read, so what costs time is memory.
 *
 * Inputs of a layer that ReLU has set to 0 are left out, and a field's product
 * is kept for the next row, which may have the same value.
 */
#include <string.h>

#include "mask.h"
#include "scorer.h"

static int
max(int a, int b)
{
	return a > b ? a : b;
}

/* The widest outputs of MMoE's and HEI's layers. */
static int
widest_layer(const Config *config)
{
	int			widest = 1;

	for (int k = 0; k < config->mmoe_dims.n; k++)
		widest = max(widest, config->mmoe_dims.value[k]);
	for (int l = 0; l < config->hei_experts.n; l++)
		widest = max(widest, max(config->hei_hidden.value[l], config->hei_output.value[l]));
	return widest;
}

static int
most_experts(const Config *config)
{
	int			most = 1;

	for (int l = 0; l < config->hei_experts.n; l++)
		most = max(most, config->hei_experts.value[l]);
	return most;
}

bool
row_scorer_init(Scorer *scorer, EngineError *error)
{
	const Model *model = scorer->model;
	const Config *config = &model->config;
	const Prepared *prepared = &scorer->prepared;
	Arena	   *arena = scorer->arena;
	RowScorer  *row = &scorer->row;
	size_t		widest = widest_layer(config);

	row->skip = model_param(model, "mmoe.skip");
	row->batch = (Batch) {.capacity = 1,.n_rows = 1,.n_fields = model->shape.n_fields,
		.n_segments = 1,.segments = ARENA_ARRAY(arena, Segment, 1)};
	wide_bind(&row->wide, model, arena);
	row->vector = ARENA_ARRAY(arena, real, (size_t) model->shape.n_fields * config->embed_dim);
	row->sums = ARENA_ARRAY(arena, real, config->embed_dim);
	row->z = ARENA_ARRAY(arena, real, prepared->columns.n);
	row->remembered = ARENA_ARRAY(arena, RememberedProduct, prepared->n_plain);
	for (int p = 0; p < prepared->n_plain && !arena->failed; p++)
		row->remembered[p].product = ARENA_ARRAY(arena, real, (size_t) prepared->n_tiles * TILE);
	for (int i = 0; i < 2; i++)
	{
		row->layer[i] = ARENA_ARRAY(arena, real, widest);
		row->out[i] = ARENA_ARRAY(arena, real, most_experts(config) * widest);
	}
	row->e = ARENA_ARRAY(arena, real, config->mmoe_experts * widest);
	row->h = ARENA_ARRAY(arena, real, config->hei_experts.value[0] * widest);
	row->in = ARENA_ARRAY(arena, real, widest);
	row->logits = ARENA_ARRAY(arena, real, scorer->heads.n_heads);
	row->open = ARENA_ARRAY(arena, uint8_t, scorer->heads.n_heads);
	return arena_ok(arena, error);
}

/* out[n] += four inputs times their weights: what is read is weights more than sums. */
static inline void
add_four(real *restrict out, const real *x, const real *restrict a, const real *restrict b,
		 const real *restrict c, const real *restrict d, int n)
{
	for (int i = 0; i < n; i++)
		out[i] += x[0] * a[i] + x[1] * b[i] + x[2] * c[i] + x[3] * d[i];
}

/* out[n_out] += in[n_in] . weight (n_in, n_out) */
static HOT void
add_product(real *restrict out, const real *in, const real *weight, int n_in, int n_out)
{
	const real *rows[4];
	real		x[4];
	int			n = 0;

	for (int i = 0; i < n_in; i++)
	{
		if (in[i] == 0)
			continue;
		x[n] = in[i];
		rows[n++] = weight + (size_t) i * n_out;
		if (n < 4)
			continue;
		add_four(out, x, rows[0], rows[1], rows[2], rows[3], n_out);
		n = 0;
	}
	for (int k = 0; k < n; k++)
		add_scaled(out, x[k], rows[k], n_out);
}

static inline void
relu(real *x, int n)
{
	for (int i = 0; i < n; i++)
		x[i] = x[i] > 0 ? x[i] : 0;
}

/* out[n_out] = relu(in . weight + bias) */
static void
layer_forward(const PreparedLayer *layer, real *out, const real *in)
{
	memcpy(out, layer->bias, layer->n_out * sizeof(real));
	add_product(out, in, layer->weight, layer->n_in, layer->n_out);
	relu(out, layer->n_out);
}

/* out [n_tiles * TILE] = vector [dim] . tiles [n_tiles] (dim, TILE): memory is read straight on. */
static HOT void
tile_product(real *out, const real *vector, const real *tiles, int n_tiles, int dim)
{
	const Lanes *tile = (const Lanes *) tiles;
	Lanes	   *to = (Lanes *) out;

	for (int t = 0; t < n_tiles; t++, to += 4)
	{
		Lanes		a = {0};
		Lanes		b = {0};
		Lanes		c = {0};
		Lanes		d = {0};

		for (int i = 0; i < dim; i++, tile += 4)
		{
			a += vector[i] * tile[0];
			b += vector[i] * tile[1];
			c += vector[i] * tile[2];
			d += vector[i] * tile[3];
		}
		to[0] = a;
		to[1] = b;
		to[2] = c;
		to[3] = d;
	}
}

/* The product of a field that is not ready; the last one is remembered. */
static const real *
field_product(Scorer *scorer, int p, const uint32_t *members, uint32_t n_members)
{
	const Prepared *prepared = &scorer->prepared;
	const Shape *shape = &scorer->model->shape;
	RowScorer  *row = &scorer->row;
	RememberedProduct *last = &row->remembered[p];
	int			f = prepared->order[p];
	int			dim = scorer->model->config.embed_dim;

	if (last->valid && !shape->field_is_list[f] && last->id == members[0])
		return last->product;
	stack_vector(&scorer->tables[shape->field_table[f]], members, n_members, row->vector);
	tile_product(last->product, row->vector,
				 prepared->tiles + (size_t) p * prepared->n_tiles * dim * TILE,
				 prepared->n_tiles, dim);
	last->valid = !shape->field_is_list[f];
	if (last->valid)
		last->id = members[0];
	return last->product;
}

static void
stack_forward_row(Scorer *scorer)
{
	const Prepared *prepared = &scorer->prepared;
	const Shape *shape = &scorer->model->shape;
	RowScorer  *row = &scorer->row;
	int			n = prepared->columns.n;

	stack_start(prepared, &row->batch, 0, READY_ALL, NULL, prepared->bias, row->z, 0, n);
	for (int p = 0; p < prepared->n_plain; p++)
	{
		const uint32_t *members;
		uint32_t	n_members = batch_members(&row->batch, shape, 0, prepared->order[p], &members);

		add_scaled(row->z, 1, field_product(scorer, p, members, n_members), n);
	}
}

/* From z to the experts' outputs e and the mixtures h. */
static void
mmoe_forward_row(Scorer *scorer)
{
	const Config *config = &scorer->model->config;
	const Prepared *prepared = &scorer->prepared;
	RowScorer  *row = &scorer->row;
	int			width = config->mmoe_dims.value[0];
	int			dim = config->mmoe_dims.value[config->mmoe_dims.n - 1];
	real	   *gates = row->z + prepared->columns.gates;
	const real *e[MAX_EXPERTS];

	relu(row->z + prepared->columns.experts, prepared->n_experts * width);
	for (int m = 0; m < prepared->n_experts; m++)
	{
		e[m] = row->z + prepared->columns.experts + m * width;
		for (int k = 0; k < prepared->n_deep; k++)
		{
			bool		last = k == prepared->n_deep - 1;
			real	   *out = last ? row->e + m * dim : row->layer[k % 2];

			layer_forward(&prepared->deep[m * prepared->n_deep + k], out, e[m]);
			e[m] = out;
		}
	}
	softmax_forward(gates, config->hei_experts.value[0], prepared->n_experts);
	memset(row->h, 0, (size_t) config->hei_experts.value[0] * dim * sizeof(real));
	for (int n = 0; n < config->hei_experts.value[0]; n++)
		for (int m = 0; m < prepared->n_experts; m++)
			add_scaled(row->h + n * dim, gates[n * prepared->n_experts + m], e[m], dim);
}

/* The open experts of HEI, layer by layer; returns the last one's outputs, a head's each. */
static const real *
hei_forward_row(Scorer *scorer, int64_t domain)
{
	const Model *model = scorer->model;
	const Config *config = &model->config;
	const Prepared *prepared = &scorer->prepared;
	RowScorer  *row = &scorer->row;
	const uint8_t *mask = prepared_mask(model, domain);
	const real *gates = prepared->gates +
		(domain < 0 ? model->n_domains : (size_t) domain) * model->n_gates;
	const real *below = row->h;

	for (int l = 1; l <= prepared->n_hei; l++)
	{
		int			n_experts = config->hei_experts.value[l - 1];
		real	   *out = row->out[l % 2];
		bool		used[MAX_EXPERTS];

		memset(used, true, sizeof(used));
		if (mask)
			mask_used_experts(config, mask, l, used);
		for (int n = 0; n < n_experts; n++)
		{
			const PreparedLayer *layers = prepared->hei[l - 1][n];
			const real *in = row->in;

			if (l == prepared->n_hei)
				row->open[n] = used[n];
			if (!used[n])
				continue;
			if (l == 1)
				in = below + (size_t) n * layers[0].n_in;
			else
			{
				memset(row->in, 0, layers[0].n_in * sizeof(real));
				for (int i = 0; i < config->hei_experts.value[l - 2]; i++)
				{
					real		gate = gates[model_gate_offset(config, l) + i * n_experts + n];

					if (gate != 0)
						add_scaled(row->in, gate, below + (size_t) i * layers[0].n_in,
								   layers[0].n_in);
				}
			}
			layer_forward(&layers[0], row->layer[0], in);
			layer_forward(&layers[1], out + (size_t) n * layers[1].n_out, row->layer[0]);
		}
		below = out;
	}
	return below;
}

/* What all heads share: wide part, pairwise term, skip. */
static void
base_forward(Scorer *scorer)
{
	const Model *model = scorer->model;
	const Config *config = &model->config;
	RowScorer  *row = &scorer->row;

	/* they arrive while the wide part is computed */
	stack_expect(&scorer->prepared, scorer->tables, NULL, &row->batch, 0);
	wide_forward(&row->wide, &row->batch, 0, 1, &row->base);
	if (config_has_pairwise(config))
	{
		embedding_forward(row->vector, scorer->tables, &model->shape, &row->batch, 0, 1,
						  config->embed_dim);
		pairwise_forward(&row->base, row->sums, row->vector, 1, model->shape.n_fields,
						 config->embed_dim);
	}
	if (!config_has_mmoe(config))
		return;
	stack_forward_row(scorer);
	mmoe_forward_row(scorer);
	if (row->skip)
		row->base += dot(row->skip, row->h, (size_t) config->hei_experts.value[0] *
						 config->mmoe_dims.value[config->mmoe_dims.n - 1]);
}

double
row_score(Scorer *scorer, const ScoreRows *rows, size_t at)
{
	const Model *model = scorer->model;
	RowScorer  *row = &scorer->row;
	const Heads *heads = &scorer->heads;
	const real *inputs;
	double		sum = 0;
	int			n_open = 0;

	row->batch.ids = (uint32_t *) rows->ids + at * model->shape.n_fields;
	row->batch.list_start = rows->list_start;
	row->batch.list_members = rows->list_members;
	row->batch.segments[0] = (Segment) {.n_rows = 1,
		.domain = domain_of_id(row->batch.ids[model->shape.domain_field])};
	base_forward(scorer);
	memset(row->open, true, heads->n_heads);
	inputs = config_has_hei(&model->config) ?
		hei_forward_row(scorer, row->batch.segments[0].domain) : row->h;
	for (int j = 0; j < heads->n_heads; j++)
		row->logits[j] = row->base + (heads->n_in > 0 && row->open[j] ?
									  dot(heads->weight + (size_t) j * heads->n_in,
										  inputs + (size_t) j * heads->n_in, heads->n_in) : 0);
	if (config_has_mmoe(&model->config))
		prepared_add_cross(&scorer->prepared, row->z, row->logits);
	for (int j = 0; j < heads->n_heads; j++)
	{
		sum += row->open[j] ? sigmoid(row->logits[j]) : 0;
		n_open += row->open[j];
	}
	return sum / n_open;
}
