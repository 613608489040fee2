/*
 * wide.c
 *	  The wide part's logit.
 */
#include "wide.h"

#include <stdio.h>

void
wide_bind(Wide *wide, const Model *model, Arena *arena)
{
	int			n_fields = model->shape.n_fields;

	wide->shape = &model->shape;
	wide->pairs = model->pairs;
	wide->bias = model_param(model, "bias");
	wide->weights = ARENA_ARRAY(arena, real *, 2 * (size_t) n_fields);
	for (int f = 0; f < n_fields && !arena->failed; f++)
	{
		char		name[32];

		snprintf(name, sizeof(name), "wide.%d", f);
		wide->weights[f] = model_param(model, name);
		snprintf(name, sizeof(name), "domain_wide.%d", f);
		wide->weights[n_fields + f] = model_param(model, name);
	}
}

static real
value_weight(const Wide *wide, const Batch *batch, int b, int f)
{
	const uint32_t *members;
	uint32_t	n = batch_members(batch, wide->shape, b, f, &members);
	real		sum = 0;

	for (uint32_t i = 0; i < n; i++)
		sum += wide->weights[f][members[i]];
	return n > 1 ? sum / n : sum;
}

static real
domain_weight(const Wide *wide, const Batch *batch, int b, int f, int64_t domain)
{
	const real *weights = wide->weights[wide->shape->n_fields + f];
	uint32_t	pair;

	if (!weights)
		return 0;
	pair = pairs_find(&wide->pairs[f], batch->ids[(size_t) b * batch->n_fields + f], domain);
	return pair == NO_PAIR ? 0 : weights[pair];
}

void
wide_forward(const Wide *wide, const Batch *batch, int from, int to, real *logit)
{
	int			s = 0;

	for (int b = from; b < to; b++)
	{
		while (b >= batch->segments[s].start + batch->segments[s].n_rows)
			s++;
		logit[b] = *wide->bias;
		for (int f = 0; f < wide->shape->n_fields && wide->weights[f]; f++)
			logit[b] += value_weight(wide, batch, b, f) +
				domain_weight(wide, batch, b, f, batch->segments[s].domain);
	}
}
