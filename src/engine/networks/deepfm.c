/*
 * deepfm.c
 *	  DeepFM (Guo et al. 2017): a factorization machine and a deep network read
 *	  the same vectors; their logits are added.
 *
 *	  ids -> x0 -> deep -> head -> logit
 *			  \--> pairwise ---/
 *	  ids -> wide ------------/
 */
#include "engine/networks/architecture.h"

#include "engine/layers/embedding.h"
#include "engine/layers/experts.h"
#include "engine/layers/heads.h"
#include "engine/layers/pairwise.h"
#include "engine/layers/taste.h"
#include "engine/layers/wide.h"

static void
build(NetworkPlan *plan, const Config *config)
{
	int			x0 = plan_embedding(plan);
	int			deep;

	plan_wide(plan, config->wide);
	deep = plan_experts(plan, "deep", x0, 1, &config->deep_dims);
	plan_pairwise(plan, x0);
	plan_taste(plan);
	plan_cut(plan);
	plan_heads(plan, deep, NO_SLOT);
}

const Architecture architecture_deepfm = {
	.name = "deepfm",
	.meaning = "DeepFM: a factorization machine and a deep network over the same vectors",
	.reference = "Guo et al., IJCAI 2017",
	.build = build,
	.options = OPTIONS_OF_BATCHES OPTIONS_OF_MLPS " deep_dims",
	.strategy = STRATEGY_PLAIN
};
