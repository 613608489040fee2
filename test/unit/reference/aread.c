/*
 * aread.c
 *	  Hierarchical experts on MMoE's mixtures, under the domain's mask.
 */
#include "reference/reference.h"

#include <stdio.h>

#include "engine/model/gates.h"

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
	const real *vector = reference_param(model, "embedding.%d", table) + (size_t) domain_id * dim;
	const real *group = model_named(model, "hei.group");
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
	double below[][REFERENCE_WIDEST], double *in)
{
	const Config *config = &model->config;
	int			n_below = config->hei_experts.value[l - 2];
	int			dim = 2 * config->embed_dim;
	const real *weight = reference_param(model, "hei%d.gate.weight", l);
	const real *bias = reference_param(model, "hei%d.gate.bias", l);
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
	reference_softmax(gate, open, n_below);
	for (int k = 0; k < config->hei_output.value[l - 2]; k++)
	{
		in[k] = 0;
		for (int i = 0; i < n_below; i++)
			if (open[i])
				in[k] += gate[i] * below[i][k];
	}
	return any;
}

static double
hei(const Model *model, double h[][REFERENCE_WIDEST], const double *cross, int width, double base,
	uint32_t domain_id)
{
	const Config *config = &model->config;
	int64_t		domain = domain_of_id(domain_id);
	const uint8_t *mask = model->masks_rule && domain >= 0 && model->has_mask[domain] ?
		model->masks + (size_t) domain * model->n_gates : NULL;
	static double e[2][MAX_EXPERTS][REFERENCE_WIDEST];
	static double in[REFERENCE_WIDEST];
	static double hidden[REFERENCE_WIDEST];
	double		gate_in[2 * REFERENCE_WIDEST];
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
			reference_layer(model, prefix, 0, n_in, config->hei_hidden.value[l - 1], l == 1 ? h[n] : in,
				  hidden);
			snprintf(prefix, sizeof(prefix), "hei%d.expert%d.layer1", l, n + 1);
			reference_layer(model, prefix, 0, config->hei_hidden.value[l - 1],
				  config->hei_output.value[l - 1], hidden, e[l % 2][n]);
		}
	return reference_heads(model, e[last % 2], open, config->hei_experts.value[last - 1],
				 config->hei_output.value[last - 1], cross, width, base);
}

static double
score(const ReferenceRow *row)
{
	const Model *model = row->model;
	const Config *config = &model->config;
	static double x0[REFERENCE_WIDEST];
	static double cross[REFERENCE_WIDEST];
	static double h[MAX_EXPERTS][REFERENCE_WIDEST];
	int			dim = config->mmoe_dims.value[config->mmoe_dims.n - 1];
	int			width = reference_embed(row, x0);
	const real *skip = model_named(model, "mmoe.skip");
	double		logit = reference_wide(row) + reference_taste(row);

	if (config->pairwise)
		logit += reference_pairwise(model, x0);
	reference_mixtures(model, x0, width, config->hei_experts.value[0], h);
	reference_cross(model, x0, width, cross);
	for (int n = 0; skip && n < config->hei_experts.value[0]; n++)
		for (int i = 0; i < dim; i++)
			logit += h[n][i] * skip[n * dim + i];
	return hei(model, h, cross, width, logit, row->ids[model->shape.domain_field]);
}

REFERENCE(hei, score);
REFERENCE(hemp, score);
REFERENCE(aread, score);
