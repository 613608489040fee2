/*
 * mmoe.c
 *	  The base recommender: mixtures of experts (Ma et al. 2018), each with a
 *	  head, and a cross network beside them.
 *
 *	  ids -> x0 -> experts -> mixtures h -> heads -> logit
 *			  \--> gates ----/            /
 *			  \--> cross ----------------/
 *	  ids -> wide (+ pairwise) ---------/
 */
#include "engine/networks/mmoe.h"

#include "engine/layers/cross.h"
#include "engine/layers/embedding.h"
#include "engine/layers/experts.h"
#include "engine/layers/gate.h"
#include "engine/layers/heads.h"
#include "engine/layers/mix.h"
#include "engine/layers/pairwise.h"
#include "engine/layers/skip.h"
#include "engine/layers/taste.h"
#include "engine/layers/wide.h"

MmoeBase
plan_mmoe_base(NetworkPlan *plan, const Config *config, int n_mixtures, bool skip)
{
	int			x0 = plan_embedding(plan);
	MmoeBase	base;
	int			e;

	plan_wide(plan, config->wide);
	e = plan_experts(plan, "mmoe", x0, config->mmoe_experts, &config->mmoe_dims);
	base.h = plan_mix(plan, plan_gate(plan, "mmoe.gate", x0, n_mixtures, config->mmoe_experts), e);
	if (skip)
		plan_skip(plan, "mmoe.skip", base.h);
	base.cross = plan_cross(plan, x0, config->cross_layers);
	if (config->pairwise)
		plan_pairwise(plan, x0);
	plan_taste(plan);
	return base;
}

static void
build(NetworkPlan *plan, const Config *config)
{
	MmoeBase	base = plan_mmoe_base(plan, config, config->mmoe_mixtures, false);

	plan_cut(plan);
	plan_heads(plan, base.h, base.cross);
}

const Architecture architecture_mmoe = {
	.name = "mmoe",
	.meaning = "the base recommender, mixtures of experts",
	.reference = "Ma et al., KDD 2018",
	.build = build,
	.options = OPTIONS_OF_MMOE " mmoe_mixtures",
	.strategy = STRATEGY_PLAIN
};
