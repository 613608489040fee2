/*
 * test_mask.c
 *	  Masks: validity, pruning, candidates and overlap against plain rules.
 */
#include <math.h>
#include <string.h>

#include "engine/model/gates.h"
#include "engine/model/mask.h"
#include "unit.h"

#define GATES (2 * 3 + 3 * 4)

/* Two layers of gates: 2 experts below 3 below 4. */
static const IntList experts = {3, {2, 3, 4}};

/* Gate of layer 2 (lower 0..1, upper 0..2) or 3 (lower 0..2, upper 0..3). */
static int
gate(int layer, int lower, int upper)
{
	return layer == 2 ? lower * 3 + upper : 6 + lower * 4 + upper;
}

/* Every expert that is fed feeds on, and the other way round; somebody answers. */
static bool
follows_rules(const uint8_t *mask)
{
	bool		answers = false;

	for (int middle = 0; middle < 3; middle++)
	{
		bool		fed = false;
		bool		feeds = false;

		for (int lower = 0; lower < 2; lower++)
			fed = fed || mask[gate(2, lower, middle)];
		for (int upper = 0; upper < 4; upper++)
			feeds = feeds || mask[gate(3, middle, upper)];
		if (fed != feeds)
			return false;
		answers = answers || fed;
	}
	return answers;
}

/* All 2^18 masks: made valid they follow the rules, and lose only what they must. */
static void
test_validity(void)
{
	int			bad = 0;

	for (uint32_t bits = 0; bits < 1u << GATES; bits++)
	{
		uint8_t		mask[GATES];
		uint8_t		valid[GATES];
		bool		has_path = false;

		for (int g = 0; g < GATES; g++)
			valid[g] = mask[g] = bits >> g & 1;
		for (int lower = 0; lower < 2; lower++)
			for (int middle = 0; middle < 3; middle++)
				for (int upper = 0; upper < 4; upper++)
					has_path = has_path || (mask[gate(2, lower, middle)] &&
											mask[gate(3, middle, upper)]);
		if (mask_make_valid(&experts, valid) != has_path)
			bad++;
		if (!has_path)
			continue;
		if (!follows_rules(valid) || !mask_is_valid(&experts, valid))
			bad++;
		if (mask_is_valid(&experts, mask) != follows_rules(mask))
			bad++;
		for (int g = 0; g < GATES; g++)
			if (valid[g] > mask[g])
				bad++;
	}
	CHECK(bad == 0);
}

/* Closes round(ratio * open) of the lowest gates, and never the last path. */
static void
test_pruning(void)
{
	real		gates[GATES];
	uint8_t		mask[GATES];
	int			rounds = 0;

	for (int g = 0; g < GATES; g++)
		gates[g] = (real) (g + 1);
	memset(mask, 1, GATES);
	CHECK(mask_open(&experts, mask) == GATES);
	CHECK(mask_prune(&experts, gates, 0.1, mask) >= 2);
	CHECK(!mask[0] && !mask[1] && mask[2]);
	CHECK(mask_open(&experts, mask) == GATES - 2);
	while (mask_prune(&experts, gates, 0.2, mask) > 0 && rounds++ < 100)
		CHECK(follows_rules(mask));
	CHECK(mask_open(&experts, mask) == 2);
	CHECK(rounds < 100);
	/* what diverged has no strength, so it is closed first */
	gates[7] = gates[12] = NAN;
	memset(mask, 1, GATES);
	CHECK(mask_prune(&experts, gates, 0.1, mask) == 2);
	CHECK(!mask[7] && !mask[12]);
}

static void
test_candidates(void)
{
	real		gates[GATES];
	uint8_t		present[GATES] = {0};
	uint8_t		mask[GATES];
	Random		random;
	double		density = 0;
	const IntList narrow = {8, {1, 1, 1, 1, 1, 1, 1, 1}};

	for (int g = 0; g < GATES; g++)
		gates[g] = (real) ((g * 7) % GATES);
	random_start(&random, 3, RANDOM_MASKS, 0);
	/* without flips: the top gates, and the present mask */
	mask_candidate(&experts, gates, NULL, 1.0, 0, &random, mask);
	CHECK(mask_open(&experts, mask) == GATES);
	present[gate(2, 0, 0)] = present[gate(3, 0, 0)] = 1;
	mask_candidate(&experts, gates, present, 0.5, 0, &random, mask);
	CHECK(mask[gate(2, 0, 0)] && mask[gate(3, 0, 0)]);
	CHECK(follows_rules(mask));
	for (int i = 0; i < 500; i++)
	{
		mask_candidate(&experts, gates, NULL, 0.1, 0.5, &random, mask);
		CHECK(follows_rules(mask));
		density += mask_density(&experts, mask) / 500;
	}
	CHECK(density > 0.05 && density < 0.7);
	/* one in a thousand million draws is valid */
	mask_candidate(&narrow, gates, NULL, 0.5, 10, &random, mask);
	CHECK(mask_open(&narrow, mask) == 7);
}

static void
test_overlap(void)
{
	uint8_t		a[GATES] = {0};
	uint8_t		b[GATES] = {0};

	CHECK(isnan(mask_overlap(&experts, a, b, 0)));
	a[0] = a[1] = a[6] = 1;
	b[1] = b[2] = b[6] = b[7] = 1;
	CHECK(fabs(mask_overlap(&experts, a, b, 2) - 1.0 / 3) < 1e-12);
	CHECK(fabs(mask_overlap(&experts, a, b, 3) - 1.0 / 2) < 1e-12);
	CHECK(fabs(mask_overlap(&experts, a, b, 0) - 2.0 / 5) < 1e-12);
	CHECK(mask_overlap(&experts, a, a, 0) == 1);
}

static void
test_used_experts(void)
{
	uint8_t		mask[GATES] = {0};
	bool		used[MAX_EXPERTS];

	mask[gate(2, 1, 2)] = mask[gate(3, 2, 0)] = mask[gate(3, 2, 3)] = 1;
	mask_used_experts(&experts, mask, 1, used);
	CHECK(!used[0] && used[1]);
	mask_used_experts(&experts, mask, 2, used);
	CHECK(!used[0] && !used[1] && used[2]);
	mask_used_experts(&experts, mask, 3, used);
	CHECK(used[0] && !used[1] && !used[2] && used[3]);
}

/* Layer 2 has 6 gates, layer 3 has 12; chance by hand. */
static void
test_chance_overlap(void)
{
	uint8_t		a[GATES] = {0};
	uint8_t		b[GATES] = {0};

	a[gate(2, 0, 0)] = a[gate(2, 0, 1)] = a[gate(2, 1, 2)] = 1;
	b[gate(2, 0, 0)] = b[gate(2, 1, 1)] = 1;
	/* 3 * 2 / 6 = 1 shared of 3 + 2 - 1 = 4 */
	CHECK(fabs(mask_chance_overlap(&experts, a, b, 2) - 0.25) < 1e-12);
	CHECK(isnan(mask_chance_overlap(&experts, a, b, 3)));
	for (int k = 0; k < 4; k++)
		a[gate(3, 0, k)] = 1;
	for (int middle = 0; middle < 2; middle++)
		for (int k = 0; k < 3; k++)
			b[gate(3, middle, k)] = 1;
	/* 4 * 6 / 12 = 2 shared of 4 + 6 - 2 = 8; together 3 of 12 */
	CHECK(fabs(mask_chance_overlap(&experts, a, b, 3) - 0.25) < 1e-12);
	CHECK(fabs(mask_chance_overlap(&experts, a, b, 0) - 0.25) < 1e-12);
	memset(a, 1, GATES);
	memset(b, 1, GATES);
	CHECK(mask_chance_overlap(&experts, a, b, 0) == 1);
}

static void
test_flow(void)
{
	uint8_t		mask[GATES] = {0};
	real		gates[GATES] = {0};
	double		flow[9];
	const double by_hand[9] = {0.7, 0.3, 0.6, 0, 0.4, 0.5, 0, 0, 0.5};

	CHECK(experts_total(&experts) == 9);
	CHECK(gates_total(&experts) == GATES);
	CHECK(gate_at(&experts, 3, 2, 1) == gate(3, 2, 1));
	/* heads 0 and 3; head 0 stands on experts 0 and 2, head 3 on expert 0 */
	mask[gate(3, 0, 0)] = mask[gate(3, 2, 0)] = mask[gate(3, 0, 3)] = 1;
	gates[gate(3, 0, 0)] = 0.2;
	gates[gate(3, 2, 0)] = 0.8;
	gates[gate(3, 0, 3)] = 1;
	/* expert 0 stands on both below, expert 2 on the first */
	mask[gate(2, 0, 0)] = mask[gate(2, 1, 0)] = mask[gate(2, 0, 2)] = 1;
	gates[gate(2, 0, 0)] = gates[gate(2, 1, 0)] = 0.5;
	gates[gate(2, 0, 2)] = 1;
	mask_flow(&experts, gates, mask, flow);
	for (int n = 0; n < 9; n++)
		CHECK(fabs(flow[n] - by_hand[n]) < 1e-7);
	/* no mask: every head counts */
	mask_flow(&experts, gates, NULL, flow);
	for (int k = 0; k < 4; k++)
		CHECK(flow[5 + k] == 0.25);
}

int
main(void)
{
	test_validity();
	test_pruning();
	test_candidates();
	test_overlap();
	test_used_experts();
	test_chance_overlap();
	test_flow();
	return unit_summary();
}
