/*
 * architecture.h
 *	  An architecture: a file that puts layers together, and what is said of it.
 */
#ifndef AREAD_ENGINE_NETWORKS_ARCHITECTURE_H
#define AREAD_ENGINE_NETWORKS_ARCHITECTURE_H

#include "engine/layers/plan.h"

/* How its network is trained, beside the batches (train/strategy.h). */
typedef enum StrategyKind
{
	STRATEGY_START,				/* the start alone, without batches */
	STRATEGY_PLAIN,
	STRATEGY_ANALYSIS,			/* plain, and at the end masks that leave scores alone */
	STRATEGY_MASKS,				/* mask search on the domains' own rows */
	STRATEGY_MASKS_AUGMENTED	/* and on rows that stand in for minor domains */
} StrategyKind;

/* Numbers, names and options are asked of the list (architectures.h). */
typedef struct Architecture
{
	const char *name;
	const char *meaning;
	const char *reference;		/* the paper; "": none */
	void		(*build) (NetworkPlan *plan, const Config *config);
	/* the options that have an effect on it, but for those that have one on all: names, spaces */
	const char *options;
	StrategyKind strategy;
	/* a race: the networks of which training chooses one; it has none of its own, nor options */
	const struct Architecture *first;
	const struct Architecture *second;
	/* where evaluations go by lists, in place of the first one: cheap, and trained to its end */
	const struct Architecture *for_lists;
} Architecture;

#define ARCHITECTURE(name) extern const Architecture architecture_##name;
#define RACE(name) extern const Architecture architecture_##name;
#include "engine/networks/architecture_list.h"
#undef ARCHITECTURE
#undef RACE

/* Options that several architectures use. */
#define OPTIONS_OF_TREES "trees tree_pairs"
#define OPTIONS_OF_BATCHES "wide embed_dim learning_rate batch_size epochs evaluations patience stop_on " \
	"loss hard_negatives hard_candidates l2_embedding history.length history.of history.l2 " \
	"history.dislikes history.side history.attention " OPTIONS_OF_TREES
#define OPTIONS_OF_MLPS " l2_dense dropout batch_norm"

#endif							/* AREAD_ENGINE_NETWORKS_ARCHITECTURE_H */
