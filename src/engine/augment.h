/*
 * augment.h
 *	  Popularity-based counterfactual augmentation (equation 5): positive rows
 *	  of unpopular items in major domains, drawn again for minor domains.
 */
#ifndef AREAD_ENGINE_AUGMENT_H
#define AREAD_ENGINE_AUGMENT_H

#include "config.h"
#include "dataset.h"

/*
 * Which domains are minor and major, which items unpopular, how many rows
 * each minor domain is to get.  From training rows only.
 */
typedef struct AugmentPlan
{
	uint32_t	n_domains;
	uint64_t   *domain_rows;	/* [n_domains] training rows */
	bool	   *is_minor;		/* [n_domains] below minor_share of all rows */
	bool	   *is_major;		/* [n_domains] above major_share */
	uint64_t   *rows_to_add;	/* [n_domains]; 0 unless minor */
	uint32_t	n_items;		/* ids of the item table, FIRST_ID included */
	uint32_t   *item_rows;		/* [n_items] training rows */
	uint32_t   *item_positives; /* [n_items] */
	double	   *popularity;		/* [n_items] p(i); NaN without training rows */
	double		threshold;		/* rho: unpopular is p(i) < rho, or <= by quantile */
	bool	   *is_unpopular;	/* [n_items] */
} AugmentPlan;

/*
 * Needs shape.item_field (a single-valued field); rows whose item is NULL,
 * rare or unseen are never unpopular.
 */
extern bool augment_plan(Arena *arena, const Config *config, const Dataset *data,
						 AugmentPlan *plan, EngineError *error);

/* Augmented rows of each domain: source rows that stand for (same features, domain d, positive). */
typedef struct AugmentedRows
{
	uint64_t   *start;			/* [n_domains + 1] into rows */
	uint32_t   *rows;			/* numbers of training rows in major domains */
} AugmentedRows;

/*
 * Draw plan->rows_to_add[d] rows for each minor domain d, with replacement
 * and weight 1 / p(i), among positive training rows of unpopular items in
 * major domains; a pair (user, item) that domain d itself holds as a negative
 * training row (sampled ones aside) is never drawn for d.  If no row qualifies,
 * the domain gets none.
 * Seeded by config->seed.
 */
extern bool augment_draw(Arena *arena, const Config *config, const Dataset *data,
						 const AugmentPlan *plan, const EngineHost *host,
						 AugmentedRows *rows, EngineError *error);

#endif							/* AREAD_ENGINE_AUGMENT_H */
