/*
 * augment.h
 *	  Popularity-based counterfactual augmentation (equation 5): positive rows
 *	  of unpopular items in major domains, drawn again for minor domains.
 *
 * The plan (augment_plan.h) works from counts and the draw (augment_draw.h) from
 * rows that come one after the other, so that both serve rows in memory and rows
 * on disk.  Here are the rows of a dataset in memory.
 */
#ifndef AREAD_ENGINE_SAMPLING_AUGMENT_H
#define AREAD_ENGINE_SAMPLING_AUGMENT_H

#include "engine/sampling/augment_plan.h"

/* Augmented rows of each domain: source rows that stand for (same features, domain d, positive). */
typedef struct AugmentedRows
{
	uint64_t   *start;			/* [n_domains + 1] into rows */
	uint32_t   *rows;			/* numbers of training rows in major domains, ascending in each domain */
} AugmentedRows;

/* Room for all rows that are to be added by the plan, none of them drawn yet. */
extern bool augment_room(Arena *arena, const AugmentPlan *plan, AugmentedRows *rows,
						 EngineError *error);
/*
 * Draw plan->rows_to_add[d] rows for each minor domain d out of a dataset, as
 * augment_draw.h says; sampled negatives are no domain's own and reject nothing.  The rows
 * have room for those of the plan, and what they held is overwritten.
 */
extern bool augment_draw(Arena *arena, const Config *config, const Dataset *data,
						 const AugmentPlan *plan, const EngineHost *host,
						 AugmentedRows *rows, EngineError *error);

#endif							/* AREAD_ENGINE_SAMPLING_AUGMENT_H */
