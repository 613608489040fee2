/*
 * wide.c
 *	  Logistic regression over ids, of each domain too: the start of all others.
 *
 *	  ids -> wide -> head -> logit
 *
 * With trees (engine/trees/trees.h) beside it that is an architecture of its own: it
 * needs no batches, either.
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

const Architecture architecture_wide = {
	.name = "wide",
	.meaning = "logistic regression over ids",
	.reference = "",
	.build = build,
	.options = "",
	.strategy = STRATEGY_START
};

const Architecture architecture_trees = {
	.name = "trees",
	.meaning = "logistic regression over ids, and boosted trees over rates and counts",
	.reference = "",
	.build = build,
	.options = OPTIONS_OF_TREES,
	.strategy = STRATEGY_START
};
