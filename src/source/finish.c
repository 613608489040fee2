/*
 * finish.c
 *	  From collected rows to a dataset: splits, vocabularies, bins, final ids.
 */
#include "postgres.h"

#include <math.h>

#include "common/hashfn.h"
#include "miscadmin.h"
#include "source/collect.h"
#include "source/leak.h"
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

		if ((row & 0xFFFF) == 0)
			CHECK_FOR_INTERRUPTS();
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
	leak_warn(spec, data);
	return data;
}
