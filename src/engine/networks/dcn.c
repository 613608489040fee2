/*
 * dcn.c
 *	  Deep & Cross Network (Wang et al. 2017): a cross network and a deep network
 *	  beside each other, and one head on both.
 *
 *	  ids -> x0 -> deep --> head -> logit
 *			  \--> cross --/
 *	  ids -> wide --------/
 */
#include "engine/networks/architecture.h"

#include "engine/layers/cross.h"
#include "engine/layers/embedding.h"
#include "engine/layers/experts.h"
#include "engine/layers/heads.h"
#include "engine/layers/taste.h"
#include "engine/layers/wide.h"

static void
build(NetworkPlan *plan, const Config *config)
{
	int			x0 = plan_embedding(plan);
	int			deep;
	int			cross;

	plan_wide(plan, config->wide);
	deep = plan_experts(plan, "deep", x0, 1, &config->deep_dims);
	cross = plan_cross(plan, x0, config->cross_layers);
	plan_taste(plan);
	plan_cut(plan);
	plan_heads(plan, deep, cross);
}

const Architecture architecture_dcn = {
	.name = "dcn",
	.meaning = "Deep & Cross Network: a cross network beside a deep one",
	.reference = "Wang et al., ADKDD 2017",
	.build = build,
	.options = OPTIONS_OF_BATCHES OPTIONS_OF_MLPS " deep_dims cross_layers",
	.strategy = STRATEGY_PLAIN
};
