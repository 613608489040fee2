/*
 * popularity.c
 *	  Popularity, put back into scores.
 *
 * Let c(i, d) be the positive training rows of item i in domain d, C(d) all of the domain's
 * with an item, and U(d) the places that a uniform draw has there: one for each item, and
 * for rare ones, which share an id, one for each row.  By popularity an item is drawn
 * c(i, d) U(d) / C(d) times as often as uniformly: its popularity ratio.  If half of the
 * negatives are drawn so and half uniformly, they are drawn (ratio + 1) / 2 times as often.
 *
 * The log of that is the offset of an item in a domain.  It is added to two kinds of weights
 * that the wide part has, so that scoring takes no longer, and a model is stored as any
 * other:
 *
 * - An item's weight gets the offset of its mean ratio over the domains that it was taken
 *	 in.  Where items keep to one domain, and so have no pairs, that is all.  It is the offset
 *	 for domains that were never seen, or where the item was not.
 * - The weight of item and domain gets what is left to the offset in that domain.
 *
 * Items that nobody took, new ones too, count as half a row.  NULL is drawn as often in both
 * ways: it has no offset.
 *
 * Training goes on without offsets, evaluations are with them.  What the weights were is
 * kept beside, for sums of floating-point numbers cannot be undone.
 */
#include "engine/train/popularity.h"

#include <math.h>
#include <string.h>

#include "engine/data/rowset.h"

/* Rows between two looks at the host. */
#define CHECK_ROWS 65536
/* What an item without positive rows counts. */
#define NO_ROWS 0.5

/* Some wide weights, what is added to them, and what they were. */
typedef struct OffsetBlock
{
	real	   *weights;		/* [n] */
	double	   *offsets;
	real	   *before;
	size_t		n;
} OffsetBlock;

struct PopularityOffset
{
	OffsetBlock items;
	OffsetBlock pairs;
};

/* Positive training rows; of domains, those without a number first. */
typedef struct PopularityCounts
{
	uint64_t   *items;			/* c: [rows of the item's table] */
	uint64_t   *pairs;			/* c: [n_pairs] */
	uint32_t   *homes;			/* [rows of the item's table] domains that it was taken in */
	double	   *ratios;			/* [rows of the item's table] summed over these */
	uint64_t   *domains;		/* C: [D + 1] */
	uint64_t   *places;			/* U: [D + 1] */
	double		ratio_of_row;	/* U / C, over all domains */
} PopularityCounts;

static uint32_t
item_of(const Dataset *data, size_t row)
{
	return dataset_id(data, row, data->shape.item_field);
}

static bool
popularity_counts_init(PopularityCounts *counts, Arena *arena, const Shape *shape,
					   const DomainPairs *pairs, EngineError *error)
{
	size_t		n_items = shape_rows(shape, shape->item_field);
	size_t		n_domains = (size_t) shape_domains(shape) + 1;

	*counts = (PopularityCounts) {
		.items = ARENA_ARRAY(arena, uint64_t, n_items),
		.pairs = ARENA_ARRAY(arena, uint64_t, pairs->n_pairs),
		.homes = ARENA_ARRAY(arena, uint32_t, n_items),
		.ratios = ARENA_ARRAY(arena, double, n_items),
		.domains = ARENA_ARRAY(arena, uint64_t, n_domains),
		.places = ARENA_ARRAY(arena, uint64_t, n_domains)
	};
	return arena_ok(arena, error);
}

/* Rows of items, pairs and domains, and places. */
static bool
count_rows(const Trainer *trainer, const DomainPairs *pairs, PopularityCounts *counts,
		   EngineError *error)
{
	const Dataset *data = trainer->data;
	const int	fields[] = {data->shape.domain_field, data->shape.item_field};
	size_t		n_train = data->split_start[SPLIT_VALID];
	RowSet		seen;

	if (!rowset_init(&seen, trainer->arena, data, fields, 2, n_train, error))
		return false;
	for (size_t row = 0; row < n_train; row++)
	{
		int64_t		domain = dataset_domain(data, row);
		uint32_t	item = item_of(data, row);
		uint32_t	pair;

		if (row % CHECK_ROWS == 0 && !host_continue(trainer->host, error))
			return false;
		if (!data->labels[row] || item == NULL_ID)
			continue;
		pair = pairs_find(pairs, item, domain);
		if (pair != NO_PAIR)
			counts->pairs[pair]++;
		counts->items[item]++;
		counts->domains[domain + 1]++;
		if (!rowset_add(&seen, row) && item != RARE_ID)
			continue;
		counts->places[domain + 1]++;
		counts->homes[item]++;
	}
	return true;
}

/* U / C of a domain. */
static double
ratio_of_row(const PopularityCounts *counts, int64_t domain)
{
	uint64_t	rows = counts->domains[domain + 1];

	return rows > 0 ? (double) counts->places[domain + 1] / (double) rows : counts->ratio_of_row;
}

static bool
sum_ratios(const Trainer *trainer, PopularityCounts *counts, EngineError *error)
{
	const Dataset *data = trainer->data;
	double		rows = 0;
	double		places = 0;

	for (uint32_t d = 0; d <= shape_domains(&data->shape); d++)
	{
		rows += (double) counts->domains[d];
		places += (double) counts->places[d];
	}
	counts->ratio_of_row = rows > 0 ? places / rows : 1;
	for (size_t row = 0; row < data->split_start[SPLIT_VALID]; row++)
	{
		if (row % CHECK_ROWS == 0 && !host_continue(trainer->host, error))
			return false;
		if (data->labels[row])
			counts->ratios[item_of(data, row)] += ratio_of_row(counts, dataset_domain(data, row));
	}
	return true;
}

static double
offset_of(const Config *config, double ratio)
{
	return log(config->negative_sampling == NEGATIVES_MIXED ? (ratio + 1) / 2 : ratio);
}

static double
item_offset(const Config *config, const PopularityCounts *counts, uint32_t item)
{
	if (item == NULL_ID)
		return 0;
	return offset_of(config, counts->homes[item] > 0 ?
					 counts->ratios[item] / counts->homes[item] : NO_ROWS * counts->ratio_of_row);
}

static double
pair_offset(const Config *config, const PopularityCounts *counts, uint32_t item, uint32_t domain,
			uint64_t rows)
{
	double		counted = rows > 0 ? (double) rows : NO_ROWS;

	if (item == NULL_ID)
		return 0;
	/* rows of rare items are as many items, one each */
	if (item == RARE_ID)
		counted = fmin(counted, 1);
	return offset_of(config, counted * ratio_of_row(counts, domain));
}

static bool
block_init(OffsetBlock *block, Arena *arena, real *weights, size_t n, EngineError *error)
{
	*block = (OffsetBlock) {.weights = weights,.n = n,.offsets = ARENA_ARRAY(arena, double, n),
		.before = ARENA_ARRAY(arena, real, n)};
	return arena_ok(arena, error);
}

static void
fill_offsets(PopularityOffset *offset, const Config *config, const PopularityCounts *counts,
			 const DomainPairs *pairs)
{
	for (uint32_t item = 0; item < offset->items.n; item++)
	{
		double		own = item_offset(config, counts, item);

		offset->items.offsets[item] = own;
		for (uint32_t i = pairs->n_pairs > 0 ? pairs->start[item] : 0;
			 pairs->n_pairs > 0 && i < pairs->start[item + 1]; i++)
			offset->pairs.offsets[i] = pair_offset(config, counts, item, pairs->domain[i],
												   counts->pairs[i]) - own;
	}
}

bool
popularity_init(Trainer *trainer, EngineError *error)
{
	Arena	   *arena = trainer->arena;
	const Wide *wide = trainer->network.wide;
	const Shape *shape = &trainer->data->shape;
	const DomainPairs *pairs = &wide->pairs[shape->item_field < 0 ? 0 : shape->item_field];
	PopularityOffset *offset;
	PopularityCounts counts;
	struct ArenaBlock *mark;

	if (!config_has_offset(trainer->config) || shape->item_field < 0)
		return true;
	offset = ARENA_ARRAY(arena, PopularityOffset, 1);
	if (!arena_ok(arena, error) ||
		!block_init(&offset->items, arena, wide->weights[shape->item_field],
					shape_rows(shape, shape->item_field), error) ||
		!block_init(&offset->pairs, arena, wide->weights[shape->n_fields + shape->item_field],
					pairs->n_pairs, error))
		return false;
	mark = arena_mark(arena);
	if (!popularity_counts_init(&counts, arena, shape, pairs, error) ||
		!count_rows(trainer, pairs, &counts, error) || !sum_ratios(trainer, &counts, error))
		return false;
	fill_offsets(offset, trainer->config, &counts, pairs);
	arena_reset_to(arena, mark);
	trainer->popularity = offset;
	return true;
}

static void
block_add(const OffsetBlock *block)
{
	for (size_t i = 0; i < block->n; i++)
	{
		block->before[i] = block->weights[i];
		block->weights[i] += (real) block->offsets[i];
	}
}

void
popularity_add(Trainer *trainer)
{
	if (!trainer->popularity)
		return;
	block_add(&trainer->popularity->items);
	block_add(&trainer->popularity->pairs);
}

static void
block_remove(const OffsetBlock *block)
{
	for (size_t i = 0; i < block->n; i++)
		block->weights[i] = block->before[i];
}

void
popularity_remove(Trainer *trainer)
{
	if (!trainer->popularity)
		return;
	block_remove(&trainer->popularity->items);
	block_remove(&trainer->popularity->pairs);
}
