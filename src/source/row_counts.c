/*
 * row_counts.c
 *	  Counts of training rows as features.
 */
#include "postgres.h"

#include "source/row_counts.h"

#include "source/keys/encoder.h"
#include "source/keys/vocabulary.h"

/* Two bins to each doubling of a 32-bit count. */
#define MAX_BINS 64

static bool
ordered_by_rows(const FeatureSpec *spec, int counted)
{
	int			vocabulary = spec->features[counted].vocabulary;

	for (int f = 0; f < spec->n_columns; f++)
		if (f != counted && spec->features[f].vocabulary == vocabulary)
			return false;
	return spec->vocabularies[vocabulary].buckets == 0;
}

static void
append(FeatureSpec *spec, int counted)
{
	Feature    *feature = &spec->features[spec->n_features];

	if (counted < 0 || !ordered_by_rows(spec, counted))
		return;
	*feature = (Feature)
	{
		.name = psprintf("%s (rows)", spec->features[counted].name),
		.kind = FEATURE_ROWS,.type_name = "pg_catalog.int8",.min_count = 1,
		.vocabulary = spec->n_vocabularies,.counted = counted,
		.bond = BOND_ROW
	};
	spec->vocabularies[spec->n_vocabularies++].name = feature->name;
	spec->n_features++;
}

void
row_counts_append(FeatureSpec *spec, bool negatives)
{
	append(spec, spec->user_feature);
	if (!negatives)
		append(spec, spec->item_feature);
}

/* The count at which bin b begins: 1, 2, 3, 4, 6, 8, 12, ... */
static uint64
threshold(int b)
{
	if (b == 0)
		return 1;
	return b % 2 == 1 ? UINT64CONST(2) << (b / 2) : UINT64CONST(3) << (b / 2 - 1);
}

/*
 * Bins that some training row falls into, which does not count itself: a
 * threshold t is kept if there is a count from t + 1 up to the next one, and
 * one that tells it from the threshold below.
 * Edges are the ids from which on counts are below a threshold, ascending;
 * thresholds [n_edges] are in the same order.
 */
static void
find_edges(Feature *feature, const uint32 *counts, uint32 n_ids, uint64 *thresholds)
{
	uint32		id = n_ids;

	feature->edges = palloc(MAX_BINS * sizeof(double));
	for (int b = 0; b < MAX_BINS; b++)
	{
		uint32		more;

		while (id > FIRST_ID && counts[id - 1] < threshold(b))
			id--;
		for (more = id; more > FIRST_ID && counts[more - 1] == threshold(b);)
			more--;
		if (more == FIRST_ID)
			break;
		if (counts[more - 1] > threshold(b + 1) ||
			(feature->n_edges > 0 && feature->edges[feature->n_edges - 1] == id))
			continue;
		feature->edges[feature->n_edges] = id;
		thresholds[feature->n_edges++] = threshold(b);
	}
	/* found from the rarest up */
	for (int i = 0, j = feature->n_edges - 1; i < j; i++, j--)
	{
		double		edge = feature->edges[i];
		uint64		count = thresholds[i];

		feature->edges[i] = feature->edges[j];
		thresholds[i] = thresholds[j];
		feature->edges[j] = edge;
		thresholds[j] = count;
	}
}

static uint32
bin_of_count(const Feature *feature, const uint64 *thresholds, uint64 count)
{
	int			bin = 0;

	while (bin < feature->n_edges && thresholds[feature->n_edges - 1 - bin] <= count)
		bin++;
	return FIRST_ID + bin;
}

/* Bins by id: the first is that of values never seen. */
static uint32
bin_of_id(const Feature *feature, uint32 id)
{
	if (id == NULL_ID || id == RARE_ID)
		return id;
	if (id == UNSEEN_ID)
		return FIRST_ID;
	return FIRST_ID + feature->n_edges - (bin_of(feature, id) - FIRST_ID);
}

void
row_counts_build(FeatureSpec *spec, int f, uint32 *counts, RowCounts *result)
{
	Feature    *feature = &spec->features[f];
	uint32		n_ids = spec->vocabularies[spec->features[feature->counted].vocabulary].n_rows;

	*result = (RowCounts) {.feature = feature,.counts = counts,
		.thresholds = palloc(MAX_BINS * sizeof(uint64))};
	find_edges(feature, counts, n_ids, result->thresholds);
	vocabulary_build_hashed(&spec->vocabularies[feature->vocabulary], feature->n_edges + 1);
}

uint32
row_counts_id(const RowCounts *counts, uint32 id, bool training)
{
	return training && id >= FIRST_ID ?
		bin_of_count(counts->feature, counts->thresholds, counts->counts[id] - 1) :
		bin_of_id(counts->feature, id);
}

void
row_counts_encode(const FeatureSpec *spec, uint32 *ids)
{
	for (int f = spec->n_columns; f < spec->n_features && spec->features[f].kind == FEATURE_ROWS; f++)
		ids[f] = bin_of_id(&spec->features[f], ids[spec->features[f].counted]);
}
