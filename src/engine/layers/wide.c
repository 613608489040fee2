/*
 * wide.c
 *	  The wide part's logit.
 */
#include "engine/layers/wide.h"

#include <stdio.h>

#include "engine/data/vectors.h"

/* So many rows ahead. */
#define AHEAD 4
/* What a weight costs, in multiply-adds, for it comes from memory. */
#define FETCH_WORK 16

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
value_weight(const Wide *wide, const Batch *batch, int b, int f, Watch *watch)
{
	const uint32_t *members;
	uint32_t	n = batch_members(batch, wide->shape, b, f, &members);
	real		sum = 0;

	if (shape_is_dense(wide->shape, f))
		return vector_dot(members, n, wide->weights[f]);
	for (uint32_t i = 0; i < n; i++)
	{
		if (i % WATCH_MEMBERS == 0 && watch_worked(watch, WATCH_MEMBERS * FETCH_WORK))
			break;
		sum += wide->weights[f][members[i]];
	}
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

/* Large vocabularies are seldom in the processor's cache: a row's weights are fetched ahead. */
static void
prefetch_row(const Wide *wide, const Batch *batch, int b)
{
	int			n_fields = wide->shape->n_fields;

	for (int f = 0; f < n_fields; f++)
	{
		const uint32_t *members;
		uint32_t	n = batch_members(batch, wide->shape, b, f, &members);

		for (uint32_t i = 0; i < n && i < WATCH_MEMBERS && wide->weights[f] &&
			 !shape_is_dense(wide->shape, f); i++)
			__builtin_prefetch(&wide->weights[f][members[i]]);
		if (wide->weights[n_fields + f])
			__builtin_prefetch(&wide->pairs[f].start[*members]);
	}
}

/* The pairs of a row, once prefetch_row() has fetched where they begin. */
static void
prefetch_pairs(const Wide *wide, const Batch *batch, int b)
{
	int			n_fields = wide->shape->n_fields;

	for (int f = 0; f < n_fields; f++)
	{
		uint32_t	pair;

		if (!wide->weights[n_fields + f])
			continue;
		pair = wide->pairs[f].start[batch->ids[(size_t) b * n_fields + f]];
		__builtin_prefetch(&wide->pairs[f].domain[pair]);
		__builtin_prefetch(&wide->weights[n_fields + f][pair]);
	}
}

void
wide_forward(const Wide *wide, const Batch *batch, int from, int to, real *logit,
			 Watch *watch)
{
	int			s = 0;

	for (int b = from; b < from + 2 * AHEAD && b < to; b++)
		prefetch_row(wide, batch, b);
	for (int b = from; b < from + AHEAD && b < to; b++)
		prefetch_pairs(wide, batch, b);
	for (int b = from; b < to; b++)
	{
		if (b + 2 * AHEAD < to)
			prefetch_row(wide, batch, b + 2 * AHEAD);
		if (b + AHEAD < to)
			prefetch_pairs(wide, batch, b + AHEAD);
		while (b >= batch->segments[s].start + batch->segments[s].n_rows)
			s++;
		logit[b] = *wide->bias;
		for (int f = 0; f < wide->shape->n_fields && wide->weights[f]; f++)
			logit[b] += value_weight(wide, batch, b, f, watch) +
				domain_weight(wide, batch, b, f, batch->segments[s].domain);
	}
}
