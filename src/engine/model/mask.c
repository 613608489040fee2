/*
 * mask.c
 *	  Masks over the gates between HEI layers.
 */
#include "engine/model/mask.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/model/model.h"

/* Gate (l, i, n) in gate order. */
static int
gate_at(const Config *config, int l, int i, int n)
{
	return model_gate_offset(config, l) + i * config->hei_experts.value[l - 1] + n;
}

static bool
has_input(const Config *config, const uint8_t *mask, int l, int n)
{
	for (int i = 0; i < config->hei_experts.value[l - 2]; i++)
		if (mask[gate_at(config, l, i, n)])
			return true;
	return false;
}

static bool
has_output(const Config *config, const uint8_t *mask, int l, int n)
{
	for (int k = 0; k < config->hei_experts.value[l]; k++)
		if (mask[gate_at(config, l + 1, n, k)])
			return true;
	return false;
}

static void
close_inputs(const Config *config, uint8_t *mask, int l, int n)
{
	for (int i = 0; i < config->hei_experts.value[l - 2]; i++)
		mask[gate_at(config, l, i, n)] = 0;
}

static void
close_outputs(const Config *config, uint8_t *mask, int l, int n)
{
	for (int k = 0; k < config->hei_experts.value[l]; k++)
		mask[gate_at(config, l + 1, n, k)] = 0;
}

/*
 * An upward sweep closes outputs of experts without input, a downward one
 * inputs of experts without output; the downward sweep leaves every expert
 * that it passes with input and output or with neither, so two sweeps settle it.
 */
bool
mask_make_valid(const Config *config, uint8_t *mask)
{
	int			layers = config->hei_experts.n;

	for (int l = 2; l < layers; l++)
		for (int n = 0; n < config->hei_experts.value[l - 1]; n++)
			if (!has_input(config, mask, l, n))
				close_outputs(config, mask, l, n);
	for (int l = layers - 1; l >= 2; l--)
		for (int n = 0; n < config->hei_experts.value[l - 1]; n++)
			if (!has_output(config, mask, l, n))
				close_inputs(config, mask, l, n);
	return mask_open(config, mask) > 0;
}

bool
mask_is_valid(const Config *config, const uint8_t *mask)
{
	int			layers = config->hei_experts.n;

	for (int l = 2; l < layers; l++)
		for (int n = 0; n < config->hei_experts.value[l - 1]; n++)
			if (has_input(config, mask, l, n) != has_output(config, mask, l, n))
				return false;
	return mask_open(config, mask) > 0;
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
masks_are_valid(const Config *config, const uint8_t *masks, const void *has_mask,
				uint32_t n_domains)
{
	const uint8_t *has = has_mask;
	size_t		n_gates = config_n_gates(config);

	if (!are_bits(masks, n_domains * n_gates) || (has && !are_bits(has, n_domains)))
		return false;
	for (uint32_t d = 0; d < n_domains; d++)
		if ((!has || has[d]) && !mask_is_valid(config, masks + d * n_gates))
			return false;
	return true;
}

int
mask_open(const Config *config, const uint8_t *mask)
{
	int			open = 0;

	for (int g = 0; g < config_n_gates(config); g++)
		open += mask[g];
	return open;
}

double
mask_density(const Config *config, const uint8_t *mask)
{
	return (double) mask_open(config, mask) / config_n_gates(config);
}

void
mask_used_experts(const Config *config, const uint8_t *mask, int layer, bool *used)
{
	for (int n = 0; n < config->hei_experts.value[layer - 1]; n++)
		used[n] = layer > 1 ? has_input(config, mask, layer, n) :
			has_output(config, mask, layer, n);
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

void
mask_candidate(const Config *config, const real *strength, const uint8_t *present,
			   double density, double sigma, Random *random, uint8_t *mask)
{
	int			n = config_n_gates(config);
	int			n_top = (int) fmax(1, round(density * n));
	RankedGate	ranked[MAX_GATES];

	rank_gates(strength, n, ranked);
	for (;; n_top++)
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
		if (mask_make_valid(config, mask))
			return;
	}
}

int
mask_prune(const Config *config, const real *strength, double ratio, uint8_t *mask)
{
	int			n = config_n_gates(config);
	int			open = mask_open(config, mask);
	int			wanted = (int) fmax(1, round(ratio * open));
	RankedGate	ranked[MAX_GATES];
	uint8_t		pruned[MAX_GATES];

	rank_gates(strength, n, ranked);
	for (int i = n - 1; i >= 0 && open - mask_open(config, mask) < wanted; i--)
	{
		if (!mask[ranked[i].gate])
			continue;
		memcpy(pruned, mask, n);
		pruned[ranked[i].gate] = 0;
		if (mask_make_valid(config, pruned))
			memcpy(mask, pruned, n);
	}
	return open - mask_open(config, mask);
}

double
mask_overlap(const Config *config, const uint8_t *a, const uint8_t *b, int layer)
{
	int			from = layer > 0 ? model_gate_offset(config, layer) : 0;
	int			to = layer > 0 ? model_gate_offset(config, layer + 1) : config_n_gates(config);
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
mask_chance_overlap(const Config *config, const uint8_t *a, const uint8_t *b, int layer)
{
	double		both = 0;
	double		either = 0;

	for (int l = 2; l <= config->hei_experts.n; l++)
	{
		int			from = model_gate_offset(config, l);
		int			to = model_gate_offset(config, l + 1);
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

int
config_n_experts(const Config *config)
{
	int			n = 0;

	for (int l = 0; l < config->hei_experts.n; l++)
		n += config->hei_experts.value[l];
	return n;
}

void
mask_flow(const Config *config, const real *gates, const uint8_t *mask, double *flow)
{
	int			layers = config->hei_experts.n;
	int			last = config->hei_experts.value[layers - 1];
	double	   *upper = flow + config_n_experts(config) - last;
	bool		used[MAX_EXPERTS];
	int			n_used = 0;

	memset(used, true, sizeof(used));
	if (mask && layers > 1)
		mask_used_experts(config, mask, layers, used);
	for (int n = 0; n < last; n++)
		n_used += used[n];
	for (int n = 0; n < last; n++)
		upper[n] = used[n] ? 1.0 / n_used : 0;
	for (int l = layers; l >= 2; l--)
	{
		int			below = config->hei_experts.value[l - 2];
		double	   *lower = upper - below;

		for (int i = 0; i < below; i++)
		{
			lower[i] = 0;
			for (int n = 0; n < config->hei_experts.value[l - 1]; n++)
				lower[i] += upper[n] * gates[gate_at(config, l, i, n)];
		}
		upper = lower;
	}
}
