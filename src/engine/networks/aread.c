/*
 * aread.c
 *	  AREAD: hierarchical experts on MMoE's mixtures.  One network, trained in
 *	  three ways: with all gates open, with masks searched on the domains' own
 *	  rows, and with rows that stand in for minor domains.
 *
 *	  ids -> x0 -> experts -> mixtures h -> HEI -> heads -> logit
 *			  \--> gates ----/         \             /
 *			  \--> cross ---------------\-----------/
 *	  ids -> wide (+ pairwise) (+ skip from h) ----/
 *
 * The cut lies below HEI: candidates of the cheap mask search train HEI and the
 * heads on a fixed base.
 */
#include "engine/networks/mmoe.h"

#include "engine/layers/hei.h"
#include "engine/layers/heads.h"

#define OPTIONS_OF_HEI OPTIONS_OF_MMOE " hei_experts hei_hidden hei_output base_skip" \
	" target_density"
#define OPTIONS_OF_SEARCH OPTIONS_OF_HEI " warmup_batches mask_interval candidates candidate_steps" \
	" score_batches mask_learning_rate initial_density prune_ratio prune_by sigma mask_search"

static void
build(NetworkPlan *plan, const Config *config)
{
	MmoeBase	base = plan_mmoe_base(plan, config, config->hei_experts.value[0],
									  config->base_skip);

	plan_cut(plan);
	plan_heads(plan, plan_hei(plan, base.h, &config->hei_experts, &config->hei_hidden,
							  &config->hei_output), base.cross);
}

const Architecture architecture_hei = {
	.name = "hei",
	.meaning = "mmoe + hierarchical experts; masks are found after training and leave scores alone",
	.reference = "AREAD, AAAI 2025",
	.build = build,
	.options = OPTIONS_OF_HEI,
	.strategy = STRATEGY_ANALYSIS
};

const Architecture architecture_hemp = {
	.name = "hemp",
	.meaning = "hei + mask search on the domains' own rows",
	.reference = "AREAD, AAAI 2025",
	.build = build,
	.options = OPTIONS_OF_SEARCH,
	.strategy = STRATEGY_MASKS
};

const Architecture architecture_aread = {
	.name = "aread",
	.meaning = "hemp + augmented rows in the mask search",
	.reference = "AREAD, AAAI 2025",
	.build = build,
	.options = OPTIONS_OF_SEARCH " augment_ratio popularity unpopular_quantile unpopular_threshold",
	.strategy = STRATEGY_MASKS_AUGMENTED
};
