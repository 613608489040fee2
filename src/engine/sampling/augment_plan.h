/*
 * augment_plan.h
 *	  The plan of the augmentation: which domains are minor and major, which
 *	  items unpopular, how many rows each minor domain is to get.
 *
 * It is made from counts alone, so that it serves rows in memory and rows on disk.
 */
#ifndef AREAD_ENGINE_SAMPLING_AUGMENT_PLAN_H
#define AREAD_ENGINE_SAMPLING_AUGMENT_PLAN_H

#include "engine/data/dataset.h"
#include "engine/model/config.h"

/* What a plan is made from: training rows, counted. */
typedef struct AugmentCounts
{
	uint64_t	rows;			/* with or without a domain's number */
	uint32_t	n_domains;
	uint64_t   *domain_rows;	/* [n_domains] */
	uint32_t	n_items;		/* ids of the item table, FIRST_ID included */
	uint64_t   *item_rows;		/* [n_items] */
	uint64_t   *item_positives; /* [n_items] */
	const double *item_scores;	/* [n_items] mean score of the item's rows, NaN: none; NULL: no scores */
} AugmentCounts;

/*
 * Which domains are minor and major, which items unpopular, how many rows
 * each minor domain is to get.
 */
typedef struct AugmentPlan
{
	AugmentCounts counts;		/* as given */
	bool	   *is_minor;		/* [n_domains] below minor_share of all rows */
	bool	   *is_major;		/* [n_domains] above major_share */
	uint64_t   *rows_to_add;	/* [n_domains]; 0 unless minor */
	double	   *popularity;		/* [n_items] p(i) > 0; NaN: not known, and not unpopular */
	double		threshold;		/* rho: unpopular is p(i) < rho, or <= by quantile */
	bool	   *is_unpopular;	/* [n_items] */
} AugmentPlan;

/* Zeroed counts of that size. */
extern bool augment_counts_init(AugmentCounts *counts, Arena *arena, uint32_t n_domains,
								uint32_t n_items, EngineError *error);
/* Counts of a dataset's training rows; needs shape.item_field (a single-valued field). */
extern bool augment_count(Arena *arena, const Dataset *data, AugmentCounts *counts,
						  EngineError *error);
/*
 * Items with ids below FIRST_ID (NULL, rare or unseen) are never unpopular.  By score no
 * item is while there are no scores; how many rows are to be added does not depend on them.
 */
extern bool augment_plan(Arena *arena, const Config *config, const AugmentCounts *counts,
						 AugmentPlan *plan, EngineError *error);

/* May a training row be drawn: positive, of an unpopular item, in a major domain (-1: none)? */
static inline bool
augment_is_drawable(const AugmentPlan *plan, int64_t domain, uint32_t item, bool label)
{
	return label && domain >= 0 && plan->is_major[domain] && plan->is_unpopular[item];
}

/* Is a training row a reason for its domain not to draw its pair of user and item? */
static inline bool
augment_is_rejection(const AugmentPlan *plan, int64_t domain, uint32_t item, bool label)
{
	return !label && domain >= 0 && plan->rows_to_add[domain] > 0 && plan->is_unpopular[item];
}

#endif							/* AREAD_ENGINE_SAMPLING_AUGMENT_PLAN_H */
