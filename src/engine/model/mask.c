/*
 * mask.c
 *	  Masks over the gates between HEI layers.
 */
#include "engine/model/mask.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/model/gates.h"

static bool
has_input(const IntList *experts, const uint8_t *mask, int l, int n)
{
	for (int i = 0; i < experts->value[l - 2]; i++)
		if (mask[gate_at(experts, l, i, n)])
			return true;
	return false;
}

static bool
has_output(const IntList *experts, const uint8_t *mask, int l, int n)
{
	for (int k = 0; k < experts->value[l]; k++)
		if (mask[gate_at(experts, l + 1, n, k)])
			return true;
	return false;
}

static void
close_inputs(const IntList *experts, uint8_t *mask, int l, int n)
{
	for (int i = 0; i < experts->value[l - 2]; i++)
		mask[gate_at(experts, l, i, n)] = 0;
}

static void
close_outputs(const IntList *experts, uint8_t *mask, int l, int n)
{
	for (int k = 0; k < experts->value[l]; k++)
		mask[gate_at(experts, l + 1, n, k)] = 0;
}

/*
 * An upward sweep closes outputs of experts without input, a downward one
 * inputs of experts without output; the downward sweep leaves every expert
 * that it passes with input and output or with neither, so two sweeps settle it.
 */
bool
mask_make_valid(const IntList *experts, uint8_t *mask)
{
	int			layers = experts->n;

	for (int l = 2; l < layers; l++)
		for (int n = 0; n < experts->value[l - 1]; n++)
			if (!has_input(experts, mask, l, n))
				close_outputs(experts, mask, l, n);
	for (int l = layers - 1; l >= 2; l--)
		for (int n = 0; n < experts->value[l - 1]; n++)
			if (!has_output(experts, mask, l, n))
				close_inputs(experts, mask, l, n);
	return mask_open(experts, mask) > 0;
}

bool
mask_is_valid(const IntList *experts, const uint8_t *mask)
{
	int			layers = experts->n;

	for (int l = 2; l < layers; l++)
		for (int n = 0; n < experts->value[l - 1]; n++)
			if (has_input(experts, mask, l, n) != has_output(experts, mask, l, n))
				return false;
	return mask_open(experts, mask) > 0;
}

bool
are_bits(const void *bytes, size_t n)
{
	const uint8_t *at = bytes;

	for (size_t i = 0; i < n; i++)
		if (at[i] > 1)
			return false;
	return true;
}

bool
masks_are_valid(const IntList *experts, const uint8_t *masks, const void *has_mask,
				uint32_t n_domains)
{
	const uint8_t *has = has_mask;
	size_t		n_gates = gates_total(experts);

	if (!are_bits(masks, n_domains * n_gates) || (has && !are_bits(has, n_domains)))
		return false;
	for (uint32_t d = 0; d < n_domains; d++)
		if ((!has || has[d]) && !mask_is_valid(experts, masks + d * n_gates))
			return false;
	return true;
}

int
mask_open(const IntList *experts, const uint8_t *mask)
{
	int			open = 0;

	for (int g = 0; g < gates_total(experts); g++)
		open += mask[g];
	return open;
}

double
mask_density(const IntList *experts, const uint8_t *mask)
{
	return (double) mask_open(experts, mask) / gates_total(experts);
}

void
mask_used_experts(const IntList *experts, const uint8_t *mask, int layer, bool *used)
{
	for (int n = 0; n < experts->value[layer - 1]; n++)
		used[n] = layer > 1 ? has_input(experts, mask, layer, n) :
			has_output(experts, mask, layer, n);
}

/* A gate and its strength, for ranking. */
typedef struct RankedGate
{
	real		strength;
	int			gate;
} RankedGate;

/* Strongest first, ties by gate order.  No strength is NaN. */
static int
compare_strength(const void *a, const void *b)
{
	const RankedGate *x = a;
	const RankedGate *y = b;

	if (x->strength != y->strength)
		return x->strength > y->strength ? -1 : 1;
	return x->gate - y->gate;
}

/* Strengths of a candidate that has diverged may be NaN: weakest. */
static void
rank_gates(const real *strength, int n, RankedGate *ranked)
{
	for (int g = 0; g < n; g++)
		ranked[g] = (RankedGate) {.strength = isnan(strength[g]) ? -INFINITY : strength[g],
		.gate = g};
	qsort(ranked, n, sizeof(RankedGate), compare_strength);
}

/* Draws of a candidate.  With sigma in single digits and narrow layers hardly any is valid. */
#define MAX_DRAWS 1000

void
mask_candidate(const IntList *experts, const real *strength, const uint8_t *present,
			   double density, double sigma, Random *random, uint8_t *mask)
{
	int			n = gates_total(experts);
	int			n_top = (int) fmax(1, round(density * n));
	RankedGate	ranked[MAX_GATES];

	rank_gates(strength, n, ranked);
	for (int draw = 0; draw < MAX_DRAWS; draw++, n_top++)
	{
		memset(mask, 0, n);
		for (int i = 0; i < n_top && i < n; i++)
			mask[ranked[i].gate] = 1;
		for (int g = 0; g < n; g++)
		{
			double		flip = fmin(1, fabs(sigma * random_normal(random)));

			mask[g] |= present && present[g];
			mask[g] ^= random_uniform(random) < flip;
		}
		if (mask_make_valid(experts, mask))
			return;
	}
	memset(mask, 1, n);
}

int
mask_prune(const IntList *experts, const real *strength, double ratio, uint8_t *mask)
{
	int			n = gates_total(experts);
	int			open = mask_open(experts, mask);
	int			wanted = (int) fmax(1, round(ratio * open));
	RankedGate	ranked[MAX_GATES];
	uint8_t		pruned[MAX_GATES];

	rank_gates(strength, n, ranked);
	for (int i = n - 1; i >= 0 && open - mask_open(experts, mask) < wanted; i--)
	{
		if (!mask[ranked[i].gate])
			continue;
		memcpy(pruned, mask, n);
		pruned[ranked[i].gate] = 0;
		if (mask_make_valid(experts, pruned))
			memcpy(mask, pruned, n);
	}
	return open - mask_open(experts, mask);
}

double
mask_overlap(const IntList *experts, const uint8_t *a, const uint8_t *b, int layer)
{
	int			from = layer > 0 ? gate_offset(experts, layer) : 0;
	int			to = layer > 0 ? gate_offset(experts, layer + 1) : gates_total(experts);
	int			both = 0;
	int			either = 0;

	for (int g = from; g < to; g++)
	{
		both += a[g] && b[g];
		either += a[g] || b[g];
	}
	return either > 0 ? (double) both / either : NAN;
}

double
mask_chance_overlap(const IntList *experts, const uint8_t *a, const uint8_t *b, int layer)
{
	double		both = 0;
	double		either = 0;

	for (int l = 2; l <= experts->n; l++)
	{
		int			from = gate_offset(experts, l);
		int			to = gate_offset(experts, l + 1);
		double		open_a = 0;
		double		open_b = 0;

		if (layer > 0 && l != layer)
			continue;
		for (int g = from; g < to; g++)
		{
			open_a += a[g];
			open_b += b[g];
		}
		both += open_a * open_b / (to - from);
		either += open_a + open_b - open_a * open_b / (to - from);
	}
	return either > 0 ? both / either : NAN;
}

void
mask_flow(const IntList *experts, const real *gates, const uint8_t *mask, double *flow)
{
	int			layers = experts->n;
	int			last = experts->value[layers - 1];
	double	   *upper = flow + experts_total(experts) - last;
	bool		used[MAX_EXPERTS];
	int			n_used = 0;

	memset(used, true, sizeof(used));
	if (mask && layers > 1)
		mask_used_experts(experts, mask, layers, used);
	for (int n = 0; n < last; n++)
		n_used += used[n];
	for (int n = 0; n < last; n++)
		upper[n] = used[n] ? 1.0 / n_used : 0;
	for (int l = layers; l >= 2; l--)
	{
		int			below = experts->value[l - 2];
		double	   *lower = upper - below;

		for (int i = 0; i < below; i++)
		{
			lower[i] = 0;
			for (int n = 0; n < experts->value[l - 1]; n++)
				lower[i] += upper[n] * gates[gate_at(experts, l, i, n)];
		}
		upper = lower;
	}
}
