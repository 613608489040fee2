/*
 * score_row.c
 *	  The score of one row: products of a vector with matrices, which have to be
 *	  read, so what costs time is memory.
 *
 * Inputs of a layer that ReLU has set to 0 are left out, and a value's product
 * is kept as long as one row after the other has it.
 */
#include <string.h>

#include "engine/model/gates.h"
#include "engine/model/mask.h"
#include "engine/score/scorer.h"

static int
max(int a, int b)
{
	return a > b ? a : b;
}

int
scorer_widest_layer(const Config *config)
{
	int			widest = 1;

	for (int k = 0; config_has_mmoe(config) && k < config->mmoe_dims.n; k++)
		widest = max(widest, config->mmoe_dims.value[k]);
	for (int l = 0; config_has_hei(config) && l < config->hei_experts.n; l++)
		widest = max(widest, max(config->hei_hidden.value[l], config->hei_output.value[l]));
	return widest;
}

/* Most experts of a HEI layer. */
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
	size_t		widest = scorer_widest_layer(config);

	row->skip = model_param(model, "mmoe.skip");
	row->batch = (Batch) {.capacity = 1,.n_rows = 1,.n_fields = model->shape.n_fields,
		.n_segments = 1,.segments = ARENA_ARRAY(arena, Segment, 1)};
	wide_bind(&row->wide, model, arena);
	row->x = ARENA_ARRAY(arena, real, (size_t) model->shape.n_fields * config->embed_dim);
	row->sums = ARENA_ARRAY(arena, real, config->embed_dim);
	row->parts = ARENA_ARRAY(arena, RowPart, prepared->n_plain);
	row->start = ARENA_ARRAY(arena, const real *, 2 + (size_t) model->shape.n_fields);
	row->lists = ARENA_ARRAY(arena, real, prepared->columns.n);
	row->z = ARENA_ARRAY(arena, real, prepared->columns.n);
	row->remembered = ARENA_ARRAY(arena, RememberedProduct, prepared->n_plain);
	for (int p = 0; p < prepared->n_plain && !arena->failed; p++)
		row->remembered[p].product = ARENA_ARRAY(arena, real, prepared->columns.n);
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

/* Unless the watch has stopped. */
static void
layer_forward(const PreparedLayer *layer, const real *in, real *out, Watch *watch)
{
	if (watch_worked(watch, (size_t) layer->panels.n_in * layer->panels.n_out))
		return;
	panels_layer_row(&layer->panels, layer->bias, in, out);
}

/* What z begins with: bias and ready products; returns how many. */
static int
find_starts(Scorer *scorer)
{
	const Prepared *prepared = &scorer->prepared;
	const Shape *shape = &scorer->model->shape;
	RowScorer  *row = &scorer->row;
	bool		lists = false;
	int			n = 0;

	row->start[n++] = prepared->bias;
	for (int i = prepared->n_plain; i < shape->n_fields; i++)
	{
		int			f = prepared->order[i];
		const uint32_t *members;
		uint32_t	n_members = batch_members(&row->batch, shape, 0, f, &members);

		if (!shape->field_is_list[f])
		{
			row->start[n++] = prepared->ready[f] + members[0] * (size_t) prepared->columns.n;
			continue;
		}
		if (!lists)
			memset(row->lists, 0, prepared->columns.n * sizeof(real));
		lists = true;
		stack_list(prepared, f, members, n_members, row->lists, 0, prepared->columns.n,
				   &scorer->watch);
	}
	if (lists)
		row->start[n++] = row->lists;
	return n;
}

/* The product of a value that comes for the second time. */
static void
make_product(const Scorer *scorer, RememberedProduct *last, const RowPart *part)
{
	const Panels *panels = &scorer->prepared.stack;
	RowInput	in = {.parts = part,.n_parts = 1,.length = scorer->model->config.embed_dim};

	for (int i = 0; i < panels->n; i++)
		panels_row(panels, i, &in, last->product, false);
	last->valid = true;
}

/* A plain field's vector, and its product if the last row had the value, too. */
static RowPart
plain_part(Scorer *scorer, int p)
{
	const Shape *shape = &scorer->model->shape;
	RowScorer  *row = &scorer->row;
	int			dim = scorer->model->config.embed_dim;
	int			f = scorer->prepared.order[p];
	const RowTensor *table = &scorer->tables[shape->field_table[f]];
	RememberedProduct *last = &row->remembered[p];
	RowPart		part = {.x = row->x + (size_t) p * dim,.at = p * dim};
	const uint32_t *members;
	uint32_t	n_members = batch_members(&row->batch, shape, 0, f, &members);

	if (shape->field_is_list[f])
		stack_vector(table, shape_is_dense(shape, f), members, n_members, row->x + (size_t) p * dim,
					 &scorer->watch);
	else
	{
		part.x = table->values + (size_t) members[0] * dim;
		if (last->seen && last->id == members[0])
		{
			if (!last->valid)
				make_product(scorer, last, &part);
			part.product = last->product;
		}
		else
			*last = (RememberedProduct) {true, false, members[0], last->product};
	}
	return part;
}

static void
stack_forward_row(Scorer *scorer)
{
	const Prepared *prepared = &scorer->prepared;
	const Panels *panels = &prepared->stack;
	RowScorer  *row = &scorer->row;
	RowInput	in = {.start = row->start,.parts = row->parts,.n_parts = prepared->n_plain,
		.length = scorer->model->config.embed_dim};

	in.n_starts = find_starts(scorer);
	for (int p = 0; p < prepared->n_plain; p++)
		row->parts[p] = plain_part(scorer, p);
	for (int p = 0; p < panels->n; p++)
	{
		if (watch_worked(&scorer->watch, (size_t) panels->n_in * panels->width))
			return;
		panels_row(panels, p, &in, row->z, p * panels->width < prepared->columns.gates);
	}
}

/* From z to the experts' outputs e and the mixtures h. */
static void
mmoe_forward_row(Scorer *scorer)
{
	const Config *config = &scorer->model->config;
	const Prepared *prepared = &scorer->prepared;
	RowScorer  *row = &scorer->row;
	int			dim = config->mmoe_dims.value[config->mmoe_dims.n - 1];
	real	   *gates = row->z + prepared->columns.gates;
	const real *e[MAX_EXPERTS];

	for (int m = 0; m < prepared->n_experts; m++)
	{
		e[m] = row->z + (size_t) m * prepared->columns.expert;
		for (int k = 0; k < prepared->n_deep; k++)
		{
			bool		last = k == prepared->n_deep - 1;
			real	   *out = last ? row->e + m * dim : row->layer[k % 2];

			layer_forward(&prepared->deep[m * prepared->n_deep + k], e[m], out, &scorer->watch);
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
			mask_used_experts(&config->hei_experts, mask, l, used);
		for (int n = 0; n < n_experts; n++)
		{
			const PreparedLayer *layers = prepared->hei[l - 1][n];
			int			n_in = layers[0].panels.n_in;
			const real *in = row->in;

			if (l == prepared->n_hei)
				row->open[n] = used[n];
			if (!used[n])
				continue;
			if (l == 1)
				in = below + (size_t) n * n_in;
			else
			{
				memset(row->in, 0, n_in * sizeof(real));
				for (int i = 0; i < config->hei_experts.value[l - 2]; i++)
				{
					real		gate = gates[gate_at(&config->hei_experts, l, i, n)];

					if (gate != 0)
						add_scaled(row->in, gate, below + (size_t) i * n_in, n_in);
				}
			}
			layer_forward(&layers[0], in, row->layer[0], &scorer->watch);
			layer_forward(&layers[1], row->layer[0], out + (size_t) n * layers[1].panels.n_out,
						  &scorer->watch);
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
	wide_forward(&row->wide, &row->batch, 0, 1, &row->base, &scorer->watch);
	if (config_has_pairwise(config))
	{
		embedding_forward(row->x, scorer->tables, &model->shape, &row->batch, 0, 1,
						  config->embed_dim, &scorer->watch);
		pairwise_forward(&row->base, row->sums, row->x, 1, model->shape.n_fields,
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
		prepared_add_cross(&scorer->prepared, row->z + scorer->prepared.columns.gates, row->logits);
	for (int j = 0; j < heads->n_heads; j++)
	{
		sum += row->open[j] ? sigmoid(row->logits[j]) : 0;
		n_open += row->open[j];
	}
	return sum / n_open;
}
