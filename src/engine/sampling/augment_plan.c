/*
 * augment_plan.c
 *	  Minor domains, unpopular items, and rows shared out among domains.
 */
#include "engine/sampling/augment_plan.h"

#include <math.h>
#include <stdlib.h>

bool
augment_counts_init(AugmentCounts *counts, Arena *arena, uint32_t n_domains, uint32_t n_items,
					EngineError *error)
{
	*counts = (AugmentCounts) {.n_domains = n_domains,.n_items = n_items};
	counts->domain_rows = ARENA_ARRAY(arena, uint64_t, n_domains);
	counts->item_rows = ARENA_ARRAY(arena, uint64_t, n_items);
	counts->item_positives = ARENA_ARRAY(arena, uint64_t, n_items);
	return arena_ok(arena, error);
}

bool
augment_count(Arena *arena, const Dataset *data, AugmentCounts *counts, EngineError *error)
{
	const Shape *shape = &data->shape;

	if (!augment_counts_init(counts, arena, shape_domains(shape),
							 shape_rows(shape, shape->item_field), error))
		return false;
	counts->rows = dataset_rows(data, SPLIT_TRAIN);
	for (size_t row = 0; row < counts->rows; row++)
	{
		int64_t		domain = dataset_domain(data, row);
		uint32_t	item = dataset_id(data, row, shape->item_field);

		if (domain >= 0)
			counts->domain_rows[domain]++;
		counts->item_rows[item]++;
		counts->item_positives[item] += data->labels[row];
	}
	return true;
}

static bool
alloc_plan(Arena *arena, const AugmentCounts *counts, AugmentPlan *plan, EngineError *error)
{
	*plan = (AugmentPlan) {.counts = *counts};
	plan->is_minor = ARENA_ARRAY(arena, bool, counts->n_domains);
	plan->is_major = ARENA_ARRAY(arena, bool, counts->n_domains);
	plan->rows_to_add = ARENA_ARRAY(arena, uint64_t, counts->n_domains);
	plan->popularity = ARENA_ARRAY(arena, double, counts->n_items);
	plan->is_unpopular = ARENA_ARRAY(arena, bool, counts->n_items);
	return arena_ok(arena, error);
}

/*
 * The value of a rank (from 0) in order: quickselect, for sorting millions of
 * items takes seconds.  Counts have many ties: those of the pivot are set apart.
 */
static double
select_rank(double *values, size_t n, size_t rank)
{
	size_t		low = 0;
	size_t		high = n;

	for (;;)
	{
		double		pivot = values[low + (high - low) / 2];
		size_t		below = low;	/* less than the pivot: low .. below - 1 */
		size_t		above = high;	/* greater: above .. high - 1 */

		for (size_t i = low; i < above;)
		{
			double		value = values[i];

			if (value < pivot)
			{
				values[i++] = values[below];
				values[below++] = value;
			}
			else if (value > pivot)
			{
				values[i] = values[--above];
				values[above] = value;
			}
			else
				i++;
		}
		if (rank < below)
			high = below;
		else if (rank >= above)
			low = above;
		else
			return pivot;
	}
}

/* The value below or at which the given share of items of known popularity lies. */
static bool
popularity_quantile(Arena *arena, const AugmentPlan *plan, double share, double *value,
					EngineError *error)
{
	const AugmentCounts *counts = &plan->counts;
	struct ArenaBlock *mark = arena_mark(arena);
	double	   *values = ARENA_ARRAY(arena, double, counts->n_items);
	size_t		n = 0;
	size_t		rank;

	if (!arena_ok(arena, error))
		return false;
	for (uint32_t item = FIRST_ID; item < counts->n_items; item++)
		if (!isnan(plan->popularity[item]))
			values[n++] = plan->popularity[item];
	rank = (size_t) ceil(share * n);
	*value = n == 0 || rank == 0 ? -INFINITY : select_rank(values, n, rank - 1);
	arena_reset_to(arena, mark);
	return true;
}

static double
item_popularity(const Config *config, const AugmentCounts *counts, uint32_t item)
{
	double		rows = counts->item_rows[item];
	double		positives = counts->item_positives[item];

	if (rows == 0)
		return NAN;
	switch (config->popularity)
	{
		case POPULARITY_RATE:
			return (positives + 1) / (rows + 2);
		case POPULARITY_SCORE:
			return counts->item_scores ? counts->item_scores[item] : NAN;
		case POPULARITY_COUNT:
			break;
	}
	/* sampled negatives say nothing of how popular an item is */
	return config->negatives > 0 ? positives : rows;
}

static bool
find_unpopular(Arena *arena, const Config *config, AugmentPlan *plan, EngineError *error)
{
	const AugmentCounts *counts = &plan->counts;
	bool		by_value = !isnan(config->unpopular_threshold);

	for (uint32_t item = 0; item < counts->n_items; item++)
		plan->popularity[item] = item_popularity(config, counts, item);
	plan->threshold = config->unpopular_threshold;
	if (!by_value && !popularity_quantile(arena, plan, config->unpopular_quantile,
										  &plan->threshold, error))
		return false;
	for (uint32_t item = FIRST_ID; item < counts->n_items; item++)
		if (!isnan(plan->popularity[item]))
			plan->is_unpopular[item] = by_value ?
				plan->popularity[item] < plan->threshold :
				plan->popularity[item] <= plan->threshold;
	return true;
}

/* A domain's claim on the rows to add, before rounding. */
typedef struct Claim
{
	uint32_t	domain;
	double		remainder;
} Claim;

/* Largest remainder first, ties by domain number. */
static int
compare_claim(const void *a, const void *b)
{
	const Claim *x = a;
	const Claim *y = b;

	if (x->remainder != y->remainder)
		return x->remainder > y->remainder ? -1 : 1;
	return (x->domain > y->domain) - (x->domain < y->domain);
}

/* rows_to_add in proportion to max(0, target - n_d), with the total kept. */
static bool
share_out(Arena *arena, AugmentPlan *plan, uint64_t total, EngineError *error)
{
	uint32_t	n_domains = plan->counts.n_domains;
	const uint64_t *domain_rows = plan->counts.domain_rows;
	struct ArenaBlock *mark = arena_mark(arena);
	Claim	   *claims = ARENA_ARRAY(arena, Claim, n_domains);
	uint32_t	n_claims = 0;
	uint64_t	minor_rows = 0;
	uint32_t	n_minor = 0;
	uint64_t	given = 0;
	double		target;
	double		missing = 0;

	if (!arena_ok(arena, error))
		return false;
	for (uint32_t d = 0; d < n_domains; d++)
		if (plan->is_minor[d])
		{
			minor_rows += domain_rows[d];
			n_minor++;
		}
	target = n_minor > 0 ? (double) (minor_rows + total) / n_minor : 0;
	for (uint32_t d = 0; d < n_domains; d++)
		if (plan->is_minor[d])
			missing += fmax(0, target - domain_rows[d]);
	for (uint32_t d = 0; d < n_domains && missing > 0; d++)
		if (plan->is_minor[d])
		{
			double		share = total * fmax(0, target - domain_rows[d]) / missing;

			plan->rows_to_add[d] = (uint64_t) share;
			given += plan->rows_to_add[d];
			claims[n_claims++] = (Claim) {.domain = d,.remainder = share - floor(share)};
		}
	qsort(claims, n_claims, sizeof(Claim), compare_claim);
	for (uint32_t i = 0; i < n_claims && given < total; i++, given++)
		plan->rows_to_add[claims[i].domain]++;
	arena_reset_to(arena, mark);
	return true;
}

bool
augment_plan(Arena *arena, const Config *config, const AugmentCounts *counts, AugmentPlan *plan,
			 EngineError *error)
{
	double		n = (double) counts->rows;

	if (!alloc_plan(arena, counts, plan, error))
		return false;
	for (uint32_t d = 0; d < counts->n_domains; d++)
	{
		/* a domain whose rows were all left out has none to stand beside */
		plan->is_minor[d] = counts->domain_rows[d] > 0 &&
			counts->domain_rows[d] < config->minor_share * n;
		plan->is_major[d] = counts->domain_rows[d] > config->major_share * n;
	}
	return find_unpopular(arena, config, plan, error) &&
		share_out(arena, plan, (uint64_t) llround(config->augment_ratio * n), error);
}
