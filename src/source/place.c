/*
 * place.c
 *	  Collected rows into a dataset, in an order that does not depend on the
 *	  order of reading.
 */
#include "postgres.h"

#include "engine/sort.h"
#include "miscadmin.h"
#include "source/collect.h"
#include "source/sorting.h"
#include "utils/memutils.h"

/* So many rows ahead a row is fetched from memory. */
#define AHEAD 8
#define CACHE_LINE 64

/* What rows are ordered by, the least important first. */
typedef enum SortBy
{
	BY_WEIGHT, BY_LABEL, BY_HASH, BY_SPLIT
} SortBy;

static void *
huge(Size size)
{
	return MemoryContextAllocHuge(CurrentMemoryContext, Max(size, 1));
}

static uint64
sort_word(const Collector *collector, SortBy by, uint32 row)
{
	switch (by)
	{
		case BY_WEIGHT:
			return sort_key(collector->weights[row]);
		case BY_LABEL:
			return collector->labels[row];
		case BY_HASH:
			return collector->hashes[row];
		case BY_SPLIT:
			return collector->splits[row];
	}
	pg_unreachable();
}

/* Numbers of rows by split, hash of the features, label and weight. */
static uint32 *
order_rows(const Collector *collector)
{
	uint64		n = collector->n_rows;
	uint32	   *order = huge(n * sizeof(uint32));
	uint64	   *words = huge(n * sizeof(uint64));

	for (uint64 i = 0; i < n; i++)
		order[i] = i;
	for (SortBy by = collector->weights ? BY_WEIGHT : BY_LABEL; by <= BY_SPLIT; by++)
	{
		for (uint64 i = 0; i < n; i++)
			words[i] = sort_word(collector, by, order[i]);
		CHECK_FOR_INTERRUPTS();
		sort_words(words, order, n);
	}
	pfree(words);
	return order;
}

static inline void
expect_row(const Collector *collector, uint32 row)
{
	Size		size = collector->spec->n_features * sizeof(uint32);
	const char *ids = (const char *) (collector->ids + (uint64) row * collector->spec->n_features);

	for (Size at = 0; at < size; at += CACHE_LINE)
		__builtin_prefetch(ids + at);
	__builtin_prefetch(ids + size - 1);
}

/* Features that are lists; returns how many. */
static int
list_features(const FeatureSpec *spec, int *lists)
{
	int			n = 0;

	for (int f = 0; f < spec->n_features; f++)
		if (spec->features[f].kind == FEATURE_LIST)
			lists[n++] = f;
	return n;
}

/* Ids in order, and lists in the order of their rows. */
static void
place_ids(const Collector *collector, const uint32 *order, Dataset *data)
{
	uint64		n = collector->n_rows;
	int			n_features = collector->spec->n_features;
	int		   *lists = palloc(n_features * sizeof(int));
	int			n_lists_of_row = list_features(collector->spec, lists);
	uint32	   *ids = huge(n * n_features * sizeof(uint32));
	uint64	   *list_start = huge((collector->n_lists + 1) * sizeof(uint64));
	uint32	   *members = huge(collector->n_members * sizeof(uint32));
	uint64		n_lists = 0;

	list_start[0] = 0;
	for (uint64 i = 0; i < n; i++)
	{
		uint32	   *row = ids + i * n_features;

		if ((i & 0xFFFF) == 0)
			CHECK_FOR_INTERRUPTS();
		if (i + AHEAD < n)
			expect_row(collector, order[i + AHEAD]);
		memcpy(row, collector->ids + (uint64) order[i] * n_features,
			   n_features * sizeof(uint32));
		for (int l = 0; l < n_lists_of_row; l++)
		{
			const uint64 *start = &collector->list_start[row[lists[l]]];

			memcpy(members + list_start[n_lists], collector->members + start[0],
				   (start[1] - start[0]) * sizeof(uint32));
			list_start[n_lists + 1] = list_start[n_lists] + start[1] - start[0];
			row[lists[l]] = n_lists++;
		}
	}
	data->ids = ids;
	data->list_start = list_start;
	data->list_members = members;
	pfree(lists);
}

static void
place_labels(const Collector *collector, const uint32 *order, Dataset *data)
{
	uint64		n = collector->n_rows;
	uint8	   *labels = huge(n);
	float	   *weights = collector->weights ? huge(n * sizeof(float)) : NULL;
	uint64	   *rows = collector->report->rows;

	for (uint64 i = 0; i < n; i++)
	{
		labels[i] = collector->labels[order[i]];
		if (weights)
			weights[i] = collector->weights[order[i]];
		rows[collector->splits[i]]++;
		if ((i & 0xFFFFF) == 0)
			CHECK_FOR_INTERRUPTS();
	}
	for (int split = 0; split < 3; split++)
		data->split_start[split + 1] = data->split_start[split] + rows[split];
	if (weights)
		weights_scale(&collector->weight, weights, data->split_start[SPLIT_VALID], n);
	data->labels = labels;
	data->weights = weights;
}

/* The rows as they were collected. */
static void
free_rows(Collector *collector)
{
	pfree(collector->ids);
	pfree(collector->labels);
	pfree(collector->hashes);
	pfree(collector->split_keys);
	pfree(collector->splits);
	if (collector->weights)
		pfree(collector->weights);
	pfree(collector->list_start);
	pfree(collector->members);
	pfree(collector->keys);
}

Dataset *
collector_dataset(Collector *collector)
{
	Dataset    *data = palloc0(sizeof(Dataset));
	uint32	   *order = order_rows(collector);

	spec_shape(collector->spec, &data->shape);
	place_ids(collector, order, data);
	place_labels(collector, order, data);
	collector->report->rows_used = collector->n_rows;
	pfree(order);
	free_rows(collector);
	return data;
}
