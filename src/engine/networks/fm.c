/*
 * fm.c
 *	  A factorization machine (Rendle 2010).
 *
 *	  ids -> x0 -> pairwise --> head -> logit
 *	  ids -> wide ---------/
 */
#include "engine/networks/architecture.h"

#include "engine/layers/embedding.h"
#include "engine/layers/heads.h"
#include "engine/layers/pairwise.h"
#include "engine/layers/taste.h"
#include "engine/layers/wide.h"

static void
build(NetworkPlan *plan, const Config *config)
{
	int			x0 = plan_embedding(plan);

	plan_wide(plan, config->wide);
	plan_pairwise(plan, x0);
	plan_taste(plan);
	plan_cut(plan);
	plan_heads(plan, NO_SLOT, NO_SLOT);
}

const Architecture architecture_fm = {
	.name = "fm",
	.meaning = "wide + factorization machine",
	.reference = "Rendle, ICDM 2010",
	.build = build,
	.options = OPTIONS_OF_BATCHES,
	.strategy = STRATEGY_PLAIN
};
