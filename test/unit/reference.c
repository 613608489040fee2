/*
 * reference.c
 *	  The network's score in plain loops: no CBLAS, no folding, no shared code
 *	  with the engine but the list of tensors.
 */
#include "reference.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/model/gates.h"

#define WIDEST 4096

static const real *
param(const Model *model, const char *format, int number)
{
	char		name[64];

	snprintf(name, sizeof(name), format, number);
	return model_param(model, name);
}

/* One layer of one block: linear, batch norm by running statistics, ReLU. */
static void
layer(const Model *model, const char *prefix, int block, int n_in, int n_out, const double *in,
	  double *out)
{
	char		name[64];
	const real *weight;
	const real *bias;

	snprintf(name, sizeof(name), "%s.weight", prefix);
	weight = model_param(model, name);
	snprintf(name, sizeof(name), "%s.bias", prefix);
	bias = model_param(model, name);
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
			mean = model_param(model, name)[unit];
			snprintf(name, sizeof(name), "%s.variance", prefix);
			variance = model_param(model, name)[unit];
			snprintf(name, sizeof(name), "%s.scale", prefix);
			z = (z - mean) / sqrt(variance + 1e-5) * model_param(model, name)[unit];
		}
		z += bias[unit];
		out[o] = z > 0 ? z : 0;
	}
}

static void
softmax(double *x, const bool *open, int n)
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

/* x0 [F * E] */
static void
embed(const Model *model, const uint32_t *ids, const uint64_t *list_start,
	  const uint32_t *list_members, double *x0)
{
	int			dim = model->config.embed_dim;

	for (int f = 0; f < model->shape.n_fields; f++)
	{
		const real *table = param(model, "embedding.%d", model->shape.field_table[f]);
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
}

/* The weight of a value in the row's domain, if training rows had that pair. */
static double
domain_weight(const Model *model, int f, const uint32_t *ids)
{
	const real *weights = param(model, "domain_wide.%d", f);
	const DomainPairs *pairs = &model->pairs[f];
	uint32_t	domain = ids[model->shape.domain_field];

	if (weights)
		for (uint32_t i = pairs->start[ids[f]]; i < pairs->start[ids[f] + 1]; i++)
			if (pairs->domain[i] + FIRST_ID == domain)
				return weights[i];
	return 0;
}

static double
wide(const Model *model, const uint32_t *ids, const uint64_t *list_start,
	 const uint32_t *list_members)
{
	double		sum = *model_param(model, "bias");

	for (int f = 0; f < model->shape.n_fields; f++)
	{
		const real *weights = param(model, "wide.%d", f);

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

/* h [N_1][H] */
static void
mmoe(const Model *model, const double *x0, int width, double h[][WIDEST])
{
	const Config *config = &model->config;
	int			n_experts = config->mmoe_experts;
	int			dim = config->mmoe_dims.value[config->mmoe_dims.n - 1];
	const real *gate_weight = model_param(model, "mmoe.gate.weight");
	const real *gate_bias = model_param(model, "mmoe.gate.bias");
	static double e[MAX_EXPERTS][WIDEST];
	static double next[WIDEST];
	bool		open[MAX_EXPERTS];

	for (int m = 0; m < n_experts; m++)
	{
		int			n_in = width;

		memcpy(e[m], x0, width * sizeof(double));
		for (int k = 0; k < config->mmoe_dims.n; k++)
		{
			char		prefix[32];

			snprintf(prefix, sizeof(prefix), "mmoe.layer%d", k);
			layer(model, prefix, m, n_in, config->mmoe_dims.value[k], e[m], next);
			n_in = config->mmoe_dims.value[k];
			memcpy(e[m], next, n_in * sizeof(double));
		}
		open[m] = true;
	}
	for (int n = 0; n < config->hei_experts.value[0]; n++)
	{
		double		gate[MAX_EXPERTS];

		for (int m = 0; m < n_experts; m++)
		{
			gate[m] = gate_bias[n * n_experts + m];
			for (int i = 0; i < width; i++)
				gate[m] += (double) gate_weight[((size_t) n * n_experts + m) * width + i] * x0[i];
		}
		softmax(gate, open, n_experts);
		for (int i = 0; i < dim; i++)
		{
			h[n][i] = 0;
			for (int m = 0; m < n_experts; m++)
				h[n][i] += gate[m] * e[m][i];
		}
	}
}

static void
cross_network(const Model *model, const double *x0, int width, double *x)
{
	memcpy(x, x0, width * sizeof(double));
	for (int k = 0; k < model->config.cross_layers; k++)
	{
		const real *v = model_param(model, "cross.weight") + (size_t) k * width;
		const real *b = model_param(model, "cross.bias") + (size_t) k * width;
		double		product = 0;

		for (int i = 0; i < width; i++)
			product += x[i] * v[i];
		for (int i = 0; i < width; i++)
			x[i] += x0[i] * product + b[i];
	}
}

/* Is the gate from expert i of layer l - 1 to expert n of layer l open? */
static bool
gate_open(const Model *model, const uint8_t *mask, int l, int i, int n)
{
	return !mask || mask[gate_at(&model->config.hei_experts, l, i, n)];
}

/* First-layer experts with an open output; their mean group vector behind the domain's. */
static void
gate_input(const Model *model, const uint8_t *mask, uint32_t domain_id, double *in)
{
	const Config *config = &model->config;
	int			dim = config->embed_dim;
	int			table = model->shape.field_table[model->shape.domain_field];
	const real *vector = param(model, "embedding.%d", table) + (size_t) domain_id * dim;
	const real *group = model_param(model, "hei.group");
	int			n_used = 0;

	for (int e = 0; e < dim; e++)
	{
		in[e] = vector[e];
		in[dim + e] = 0;
	}
	for (int i = 0; mask && i < config->hei_experts.value[0]; i++)
	{
		bool		used = false;

		for (int n = 0; n < config->hei_experts.value[1]; n++)
			used |= gate_open(model, mask, 2, i, n);
		n_used += used;
		for (int e = 0; used && e < dim; e++)
			in[dim + e] += group[i * dim + e];
	}
	for (int e = 0; n_used > 0 && e < dim; e++)
		in[dim + e] /= n_used;
}

/* in of expert n of layer l: gates over the open experts below (4); false: none open. */
static bool
mix(const Model *model, const uint8_t *mask, const double *gate_in, int l, int n,
	double below[][WIDEST], double *in)
{
	const Config *config = &model->config;
	int			n_below = config->hei_experts.value[l - 2];
	int			dim = 2 * config->embed_dim;
	const real *weight = param(model, "hei%d.gate.weight", l);
	const real *bias = param(model, "hei%d.gate.bias", l);
	double		gate[MAX_EXPERTS];
	bool		open[MAX_EXPERTS];
	bool		any = false;

	for (int i = 0; i < n_below; i++)
	{
		open[i] = gate_open(model, mask, l, i, n);
		any |= open[i];
		gate[i] = bias[n * n_below + i];
		for (int e = 0; e < dim; e++)
			gate[i] += (double) weight[((size_t) n * n_below + i) * dim + e] * gate_in[e];
	}
	softmax(gate, open, n_below);
	for (int k = 0; k < config->hei_output.value[l - 2]; k++)
	{
		in[k] = 0;
		for (int i = 0; i < n_below; i++)
			if (open[i])
				in[k] += gate[i] * below[i][k];
	}
	return any;
}

/* Mean of the heads' sigmoids, head j reading e[j]; closed[j] ones are left out. */
static double
heads(const Model *model, double e[][WIDEST], const bool *open, int n_heads, int n_in,
	  const double *cross, int width, double base)
{
	const real *weight = model_param(model, "head.weight");
	const real *cross_weight = model_param(model, "head.cross");
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

static double
hei(const Model *model, double h[][WIDEST], const double *cross, int width, double base,
	uint32_t domain_id)
{
	const Config *config = &model->config;
	int64_t		domain = domain_of_id(domain_id);
	const uint8_t *mask = domain >= 0 && model->has_mask[domain] ?
		model->masks + (size_t) domain * model->n_gates : NULL;
	static double e[2][MAX_EXPERTS][WIDEST];
	static double in[WIDEST];
	static double hidden[WIDEST];
	double		gate_in[2 * WIDEST];
	bool		open[MAX_EXPERTS];
	int			last = config->hei_experts.n;

	gate_input(model, mask, domain < 0 ? UNSEEN_ID : domain_id, gate_in);
	for (int l = 1; l <= last; l++)
		for (int n = 0; n < config->hei_experts.value[l - 1]; n++)
		{
			char		prefix[48];
			int			n_in = l == 1 ? config->mmoe_dims.value[config->mmoe_dims.n - 1] :
				config->hei_output.value[l - 2];

			open[n] = l == 1 || mix(model, mask, gate_in, l, n, e[(l - 1) % 2], in);
			if (!open[n])
				continue;
			snprintf(prefix, sizeof(prefix), "hei%d.expert%d.layer0", l, n + 1);
			layer(model, prefix, 0, n_in, config->hei_hidden.value[l - 1], l == 1 ? h[n] : in,
				  hidden);
			snprintf(prefix, sizeof(prefix), "hei%d.expert%d.layer1", l, n + 1);
			layer(model, prefix, 0, config->hei_hidden.value[l - 1],
				  config->hei_output.value[l - 1], hidden, e[l % 2][n]);
		}
	return heads(model, e[last % 2], open, config->hei_experts.value[last - 1],
				 config->hei_output.value[last - 1], cross, width, base);
}

static double
raw_score(const Model *model, const uint32_t *ids, const uint64_t *list_start,
		  const uint32_t *list_members)
{
	const Config *config = &model->config;
	int			width = model->shape.n_fields * config->embed_dim;
	static double x0[WIDEST];
	static double cross[WIDEST];
	static double h[MAX_EXPERTS][WIDEST];
	bool		open[MAX_EXPERTS];
	double		logit = wide(model, ids, list_start, list_members);

	if (config->architecture == ARCH_WIDE)
		return 1 / (1 + exp(-logit));
	embed(model, ids, list_start, list_members, x0);
	if (config_has_pairwise(config))
		for (int f = 0; f < model->shape.n_fields; f++)
			for (int g = 0; g < f; g++)
				for (int e = 0; e < config->embed_dim; e++)
					logit += x0[f * config->embed_dim + e] * x0[g * config->embed_dim + e];
	if (!config_has_mmoe(config))
		return 1 / (1 + exp(-logit));
	mmoe(model, x0, width, h);
	cross_network(model, x0, width, cross);
	for (int n = 0; model_param(model, "mmoe.skip") && n < config->hei_experts.value[0]; n++)
		for (int i = 0; i < config->mmoe_dims.value[config->mmoe_dims.n - 1]; i++)
			logit += h[n][i] * model_param(model, "mmoe.skip")
				[n * config->mmoe_dims.value[config->mmoe_dims.n - 1] + i];
	if (config_has_hei(config))
		return hei(model, h, cross, width, logit, ids[model->shape.domain_field]);
	for (int n = 0; n < MAX_EXPERTS; n++)
		open[n] = true;
	return heads(model, h, open, config->hei_experts.value[0],
				 config->mmoe_dims.value[config->mmoe_dims.n - 1], cross, width, logit);
}

double
reference_score(const Model *model, const uint32_t *ids, const uint64_t *list_start,
				const uint32_t *list_members)
{
	const real *calibration = model_param(model, "calibration");
	double		p = raw_score(model, ids, list_start, list_members);
	double		odds = pow(p / (1 - p), exp(calibration[0])) * exp(calibration[1]);

	return odds / (1 + odds);
}
