/*
 * plain.c
 *	  What several references are made of.
 */
#include "reference/reference.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/networks/architectures.h"

static Reference *references;

void
reference_add(Reference *reference)
{
	reference->next = references;
	references = reference;
}

double
reference_score(const Model *model, const uint32_t *ids, const uint64_t *list_start,
				const uint32_t *list_members)
{
	const real *calibration = model_named(model, "calibration");
	const char *name = architecture_name(model->config.architecture);
	ReferenceRow row = {model, ids, list_start, list_members};
	const Reference *reference = references;
	double		p;
	double		odds;

	/* NaN: there is none, and the test that compares with it fails */
	while (reference && strcmp(reference->architecture, name) != 0)
		reference = reference->next;
	p = reference ? reference->score(&row) : NAN;
	odds = pow(p / (1 - p), exp(calibration[0])) * exp(calibration[1]);
	return odds / (1 + odds);
}

const real *
reference_param(const Model *model, const char *format, int number)
{
	char		name[64];

	snprintf(name, sizeof(name), format, number);
	return model_named(model, name);
}

double
reference_sigmoid(double logit)
{
	return 1 / (1 + exp(-logit));
}

void
reference_layer(const Model *model, const char *prefix, int block, int n_in, int n_out, const double *in,
	  double *out)
{
	char		name[64];
	const real *weight;
	const real *bias;

	snprintf(name, sizeof(name), "%s.weight", prefix);
	weight = model_named(model, name);
	snprintf(name, sizeof(name), "%s.bias", prefix);
	bias = model_named(model, name);
	for (int o = 0; o < n_out; o++)
	{
		int			unit = block * n_out + o;
		double		z = 0;

		for (int i = 0; i < n_in; i++)
			z += (double) weight[(size_t) unit * n_in + i] * in[i];
		if (model->config.batch_norm)
		{
			double		mean;
			double		variance;

			snprintf(name, sizeof(name), "%s.mean", prefix);
			mean = model_named(model, name)[unit];
			snprintf(name, sizeof(name), "%s.variance", prefix);
			variance = model_named(model, name)[unit];
			snprintf(name, sizeof(name), "%s.scale", prefix);
			z = (z - mean) / sqrt(variance + 1e-5) * model_named(model, name)[unit];
		}
		z += bias[unit];
		out[o] = z > 0 ? z : 0;
	}
}

int
reference_mlp(const Model *model, const char *prefix, int block, const IntList *dims, int n_in,
			  double *x)
{
	static double next[REFERENCE_WIDEST];

	for (int k = 0; k < dims->n; k++)
	{
		char		name[48];

		snprintf(name, sizeof(name), "%s.layer%d", prefix, k);
		reference_layer(model, name, block, n_in, dims->value[k], x, next);
		n_in = dims->value[k];
		memcpy(x, next, n_in * sizeof(double));
	}
	return n_in;
}

void
reference_softmax(double *x, const bool *open, int n)
{
	double		sum = 0;

	for (int i = 0; i < n; i++)
		sum += open[i] ? exp(x[i]) : 0;
	for (int i = 0; i < n; i++)
		x[i] = open[i] ? exp(x[i]) / sum : 0;
}

static bool
is_dense(const Model *model, int f)
{
	return model->shape.field_is_dense && model->shape.field_is_dense[f];
}

/* What a vector's i-th member is multiplied with: an id's weight, or those of a component. */
static size_t
factor_id(const uint32_t *members, uint64_t i)
{
	return i == 0 ? members[0] : FIRST_ID + i - 1;
}

static double
factor(const uint32_t *members, uint64_t i)
{
	float		number;

	memcpy(&number, &members[i], sizeof(number));
	return i == 0 ? 1 : number;
}

int
reference_embed(const ReferenceRow *row, double *x0)
{
	const Model *model = row->model;
	const uint32_t *ids = row->ids;
	const uint64_t *list_start = row->list_start;
	const uint32_t *list_members = row->list_members;
	int			dim = model->config.embed_dim;

	for (int f = 0; f < model->shape.n_fields; f++)
	{
		const real *table = reference_param(model, "embedding.%d", model->shape.field_table[f]);
		const uint32_t *members = &ids[f];
		uint64_t	n = 1;

		if (model->shape.field_is_list[f])
		{
			members = list_members + list_start[ids[f]];
			n = list_start[ids[f] + 1] - list_start[ids[f]];
		}
		for (int e = 0; e < dim; e++)
		{
			x0[f * dim + e] = 0;
			for (uint64_t i = 0; i < n; i++)
				if (is_dense(model, f))
					x0[f * dim + e] += factor(members, i) * table[factor_id(members, i) * dim + e];
				else
					x0[f * dim + e] += (double) table[(size_t) members[i] * dim + e] / n;
		}
	}
	return model->shape.n_fields * dim;
}

/* The weight of a value in the row's domain, if training rows had that pair. */
static double
domain_weight(const Model *model, int f, const uint32_t *ids)
{
	const real *weights = reference_param(model, "domain_wide.%d", f);
	const DomainPairs *pairs = &model->pairs[f];
	uint32_t	domain = ids[model->shape.domain_field];

	if (weights)
		for (uint32_t i = pairs->start[ids[f]]; i < pairs->start[ids[f] + 1]; i++)
			if (pairs->domain[i] + FIRST_ID == domain)
				return weights[i];
	return 0;
}

double
reference_wide(const ReferenceRow *row)
{
	const Model *model = row->model;
	const uint32_t *ids = row->ids;
	const uint64_t *list_start = row->list_start;
	const uint32_t *list_members = row->list_members;
	double		sum = *model_named(model, "bias");

	for (int f = 0; f < model->shape.n_fields; f++)
	{
		const real *weights = reference_param(model, "wide.%d", f);

		if (!weights)
			continue;
		if (!model->shape.field_is_list[f])
			sum += weights[ids[f]] + domain_weight(model, f, ids);
		else
			for (uint64_t i = list_start[ids[f]]; i < list_start[ids[f] + 1]; i++)
				sum += is_dense(model, f) ?
					factor(list_members + list_start[ids[f]], i - list_start[ids[f]]) *
					weights[factor_id(list_members + list_start[ids[f]], i - list_start[ids[f]])] :
					weights[list_members[i]] / (double) (list_start[ids[f] + 1] - list_start[ids[f]]);
	}
	return sum;
}

/* A vector of items plus those of their sides: ids [1 + sides]. */
static void
sided_vector(const Model *model, const char *name, const uint32_t *ids, double *vector)
{
	uint32_t	dim = model->config.embed_dim;

	for (int k = 0; k <= model->shape.n_sides; k++)
	{
		char		format[64];
		const real *rows;

		snprintf(format, sizeof(format), k == 0 ? "taste.%s" : "taste.%s.%%d", name);
		rows = reference_param(model, format, k == 0 ? 0 : (int) model->shape.sides[k - 1]);
		for (uint32_t e = 0; e < dim; e++)
			vector[e] = (k == 0 ? 0 : vector[e]) + rows[(size_t) ids[k] * dim + e];
	}
}

/* How much a member m counts for an item q; 1 without attention. */
static double
attention_of(const Model *model, const char *name, const double *m, const double *q)
{
	char		tensor[64];
	const real *part[4];
	uint32_t	n_units = 0;
	static const char *const parts[] = {"weight", "bias", "out", "base"};
	uint32_t	dim = model->config.embed_dim;
	double		a;

	for (int p = 0; p < 4; p++)
	{
		snprintf(tensor, sizeof(tensor), "taste.%s.%s", name, parts[p]);
		part[p] = model_named(model, tensor);
		if (part[p] && p == 1)
			n_units = model_find(model, tensor)->dims[0];
	}
	if (!part[0])
		return 1;
	a = *part[3];
	for (uint32_t h = 0; h < n_units; h++)
	{
		const real *w = part[0] + (size_t) 3 * dim * h;
		double		z = part[1][h];

		for (uint32_t e = 0; e < dim; e++)
			z += w[e] * m[e] + w[dim + e] * q[e] + w[2 * dim + e] * m[e] * q[e];
		a += part[2][h] * (z > 0 ? z : 0);
	}
	return a;
}

/* Of one list: the newest ones that are not the item itself, by what they have in common with q. */
static double
taste_of_list(const ReferenceRow *row, const EntityTable *kept, const char *name,
			  const char *attention, const double *q)
{
	const Model *model = row->model;
	uint32_t	user = row->ids[model->shape.user_field];
	uint32_t	item = row->ids[model->shape.item_field];
	double		m[MAX_EMBED_DIM];
	double		sum = 0;
	int			n = 0;

	if (!kept || user < FIRST_ID || user >= FIRST_ID + kept->n)
		return 0;
	for (uint64_t i = kept->link_start[user - FIRST_ID + 1]; i-- > kept->link_start[user - FIRST_ID];)
	{
		uint32_t	ids[1 + MAX_SIDES] = {kept->links[i]};
		double		product = 0;

		if (ids[0] == item || n == model->config.history_length)
			continue;
		for (int k = 0; k < model->shape.n_sides; k++)
			ids[1 + k] = model->sides->values[(ids[0] - FIRST_ID) * model->shape.n_sides + k];
		sided_vector(model, name, ids, m);
		for (int e = 0; e < model->config.embed_dim; e++)
			product += m[e] * q[e];
		sum += attention_of(model, attention, m, q) * product;
		n++;
	}
	return n > 0 ? sum / sqrt(n) : 0;
}

double
reference_taste(const ReferenceRow *row)
{
	const Model *model = row->model;
	const real *users = model_named(model, "taste.users");
	uint32_t	dim = model->config.embed_dim;
	uint32_t	ids[1 + MAX_SIDES];
	double		q[MAX_EMBED_DIM];
	double		sum = 0;

	if (!users)
		return 0;
	ids[0] = row->ids[model->shape.item_field];
	for (int k = 0; k < model->shape.n_sides; k++)
		ids[1 + k] = row->ids[model->shape.sides[k]];
	sided_vector(model, "items", ids, q);
	for (uint32_t e = 0; e < dim; e++)
		sum += users[(size_t) row->ids[model->shape.user_field] * dim + e] * q[e];
	return sum + taste_of_list(row, model->histories, "members", "attention", q) +
		taste_of_list(row, model->dislikes, "dislikes", "dislike_attention", q);
}

double
reference_pairwise(const Model *model, const double *x0)
{
	int			dim = model->config.embed_dim;
	double		sum = 0;

	for (int f = 0; f < model->shape.n_fields; f++)
		for (int g = 0; g < f; g++)
			for (int e = 0; e < dim; e++)
				sum += x0[f * dim + e] * x0[g * dim + e];
	return sum;
}

void
reference_mixtures(const Model *model, const double *x0, int width, int n_mixtures,
				   double h[][REFERENCE_WIDEST])
{
	const Config *config = &model->config;
	int			n_experts = config->mmoe_experts;
	int			dim = config->mmoe_dims.value[config->mmoe_dims.n - 1];
	const real *gate_weight = model_named(model, "mmoe.gate.weight");
	const real *gate_bias = model_named(model, "mmoe.gate.bias");
	static double e[MAX_EXPERTS][REFERENCE_WIDEST];
	bool		open[MAX_EXPERTS];

	for (int m = 0; m < n_experts; m++)
	{
		memcpy(e[m], x0, width * sizeof(double));
		reference_mlp(model, "mmoe", m, &config->mmoe_dims, width, e[m]);
		open[m] = true;
	}
	for (int n = 0; n < n_mixtures; n++)
	{
		double		gate[MAX_EXPERTS];

		for (int m = 0; m < n_experts; m++)
		{
			gate[m] = gate_bias[n * n_experts + m];
			for (int i = 0; i < width; i++)
				gate[m] += (double) gate_weight[((size_t) n * n_experts + m) * width + i] * x0[i];
		}
		reference_softmax(gate, open, n_experts);
		for (int i = 0; i < dim; i++)
		{
			h[n][i] = 0;
			for (int m = 0; m < n_experts; m++)
				h[n][i] += gate[m] * e[m][i];
		}
	}
}

void
reference_cross(const Model *model, const double *x0, int width, double *x)
{
	memcpy(x, x0, width * sizeof(double));
	for (int k = 0; k < model->config.cross_layers; k++)
	{
		const real *v = model_named(model, "cross.weight") + (size_t) k * width;
		const real *b = model_named(model, "cross.bias") + (size_t) k * width;
		double		product = 0;

		for (int i = 0; i < width; i++)
			product += x[i] * v[i];
		for (int i = 0; i < width; i++)
			x[i] += x0[i] * product + b[i];
	}
}

double
reference_heads(const Model *model, double e[][REFERENCE_WIDEST], const bool *open, int n_heads, int n_in,
	  const double *cross, int width, double base)
{
	const real *weight = model_named(model, "head.weight");
	const real *cross_weight = model_named(model, "head.cross");
	double		sum = 0;
	int			n = 0;

	for (int j = 0; j < n_heads; j++)
	{
		double		logit = base;

		if (!open[j])
			continue;
		for (int i = 0; i < n_in; i++)
			logit += weight[(size_t) j * n_in + i] * e[j][i];
		for (int i = 0; cross_weight && i < width; i++)
			logit += cross_weight[(size_t) j * width + i] * cross[i];
		sum += 1 / (1 + exp(-logit));
		n++;
	}
	return sum / n;
}
