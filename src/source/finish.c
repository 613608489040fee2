/*
 * finish.c
 *	  From collected rows to a dataset: splits, vocabularies, bins, final ids,
 *	  and an order of rows that does not depend on the order of reading.
 */
#include "postgres.h"

#include <math.h>

#include "common/hashfn.h"
#include "miscadmin.h"
#include "source/collect.h"
#include "source/rowcount.h"
#include "source/sorting.h"
#include "source/vocabulary.h"
#include "utils/memutils.h"

#define MAX_DOMAINS 10000

static void *
huge(Size size)
{
	return MemoryContextAllocHuge(CurrentMemoryContext, Max(size, 1));
}

/* Occurrences of each key in training rows. */
static void
count_training(Collector *collector)
{
	FeatureSpec *spec = collector->spec;

	for (uint64 row = 0; row < collector->n_rows; row++)
	{
		const uint32 *ids = collector->ids + row * spec->n_features;

		if (collector->splits[row] != SPLIT_TRAIN)
			continue;
		for (int f = 0; f < spec->n_features; f++)
		{
			Dictionary *dictionary = &collector->dictionaries[spec->features[f].vocabulary];

			if (spec->vocabularies[spec->features[f].vocabulary].buckets > 0)
				continue;
			if (spec->features[f].kind == FEATURE_CATEGORICAL && ids[f] >= FIRST_ID)
				dictionary->counts[ids[f] - FIRST_ID]++;
			if (spec->features[f].kind != FEATURE_LIST)
				continue;
			for (uint64 i = collector->list_start[ids[f]];
				 i < collector->list_start[ids[f] + 1]; i++)
				if (collector->members[i] >= FIRST_ID)
					dictionary->counts[collector->members[i] - FIRST_ID]++;
		}
	}
}

uint32
collector_min_count(const FeatureSpec *spec, int v)
{
	uint32		min_count = PG_UINT32_MAX;

	for (int f = 0; f < spec->n_features; f++)
		if (spec->features[f].vocabulary == v)
			min_count = Min(min_count, spec->features[f].min_count);
	return min_count;
}

/* The bytes of all keys of a dictionary of words, and where each begins in them [n + 1]. */
static char *
write_words(KeyWriter *writer, const Dictionary *dictionary, uint64 *starts)
{
	Size		room = 16 * (Size) dictionary->n;
	char	   *bytes = huge(room);

	starts[0] = 0;
	for (uint32 i = 0; i < dictionary->n; i++)
	{
		uint32		length;
		const char *key = key_write_word(writer, dictionary->entries[i].key, &length);

		if ((i & 0xFFFF) == 0)
			CHECK_FOR_INTERRUPTS();
		if (starts[i] + length > room)
		{
			room = 2 * (room + length);
			bytes = repalloc_huge(bytes, room);
		}
		memcpy(bytes + starts[i], key, length);
		starts[i + 1] = starts[i] + length;
	}
	return bytes;
}

/* All keys with their counts; *words are bytes that have been made for them. */
static VocabularyKey *
dictionary_keys(const Collector *collector, int v, char **words)
{
	const Dictionary *dictionary = &collector->dictionaries[v];
	VocabularyKey *keys = huge(dictionary->n * sizeof(VocabularyKey));
	uint64	   *starts = NULL;

	*words = NULL;
	if (dictionary->words)
	{
		starts = huge((dictionary->n + (Size) 1) * sizeof(uint64));
		*words = write_words(collector->word_writers[v], dictionary, starts);
	}
	for (uint32 i = 0; i < dictionary->n; i++)
	{
		keys[i].hash = dictionary->entries[i].hash;
		keys[i].count = dictionary->counts[i];
		if (dictionary->words)
		{
			keys[i].bytes = *words + starts[i];
			keys[i].length = starts[i + 1] - starts[i];
		}
		else
			keys[i].bytes = dictionary_bytes(dictionary, i, &keys[i].length);
	}
	if (starts)
		pfree(starts);
	return keys;
}

uint32 *
collector_vocabulary(Collector *collector, int v)
{
	uint32		n = collector->dictionaries[v].n;
	char	   *words;
	VocabularyKey *keys = dictionary_keys(collector, v, &words);
	uint32	   *final = huge(((Size) n + FIRST_ID) * sizeof(uint32));

	for (uint32 id = 0; id < FIRST_ID; id++)
		final[id] = id;
	vocabulary_build(&collector->spec->vocabularies[v], keys, n,
					 collector_min_count(collector->spec, v), final + FIRST_ID);
	pfree(keys);
	if (words)
		pfree(words);
	return final;
}

/* Provisional ids to final ones: final [n_vocabularies][id], NULL where they are final. */
static void
remap(Collector *collector, uint32 *const *final)
{
	const FeatureSpec *spec = collector->spec;

	for (uint64 row = 0; row < collector->n_rows; row++)
	{
		uint32	   *ids = collector->ids + row * spec->n_features;

		if ((row & 0xFFFF) == 0)
			CHECK_FOR_INTERRUPTS();
		for (int f = 0; f < spec->n_columns; f++)
		{
			const uint32 *of = final[spec->features[f].vocabulary];

			if (!of)
				continue;
			if (spec->features[f].kind == FEATURE_CATEGORICAL)
				ids[f] = of[ids[f]];
			else
				for (uint64 i = collector->list_start[ids[f]];
					 i < collector->list_start[ids[f] + 1]; i++)
					collector->members[i] = of[collector->members[i]];
		}
	}
}

/* Vocabularies of keys, and their ids in all rows. */
static void
build_vocabularies(Collector *collector)
{
	const FeatureSpec *spec = collector->spec;
	uint32	  **final = palloc0(spec->n_vocabularies * sizeof(uint32 *));
	bool	   *has_keys = palloc0(spec->n_vocabularies * sizeof(bool));

	for (int f = 0; f < spec->n_columns; f++)
		has_keys[spec->features[f].vocabulary] = spec->features[f].kind != FEATURE_BINNED &&
			spec->vocabularies[spec->features[f].vocabulary].buckets == 0;
	for (int v = 0; v < spec->n_vocabularies; v++)
	{
		if (has_keys[v])
			final[v] = collector_vocabulary(collector, v);
		dictionary_free(&collector->dictionaries[v]);
	}
	remap(collector, final);
	for (int v = 0; v < spec->n_vocabularies; v++)
		if (has_keys[v])
			pfree(final[v]);
	pfree(final);
	pfree(has_keys);
}

/* Distinct quantiles of the training rows' numbers: bins of about equal count. */
static void
build_bins(Collector *collector, int f)
{
	Feature    *feature = &collector->spec->features[f];
	const double *numbers = collector->columns[f].numbers;
	double	   *sorted = huge(collector->n_rows * sizeof(double));
	int			bins = collector->plans[f].bins;
	uint64		n = 0;

	for (uint64 row = 0; row < collector->n_rows; row++)
		if (collector->splits[row] == SPLIT_TRAIN && !isnan(numbers[row]))
			sorted[n++] = numbers[row];
	sort_numbers(sorted, n);
	feature->edges = palloc(bins * sizeof(double));
	for (int b = 1; b < bins && n > 0; b++)
	{
		double		edge = sorted[n * b / bins];

		if (edge > sorted[0] &&
			(feature->n_edges == 0 || edge > feature->edges[feature->n_edges - 1]))
			feature->edges[feature->n_edges++] = edge;
	}
	vocabulary_build_hashed(&collector->spec->vocabularies[feature->vocabulary],
							feature->n_edges + 1);
	for (uint64 row = 0; row < collector->n_rows; row++)
		collector->ids[row * collector->spec->n_features + f] = bin_of(feature, numbers[row]);
	pfree(sorted);
}

typedef struct RowOrder
{
	uint64		hash;
	uint32		row;
	float		weight;
	uint8		split;
	uint8		label;
} RowOrder;

static int
compare_row(const void *a, const void *b)
{
	const RowOrder *x = a;
	const RowOrder *y = b;

	if (x->split != y->split)
		return x->split < y->split ? -1 : 1;
	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	if (x->label != y->label)
		return x->label - y->label;
	return (x->weight > y->weight) - (x->weight < y->weight);
}

static RowOrder *
order_rows(const Collector *collector)
{
	RowOrder   *order = huge(collector->n_rows * sizeof(RowOrder));

	for (uint64 row = 0; row < collector->n_rows; row++)
		order[row] = (RowOrder)
		{
			.hash = collector->hashes[row],.row = row,
			.split = collector->splits[row],.label = collector->labels[row],
			.weight = collector->weights ? collector->weights[row] : 1
		};
	qsort(order, collector->n_rows, sizeof(RowOrder), compare_row);
	return order;
}

/* A row's ids, and its lists appended in the order of the rows. */
static void
place_row(const Collector *collector, const uint32 *from, uint32 *to, uint64 *list_start,
		  uint32 *members, uint64 *n_lists)
{
	for (int f = 0; f < collector->spec->n_features; f++)
	{
		uint64		start;
		uint64		length;

		to[f] = from[f];
		if (collector->spec->features[f].kind != FEATURE_LIST)
			continue;
		start = collector->list_start[from[f]];
		length = collector->list_start[from[f] + 1] - start;
		memcpy(members + list_start[*n_lists], collector->members + start,
			   length * sizeof(uint32));
		list_start[*n_lists + 1] = list_start[*n_lists] + length;
		to[f] = (*n_lists)++;
	}
}

Dataset *
collector_dataset(Collector *collector)
{
	Dataset    *data = palloc0(sizeof(Dataset));
	uint64		n = collector->n_rows;
	int			n_features = collector->spec->n_features;
	RowOrder   *order = order_rows(collector);
	uint32	   *ids = huge(n * n_features * sizeof(uint32));
	uint8	   *labels = huge(n);
	float	   *weights = collector->weights ? huge(n * sizeof(float)) : NULL;
	uint64	   *list_start = huge((collector->n_lists + 1) * sizeof(uint64));
	uint32	   *members = huge(collector->n_members * sizeof(uint32));
	uint64		n_lists = 0;

	list_start[0] = 0;
	for (uint64 i = 0; i < n; i++)
	{
		place_row(collector, collector->ids + (uint64) order[i].row * n_features,
				  ids + i * n_features, list_start, members, &n_lists);
		labels[i] = order[i].label;
		if (weights)
			weights[i] = order[i].weight;
		collector->report->rows[order[i].split]++;
		if ((i & 0xFFFF) == 0)
			CHECK_FOR_INTERRUPTS();
	}
	for (int split = 0; split < 3; split++)
		data->split_start[split + 1] = data->split_start[split] + collector->report->rows[split];
	collector->report->rows_used = n;
	spec_shape(collector->spec, &data->shape);
	data->ids = ids;
	data->labels = labels;
	if (weights)
		weights_scale(&collector->weight, weights, data->split_start[SPLIT_VALID], n);
	data->weights = weights;
	data->list_start = list_start;
	data->list_members = members;
	pfree(order);
	pfree(collector->ids);
	pfree(collector->hashes);
	return data;
}

/* A feature of a few values that tells the label by itself. */
static void
warn_of_leak(const Collector *collector, const Dataset *data, int f)
{
	const char *name = collector->spec->features[f].name;
	uint32		n_rows = data->shape.table_rows[data->shape.field_table[f]];
	size_t		n = data->split_start[SPLIT_VALID];
	uint64	   *count;
	uint64		positives = 0;
	double		concordant = 0;

	if (collector->spec->features[f].kind == FEATURE_LIST || n_rows > n / 10)
		return;
	count = palloc0(2 * (Size) n_rows * sizeof(uint64));
	for (size_t row = 0; row < n; row++)
	{
		count[2 * data->ids[row * data->shape.n_fields + f] + data->labels[row]]++;
		positives += data->labels[row];
	}
	/* pairs of a positive and a negative row that the values' rates put in order */
	for (uint32 a = 0; a < n_rows && n_rows <= 1000; a++)
		for (uint32 b = 0; b < n_rows; b++)
		{
			double		rate_a = (count[2 * a + 1] + 1.0) / (count[2 * a] + count[2 * a + 1] + 2);
			double		rate_b = (count[2 * b + 1] + 1.0) / (count[2 * b] + count[2 * b + 1] + 2);

			if (rate_a >= rate_b)
				concordant += (rate_a > rate_b ? 1 : 0.5) * count[2 * a + 1] * count[2 * b];
		}
	if (positives > 0 && positives < n &&
		concordant / ((double) positives * (n - positives)) > 0.98)
		ereport(WARNING,
				(errmsg("column \"%s\" alone predicts the label", name),
				 errhint("If it is not known when scores are needed, list the features without it.")));
	pfree(count);
}

void
collector_check_domains(const FeatureSpec *spec)
{
	const Feature *domain = &spec->features[spec->domain_feature];
	uint32		n_domains = spec->vocabularies[domain->vocabulary].n_rows - FIRST_ID;

	if (n_domains > MAX_DOMAINS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("column \"%s\" has %u domains, more than %d", domain->name, n_domains,
						MAX_DOMAINS),
				 errhint("Choose a coarser column as the domain.")));
}

static void
warn_of_one_domain(const FeatureSpec *spec)
{
	const Feature *domain = &spec->features[spec->domain_feature];

	if (spec->vocabularies[domain->vocabulary].n_rows == FIRST_ID + 1)
		ereport(WARNING,
				(errmsg("there is only one domain in column \"%s\"", domain->name),
				 errhint("The model learns what domains share and where they differ; with one, a simpler architecture does.")));
}

Dataset *
collector_finish(Collector *collector)
{
	FeatureSpec *spec = collector->spec;
	Dataset    *data;

	collector->splits = huge(collector->n_rows);
	split_rows(&collector->split, collector->options, collector->split_keys,
			   collector->hashes, collector->n_rows, collector->splits);
	count_training(collector);
	build_vocabularies(collector);
	for (int f = 0; f < spec->n_features; f++)
		if (spec->features[f].kind == FEATURE_BINNED)
			build_bins(collector, f);
	for (int f = spec->n_columns; f < spec->n_features; f++)
		rowcount_build(spec, f, collector->ids, collector->splits, collector->n_rows);
	collector_check_domains(spec);
	warn_of_one_domain(spec);
	data = collector_dataset(collector);
	for (int f = 0; f < spec->n_columns; f++)
		warn_of_leak(collector, data, f);
	return data;
}
