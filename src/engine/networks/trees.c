/*
 * trees.c
 *	  Logistic regression over ids, and boosted trees beside it: no network, so the
 *	  training takes the time of both.
 *
 *	  ids -> wide -> head -> logit
 *	  ids -> rates and counts -> trees (engine/trees/trees.h), added after calibration
 */
#include "engine/networks/architecture.h"

#include "engine/layers/heads.h"
#include "engine/layers/wide.h"

static void
build(NetworkPlan *plan, const Config *config)
{
	(void) config;
	plan_wide(plan, true);
	plan_cut(plan);
	plan_heads(plan, NO_SLOT, NO_SLOT);
}

const Architecture architecture_trees = {
	.name = "trees",
	.meaning = "logistic regression over ids, and boosted trees over rates and counts",
	.reference = "",
	.build = build,
	.options = OPTIONS_OF_TREES,
	.strategy = STRATEGY_START
};
