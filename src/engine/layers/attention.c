/*
 * attention.c
 *	  Weights of the members of a history, forward and backward, one pair at a time.
 *
 * A pair costs units * E multiply-adds, and folding three times as many for each row.
 */
#include "engine/layers/attention.h"

void
attention_plan(AttentionTensors *tensors, NetworkPlan *plan, const char *name)
{
	uint32_t	dim = plan->config->embed_dim;

	tensors->weight = plan_dense(plan, START_FAN_IN, true, ATTENTION_UNITS, 3 * dim, 0,
								 "%s.weight", name);
	tensors->bias = plan_dense(plan, START_ZERO, false, ATTENTION_UNITS, 0, 0, "%s.bias", name);
	tensors->out = plan_dense(plan, START_SMALL, true, ATTENTION_UNITS, 0, 0, "%s.out", name);
	tensors->base = plan_dense(plan, START_ONE, false, 1, 0, 0, "%s.base", name);
}

void
attention_bind(Attention *attention, const AttentionTensors *tensors, const Model *model)
{
	attention->weight = model_param(model, tensors->weight);
	attention->bias = model_param(model, tensors->bias);
	attention->out = model_param(model, tensors->out);
	attention->base = model_param(model, tensors->base);
	attention->dim = model->config.embed_dim;
}

void
attention_fold(const Attention *attention, const real *q, AttentionFold *fold)
{
	size_t		dim = attention->dim;

	for (int h = 0; h < ATTENTION_UNITS; h++)
	{
		const real *w = attention->weight + 3 * dim * h;
		real	   *folded = fold->weight + dim * h;

		for (size_t e = 0; e < dim; e++)
			folded[e] = w[e] + w[2 * dim + e] * q[e];
		fold->bias[h] = attention->bias[h] + dot(w + dim, q, dim);
	}
}

real
attention_weight(const Attention *attention, const AttentionFold *fold, const real *m)
{
	real		a = *attention->base;

	for (int h = 0; h < ATTENTION_UNITS; h++)
	{
		real		z = fold->bias[h] + dot(fold->weight + attention->dim * h, m, attention->dim);

		if (z > 0)
			a += attention->out[h] * z;
	}
	return a;
}

void
attention_backward(const Attention *attention, const AttentionFold *fold, const real *m,
				   real d_weight, real *d_m, AttentionFold *d_fold, Pass *pass)
{
	size_t		dim = attention->dim;
	real	   *d_out = pass_gradient(pass, attention->out);

	*pass_gradient(pass, attention->base) += d_weight;
	for (int h = 0; h < ATTENTION_UNITS; h++)
	{
		real		z = fold->bias[h] + dot(fold->weight + dim * h, m, dim);
		real		d_z = d_weight * attention->out[h];

		if (z <= 0)
			continue;
		d_out[h] += d_weight * z;
		d_fold->bias[h] += d_z;
		add_scaled(d_fold->weight + dim * h, d_z, m, dim);
		add_scaled(d_m, d_z, fold->weight + dim * h, dim);
	}
}

void
attention_fold_backward(const Attention *attention, const real *q, const AttentionFold *d_fold,
						real *d_q, Pass *pass)
{
	size_t		dim = attention->dim;
	real	   *d_bias = pass_gradient(pass, attention->bias);

	for (int h = 0; h < ATTENTION_UNITS; h++)
	{
		const real *w = attention->weight + 3 * dim * h;
		const real *d_folded = d_fold->weight + dim * h;
		real	   *d_w = pass_gradient(pass, w);

		d_bias[h] += d_fold->bias[h];
		add_scaled(d_w, 1, d_folded, dim);
		add_scaled(d_w + dim, d_fold->bias[h], q, dim);
		add_scaled(d_q, d_fold->bias[h], w + dim, dim);
		for (size_t e = 0; e < dim; e++)
		{
			d_w[2 * dim + e] += d_folded[e] * q[e];
			d_q[e] += d_folded[e] * w[2 * dim + e];
		}
	}
}
