/*
 * mmoe.h
 *	  The base recommender, on which other networks stand.
 */
#ifndef AREAD_ENGINE_NETWORKS_MMOE_H
#define AREAD_ENGINE_NETWORKS_MMOE_H

#include "engine/networks/architecture.h"

#define OPTIONS_OF_MMOE OPTIONS_OF_BATCHES OPTIONS_OF_MLPS \
	" mmoe_experts mmoe_dims cross_layers pairwise"

/* Slots that the base hands on. */
typedef struct MmoeBase
{
	int			h;				/* mixtures (B, n_mixtures, H) */
	int			cross;			/* (B, 1, W); NO_SLOT without cross layers */
} MmoeBase;

/* Everything below experts and heads; skip: a logit straight from the mixtures. */
extern MmoeBase plan_mmoe_base(NetworkPlan *plan, const Config *config, int n_mixtures, bool skip);

#endif							/* AREAD_ENGINE_NETWORKS_MMOE_H */
