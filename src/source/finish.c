/*
 * finish.c
 *	  From collected rows to a dataset: splits, vocabularies, bins, final ids.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "source/collect.h"
#include "source/leak.h"
#include "source/rowcount.h"
#include "source/sorting.h"
#include "source/vocabulary.h"
#include "utils/memutils.h"

#define MAX_DOMAINS 10000
/* So many rows ahead memory is fetched for a row. */
#define AHEAD 8

static void *
huge(Size size)
{
	return MemoryContextAllocHuge(CurrentMemoryContext, Max(size, 1));
}

/* A column of keys, and something of each id of its vocabulary. */
typedef struct KeyColumn
{
	int			feature;
	int			vocabulary;
	bool		is_list;
	uint32	   *of_id;			/* by provisional id: how many, or the final one */
} KeyColumn;

/* Columns of keys, without their of_id; returns how many. */
static int
key_columns(const FeatureSpec *spec, KeyColumn *columns)
{
	int			n = 0;

	for (int f = 0; f < spec->n_columns; f++)
	{
		const Feature *feature = &spec->features[f];

		if (feature->kind != FEATURE_BINNED && spec->vocabularies[feature->vocabulary].buckets == 0)
			columns[n++] = (KeyColumn)
		{
			.feature = f,.vocabulary = feature->vocabulary,
			.is_list = feature->kind == FEATURE_LIST
		};
	}
	return n;
}

/* What a row will read of the columns' arrays is fetched from memory. */
static inline void
expect_ids(const uint32 *ids, const KeyColumn *columns, int n)
{
	for (int i = 0; i < n; i++)
		if (!columns[i].is_list)
			__builtin_prefetch(&columns[i].of_id[ids[columns[i].feature]]);
}

static inline void
count(uint32 *counts, uint32 id)
{
	if (id >= FIRST_ID)
		counts[id - FIRST_ID]++;
}

/* Occurrences of each key in training rows. */
static void
count_training(Collector *collector, KeyColumn *columns, int n)
{
	const int	n_features = collector->spec->n_features;

	for (int i = 0; i < n; i++)
		columns[i].of_id = collector->dictionaries[columns[i].vocabulary].counts;
	for (uint64 row = 0; row < collector->n_rows; row++)
	{
		const uint32 *ids = collector->ids + row * n_features;

		if ((row & 0xFFFF) == 0)
			CHECK_FOR_INTERRUPTS();
		if (row + AHEAD < collector->n_rows)
			expect_ids(ids + AHEAD * n_features, columns, n);
		if (collector->splits[row] != SPLIT_TRAIN)
			continue;
		for (int i = 0; i < n; i++)
		{
			uint32		id = ids[columns[i].feature];

			if (!columns[i].is_list)
				count(columns[i].of_id, id);
			else
				for (uint64 m = collector->list_start[id]; m < collector->list_start[id + 1]; m++)
					count(columns[i].of_id, collector->members[m]);
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

/* The bytes of all keys of a dictionary of words, one after the other, and their lengths. */
static char *
write_words(KeyWriter *writer, const Dictionary *dictionary, VocabularyKey *keys)
{
	Size		room = 16 * (Size) dictionary->n;
	Size		used = 0;
	char	   *bytes = huge(room);

	for (uint32 i = 0; i < dictionary->n; i++)
	{
		const char *key = key_write_word(writer, dictionary->entries[i].key, &keys[i].length);

		if ((i & 0xFFFF) == 0)
			CHECK_FOR_INTERRUPTS();
		if (used + keys[i].length > room)
		{
			room = 2 * (room + keys[i].length);
			bytes = repalloc_huge(bytes, room);
		}
		memcpy(bytes + used, key, keys[i].length);
		used += keys[i].length;
	}
	return bytes;
}

/* All keys with their counts; *words are bytes that have been made for them. */
static VocabularyKey *
dictionary_keys(const Collector *collector, int v, char **words)
{
	const Dictionary *dictionary = &collector->dictionaries[v];
	VocabularyKey *keys = huge(dictionary->n * sizeof(VocabularyKey));
	const char *at;

	at = *words = dictionary->words ?
		write_words(collector->word_writers[v], dictionary, keys) : NULL;
	for (uint32 i = 0; i < dictionary->n; i++)
	{
		if ((i & 0xFFFFF) == 0)
			CHECK_FOR_INTERRUPTS();
		keys[i].hash = dictionary->entries[i].hash;
		keys[i].count = dictionary->counts[i];
		if (!dictionary->words)
			keys[i].bytes = dictionary_bytes(dictionary, i, &keys[i].length);
		else
		{
			keys[i].bytes = at;
			at += keys[i].length;
		}
	}
	return keys;
}

uint32 *
collector_vocabulary(Collector *collector, int v)
{
	uint32		n = collector->dictionaries[v].n;
	uint32	   *final = huge(((Size) n + FIRST_ID) * sizeof(uint32));
	VocabularyKey *keys;
	char	   *words;

	dictionary_close(&collector->dictionaries[v]);
	keys = dictionary_keys(collector, v, &words);
	for (uint32 id = 0; id < FIRST_ID; id++)
		final[id] = id;
	vocabulary_build(&collector->spec->vocabularies[v], keys, n,
					 collector_min_count(collector->spec, v), final + FIRST_ID);
	pfree(keys);
	if (words)
		pfree(words);
	return final;
}

/* Provisional ids to final ones. */
static void
remap(Collector *collector, const KeyColumn *columns, int n)
{
	const int	n_features = collector->spec->n_features;

	for (uint64 row = 0; row < collector->n_rows; row++)
	{
		uint32	   *ids = collector->ids + row * n_features;

		if ((row & 0xFFFF) == 0)
			CHECK_FOR_INTERRUPTS();
		if (row + AHEAD < collector->n_rows)
			expect_ids(ids + AHEAD * n_features, columns, n);
		for (int i = 0; i < n; i++)
		{
			uint32	   *id = &ids[columns[i].feature];

			if (!columns[i].is_list)
				*id = columns[i].of_id[*id];
			else
				for (uint64 m = collector->list_start[*id]; m < collector->list_start[*id + 1]; m++)
					collector->members[m] = columns[i].of_id[collector->members[m]];
		}
	}
}

/* Vocabularies of keys, and final ids in all rows. */
static void
build_vocabularies(Collector *collector)
{
	const FeatureSpec *spec = collector->spec;
	uint32	  **final = palloc0(spec->n_vocabularies * sizeof(uint32 *));
	KeyColumn  *columns = palloc(spec->n_columns * sizeof(KeyColumn));
	int			n = key_columns(spec, columns);

	count_training(collector, columns, n);
	for (int i = 0; i < n; i++)
	{
		int			v = columns[i].vocabulary;

		if (!final[v])
			final[v] = collector_vocabulary(collector, v);
		columns[i].of_id = final[v];
	}
	for (int v = 0; v < spec->n_vocabularies; v++)
		dictionary_free(&collector->dictionaries[v]);
	remap(collector, columns, n);
	for (int v = 0; v < spec->n_vocabularies; v++)
		if (final[v])
			pfree(final[v]);
	pfree(final);
	pfree(columns);
}

/* Distinct quantiles of the training rows' numbers: bins of about equal count. */
static void
find_edges(const Collector *collector, int f)
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
	pfree(sorted);
}

static void
build_bins(Collector *collector, int f)
{
	Feature    *feature = &collector->spec->features[f];
	CollectColumn *column = &collector->columns[f];

	find_edges(collector, f);
	vocabulary_build_hashed(&collector->spec->vocabularies[feature->vocabulary],
							feature->n_edges + 1);
	for (uint64 row = 0; row < collector->n_rows; row++)
	{
		if ((row & 0xFFFFF) == 0)
			CHECK_FOR_INTERRUPTS();
		collector->ids[row * collector->spec->n_features + f] =
			bin_of(feature, column->numbers[row]);
	}
	pfree(column->numbers);
	column->numbers = NULL;
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
	build_vocabularies(collector);
	for (int f = 0; f < spec->n_features; f++)
		if (spec->features[f].kind == FEATURE_BINNED)
			build_bins(collector, f);
	for (int f = spec->n_columns; f < spec->n_features; f++)
		rowcount_build(spec, f, collector->ids, collector->splits, collector->n_rows);
	collector_check_domains(spec);
	warn_of_one_domain(spec);
	data = collector_dataset(collector);
	leak_warn(spec, data);
	return data;
}
