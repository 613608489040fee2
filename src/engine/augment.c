/*
 * augment.c
 *	  Popularity-based counterfactual augmentation (equation 5).
 */
#include "augment.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "random.h"
#include "rowset.h"

/* Draws between two looks at the host; tries at a pair that a domain does not reject. */
#define CHECK_DRAWS 65536
#define MAX_TRIES 64

static size_t
training_rows(const Dataset *data)
{
	return data->split_start[SPLIT_VALID];
}

static uint32_t
id_of(const Dataset *data, size_t row, int field)
{
	return data->ids[row * (size_t) data->shape.n_fields + field];
}

static bool
alloc_plan(Arena *arena, const Shape *shape, AugmentPlan *plan, EngineError *error)
{
	uint32_t	n_domains = shape_domains(shape);
	uint32_t	n_items = shape->table_rows[shape->field_table[shape->item_field]];

	*plan = (AugmentPlan) {.n_domains = n_domains,.n_items = n_items};
	plan->domain_rows = ARENA_ARRAY(arena, uint64_t, n_domains);
	plan->is_minor = ARENA_ARRAY(arena, bool, n_domains);
	plan->is_major = ARENA_ARRAY(arena, bool, n_domains);
	plan->rows_to_add = ARENA_ARRAY(arena, uint64_t, n_domains);
	plan->item_rows = ARENA_ARRAY(arena, uint32_t, n_items);
	plan->item_positives = ARENA_ARRAY(arena, uint32_t, n_items);
	plan->popularity = ARENA_ARRAY(arena, double, n_items);
	plan->is_unpopular = ARENA_ARRAY(arena, bool, n_items);
	return arena_ok(arena, error);
}

static void
count_rows(const Dataset *data, AugmentPlan *plan)
{
	for (size_t row = 0; row < training_rows(data); row++)
	{
		int64_t		domain = dataset_domain(data, row);
		uint32_t	item = id_of(data, row, data->shape.item_field);

		if (domain >= 0)
			plan->domain_rows[domain]++;
		plan->item_rows[item]++;
		plan->item_positives[item] += data->labels[row];
	}
}

static int
compare_double(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x > y) - (x < y);
}

/* The value below or at which the given share of items with training rows lies. */
static bool
popularity_quantile(Arena *arena, const AugmentPlan *plan, double share, double *value,
					EngineError *error)
{
	struct ArenaBlock *mark = arena_mark(arena);
	double	   *sorted = ARENA_ARRAY(arena, double, plan->n_items);
	size_t		n = 0;
	size_t		rank;

	if (!arena_ok(arena, error))
		return false;
	for (uint32_t item = FIRST_ID; item < plan->n_items; item++)
		if (plan->item_rows[item] > 0)
			sorted[n++] = plan->popularity[item];
	qsort(sorted, n, sizeof(double), compare_double);
	rank = (size_t) ceil(share * n);
	*value = n == 0 || rank == 0 ? -INFINITY : sorted[rank - 1];
	arena_reset_to(arena, mark);
	return true;
}

static bool
find_unpopular(Arena *arena, const Config *config, AugmentPlan *plan, EngineError *error)
{
	bool		by_value = !isnan(config->unpopular_threshold);

	for (uint32_t item = 0; item < plan->n_items; item++)
	{
		double		rows = plan->item_rows[item];
		double		positives = plan->item_positives[item];

		/* sampled negatives say nothing of how popular an item is */
		plan->popularity[item] = plan->item_rows[item] == 0 ? NAN :
			config->popularity == POPULARITY_RATE ? (positives + 1) / (rows + 2) :
			config->negatives > 0 ? positives : rows;
	}
	plan->threshold = config->unpopular_threshold;
	if (!by_value && !popularity_quantile(arena, plan, config->unpopular_quantile,
										  &plan->threshold, error))
		return false;
	for (uint32_t item = FIRST_ID; item < plan->n_items; item++)
		if (plan->item_rows[item] > 0)
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
	struct ArenaBlock *mark = arena_mark(arena);
	Claim	   *claims = ARENA_ARRAY(arena, Claim, plan->n_domains);
	uint32_t	n_claims = 0;
	uint64_t	minor_rows = 0;
	uint32_t	n_minor = 0;
	uint64_t	given = 0;
	double		target;
	double		missing = 0;

	if (!arena_ok(arena, error))
		return false;
	for (uint32_t d = 0; d < plan->n_domains; d++)
		if (plan->is_minor[d])
		{
			minor_rows += plan->domain_rows[d];
			n_minor++;
		}
	target = n_minor > 0 ? (double) (minor_rows + total) / n_minor : 0;
	for (uint32_t d = 0; d < plan->n_domains; d++)
		if (plan->is_minor[d])
			missing += fmax(0, target - plan->domain_rows[d]);
	for (uint32_t d = 0; d < plan->n_domains && missing > 0; d++)
		if (plan->is_minor[d])
		{
			double		share = total * fmax(0, target - plan->domain_rows[d]) / missing;

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
augment_plan(Arena *arena, const Config *config, const Dataset *data, AugmentPlan *plan,
			 EngineError *error)
{
	double		n = (double) training_rows(data);

	if (!alloc_plan(arena, &data->shape, plan, error))
		return false;
	count_rows(data, plan);
	for (uint32_t d = 0; d < plan->n_domains; d++)
	{
		/* a domain whose rows were all left out has none to stand beside */
		plan->is_minor[d] = plan->domain_rows[d] > 0 &&
			plan->domain_rows[d] < config->minor_share * n;
		plan->is_major[d] = plan->domain_rows[d] > config->major_share * n;
	}
	return find_unpopular(arena, config, plan, error) &&
		share_out(arena, plan, (uint64_t) llround(config->augment_ratio * n), error);
}

/* Rows that may be drawn, with running sums of their weights. */
typedef struct Pool
{
	size_t		n;
	uint32_t   *rows;
	double	   *cumulative;
} Pool;

static bool
is_drawable(const Dataset *data, const AugmentPlan *plan, size_t row)
{
	int64_t		domain = dataset_domain(data, row);

	return data->labels[row] && domain >= 0 && plan->is_major[domain] &&
		plan->is_unpopular[id_of(data, row, data->shape.item_field)];
}

static bool
fill_pool(Arena *arena, const Dataset *data, const AugmentPlan *plan, Pool *pool,
		  EngineError *error)
{
	double		sum = 0;
	size_t		n = 0;

	for (size_t row = 0; row < training_rows(data); row++)
		n += is_drawable(data, plan, row);
	pool->rows = ARENA_ARRAY(arena, uint32_t, n);
	pool->cumulative = ARENA_ARRAY(arena, double, n);
	if (!arena_ok(arena, error))
		return false;
	pool->n = 0;
	for (size_t row = 0; row < training_rows(data); row++)
	{
		if (!is_drawable(data, plan, row))
			continue;
		sum += 1 / plan->popularity[id_of(data, row, data->shape.item_field)];
		pool->rows[pool->n] = row;
		pool->cumulative[pool->n++] = sum;
	}
	return true;
}

/* First position whose running sum exceeds a point drawn below the total. */
static uint32_t
draw(const Pool *pool, Random *random)
{
	double		point = random_uniform(random) * pool->cumulative[pool->n - 1];
	size_t		low = 0;
	size_t		high = pool->n - 1;

	while (low < high)
	{
		size_t		middle = (low + high) / 2;

		if (pool->cumulative[middle] > point)
			high = middle;
		else
			low = middle + 1;
	}
	return pool->rows[low];
}

/* Sampled negatives are no domain's own: that nobody took a pair says little. */
static bool
is_minor_negative(const Dataset *data, const AugmentPlan *plan, size_t row)
{
	int64_t		domain = dataset_domain(data, row);

	return row < training_rows(data) - data->train_sampled && !data->labels[row] &&
		domain >= 0 && plan->is_minor[domain];
}

/* Minor domains' negative rows, by domain, user and item. */
static bool
fill_negatives(Arena *arena, const Dataset *data, const AugmentPlan *plan, RowSet *set,
			   EngineError *error)
{
	const int	fields[] = {data->shape.domain_field, data->shape.item_field,
	data->shape.user_field};
	size_t		n = 0;

	for (size_t row = 0; row < training_rows(data); row++)
		n += is_minor_negative(data, plan, row);
	if (!rowset_init(set, arena, data, fields, 3, n, error))
		return false;
	for (size_t row = 0; row < training_rows(data); row++)
		if (is_minor_negative(data, plan, row))
			rowset_add(set, row);
	return true;
}

/* Does the domain hold the row's user and item as a negative? */
static bool
rejects(const RowSet *negatives, uint32_t domain, size_t row)
{
	uint32_t	key[ROWSET_MAX_FIELDS];

	rowset_key(negatives, row, key);
	key[0] = FIRST_ID + domain;
	return rowset_contains(negatives, key);
}

/* The pool without what a domain rejects: for domains that reject nearly all of it. */
static bool
narrow_pool(Arena *arena, const Pool *pool, const RowSet *negatives, uint32_t domain,
			Pool *narrow, EngineError *error)
{
	double		sum = 0;

	narrow->n = 0;
	narrow->rows = ARENA_ARRAY(arena, uint32_t, pool->n);
	narrow->cumulative = ARENA_ARRAY(arena, double, pool->n);
	if (!arena_ok(arena, error))
		return false;
	for (size_t i = 0; i < pool->n; i++)
	{
		if (rejects(negatives, domain, pool->rows[i]))
			continue;
		sum += pool->cumulative[i] - (i > 0 ? pool->cumulative[i - 1] : 0);
		narrow->rows[narrow->n] = pool->rows[i];
		narrow->cumulative[narrow->n++] = sum;
	}
	return true;
}

/* Draw for one domain; *n_drawn is less than asked for only if it rejects the whole pool. */
static bool
draw_domain(Arena *arena, const Pool *pool, const RowSet *negatives, uint32_t domain,
			uint64_t wanted, Random *random, const EngineHost *host, uint32_t *rows,
			uint64_t *n_drawn, EngineError *error)
{
	Pool		narrow;
	const Pool *from = pool;

	for (*n_drawn = 0; *n_drawn < wanted;)
	{
		uint32_t	row = 0;
		bool		found = false;

		if (from->n == 0)
			return true;
		if (*n_drawn % CHECK_DRAWS == 0 && !host_continue(host, error))
			return false;
		for (int tries = 0; !found && tries < MAX_TRIES; tries++)
		{
			row = draw(from, random);
			found = !rejects(negatives, domain, row);
		}
		if (found)
			rows[(*n_drawn)++] = row;
		else if (!narrow_pool(arena, pool, negatives, domain, &narrow, error))
			return false;
		else
			from = &narrow;
	}
	return true;
}

bool
augment_draw(Arena *arena, const Config *config, const Dataset *data, const AugmentPlan *plan,
			 const EngineHost *host, AugmentedRows *rows, EngineError *error)
{
	uint64_t	total = 0;
	struct ArenaBlock *mark;
	RowSet		negatives;
	Pool		pool;
	bool		ok;

	for (uint32_t d = 0; d < plan->n_domains; d++)
		total += plan->rows_to_add[d];
	rows->start = ARENA_ARRAY(arena, uint64_t, (size_t) plan->n_domains + 1);
	rows->rows = ARENA_ARRAY(arena, uint32_t, total);
	if (!arena_ok(arena, error))
		return false;
	mark = arena_mark(arena);
	ok = fill_pool(arena, data, plan, &pool, error) &&
		fill_negatives(arena, data, plan, &negatives, error);
	for (uint32_t d = 0; ok && d < plan->n_domains; d++)
	{
		uint64_t	n_drawn;
		Random		random;

		random_start(&random, config->seed, RANDOM_AUGMENT, d);
		ok = draw_domain(arena, &pool, &negatives, d, plan->rows_to_add[d], &random,
						 host, rows->rows + rows->start[d], &n_drawn, error);
		rows->start[d + 1] = rows->start[d] + n_drawn;
	}
	arena_reset_to(arena, mark);
	return ok;
}
