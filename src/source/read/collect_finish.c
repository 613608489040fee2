/*
 * collect_finish.c
 *	  From collected rows to a dataset: splits, vocabularies, bins, final ids.
 *
 * Phases, each of which needs the one before: the splits of all rows; how often each
 * key occurs in training rows; vocabularies out of these counts, and final ids; bins
 * and moments of numbers; checks of the domains; the dataset, with rows in their
 * final order (collect_place.h); what is counted of, and warned about, the dataset.
 *
 * Threads.  The team counts keys: a task has all columns of some vocabularies, so
 * that no count is written by two.  All else is done by the session.
 *
 * Memory.  Dictionaries are given back before rows are placed: the largest arrays
 * are never there at one time.
 */
#include "postgres.h"

#include <math.h>

#include "host.h"
#include "miscadmin.h"
#include "source/keys/piecewise.h"
#include "source/keys/sort_interruptible.h"
#include "source/keys/vocabulary.h"
#include "source/read/collect.h"
#include "source/read/collect_place.h"
#include "source/read/leak.h"
#include "source/read/moments.h"
#include "utils/memutils.h"

#define MAX_DOMAINS 10000
/* Bytes of a domain's name: views show it to all who may score, and two of them side by side. */
#define MAX_DOMAIN_NAME 65536

/* Columns of keys, without their of_id; returns how many. */
static int
key_columns(const FeatureSpec *spec, KeyColumn *columns)
{
	int			n = 0;

	for (int f = 0; f < spec->n_columns; f++)
	{
		const Feature *feature = &spec->features[f];

		if (kind_has_keys(feature->kind) &&
			spec->vocabularies[feature->vocabulary].buckets == 0)
			columns[n++] = (KeyColumn)
		{
			.feature = f,.vocabulary = feature->vocabulary,
			.is_list = feature->kind == FEATURE_LIST
		};
	}
	return n;
}

/* Counting: columns that share a vocabulary are one task's. */
typedef struct Counting
{
	const Collector *collector;
	const uint32 *ids;
	const uint32 *members;
	int			n_tasks;
	struct CountTask
	{
		int			n;
		KeyColumn  *columns;
		uint32	  **lists;		/* [n_features] counts of those that are lists */
		bool		has_lists;
	}		   *tasks;
	Watch		watch;
	Watch		followers;		/* the same to other threads than the caller's */
} Counting;

static inline void
count(uint32 *counts, uint32 id)
{
	if (id >= FIRST_ID)
		counts[id - FIRST_ID]++;
}

/* Members of a row's lists; returns the next row's. */
static const uint32 *
count_lists(const Counting *counting, const struct CountTask *task, const uint32 *ids,
			const uint32 *members, bool training, Watch *watch)
{
	const FeatureSpec *spec = counting->collector->spec;

	for (int f = 0; f < spec->n_columns; f++)
	{
		if (!kind_comes_as_list(spec->features[f].kind))
			continue;
		for (uint32 m = 0; m < ids[f] && training && task->lists[f]; m++)
		{
			if (m % WATCH_MEMBERS == 0 && watch_worked(watch, WATCH_MEMBERS))
				break;
			count(task->lists[f], members[m]);
		}
		members += ids[f];
	}
	return members;
}

/* A TeamTask. */
static void
count_task(void *context, int number, int thread)
{
	Counting   *counting = context;
	const struct CountTask *task = &counting->tasks[number];
	const Collector *collector = counting->collector;
	int			n_features = collector->spec->n_features;
	const uint32 *ids = counting->ids;
	const uint32 *members = counting->members;
	Watch	   *watch = thread == 0 ? &counting->watch : &counting->followers;

	for (uint64 row = 0; row < collector->n_rows; row++, ids += n_features)
	{
		bool		training = collector->splits[row] == SPLIT_TRAIN;

		if ((row & 0xFFFF) == 0 && watch_stopped(watch))
			return;
		if (row + ROWS_AHEAD < collector->n_rows)
			prefetch_ids(ids + ROWS_AHEAD * n_features, task->columns, task->n);
		for (int i = 0; i < task->n && training; i++)
			if (!task->columns[i].is_list)
				count(task->columns[i].of_id, ids[task->columns[i].feature]);
		if (task->has_lists)
			members = count_lists(counting, task, ids, members, training, watch);
	}
}

/* Columns to tasks, as many of these as there are threads. */
static void
deal_columns(Counting *counting, const KeyColumn *columns, int n)
{
	const Collector *collector = counting->collector;
	int			n_features = collector->spec->n_features;

	counting->n_tasks = team_size(collector->team);
	counting->tasks = palloc0(counting->n_tasks * sizeof(struct CountTask));
	for (int t = 0; t < counting->n_tasks; t++)
	{
		counting->tasks[t].columns = palloc(Max(n, 1) * sizeof(KeyColumn));
		counting->tasks[t].lists = palloc0(n_features * sizeof(uint32 *));
	}
	for (int i = 0; i < n; i++)
	{
		struct CountTask *task = &counting->tasks[columns[i].vocabulary % counting->n_tasks];
		KeyColumn  *column = &task->columns[task->n++];

		*column = columns[i];
		column->of_id = collector->dictionaries[column->vocabulary].counts;
		if (column->is_list)
			task->lists[column->feature] = column->of_id;
		task->has_lists = task->has_lists || column->is_list;
	}
}

/* Occurrences of each key in training rows. */
static void
count_training(Collector *collector, const KeyColumn *columns, int n)
{
	EngineHost	host = host_callbacks();
	Counting	counting = {.collector = collector,.watch = {.host = &host}};
	EngineError error;

	counting.followers.leader = &counting.watch;
	counting.ids = spool_finish(&collector->result.ids);
	counting.members = spool_finish(&collector->result.members);
	deal_columns(&counting, columns, n);
	team_run(collector->team, &counting.watch, count_task, &counting, counting.n_tasks);
	if (!watch_continue(&counting.watch, &error))
		host_raise(&error);
	for (int t = 0; t < counting.n_tasks; t++)
	{
		pfree(counting.tasks[t].columns);
		pfree(counting.tasks[t].lists);
	}
	pfree(counting.tasks);
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

/*
 * Training rows by final id of the vocabulary of a feature whose rows are
 * counted: no other column has part in it, and its ids are not hashed.
 */
static uint32 *
counts_by_id(const Collector *collector, int v, const uint32 *final)
{
	const Dictionary *dictionary = &collector->dictionaries[v];
	uint32	   *counts = huge(collector->spec->vocabularies[v].n_rows * sizeof(uint32));

	for (uint32 i = 0; i < dictionary->n; i++)
		counts[final[i + FIRST_ID]] = dictionary->counts[i];
	return counts;
}

/* Vocabularies of keys, and final ids by provisional ones. */
static void
build_vocabularies(Collector *collector, FinalIds *final)
{
	FeatureSpec *spec = collector->spec;
	uint32	  **of_vocabulary = palloc0(spec->n_vocabularies * sizeof(uint32 *));

	final->keys = palloc(spec->n_columns * sizeof(KeyColumn));
	final->n_keys = key_columns(spec, final->keys);
	count_training(collector, final->keys, final->n_keys);
	for (int i = 0; i < final->n_keys; i++)
	{
		int			v = final->keys[i].vocabulary;

		if (!of_vocabulary[v])
			of_vocabulary[v] = collector_vocabulary(collector, v);
		final->keys[i].of_id = of_vocabulary[v];
	}
	final->counts = palloc((spec->n_features - spec->n_columns + 1) * sizeof(RowCounts));
	for (int f = spec->n_columns; f < spec->n_features && spec->features[f].kind == FEATURE_ROWS; f++)
	{
		int			v = spec->features[spec->features[f].counted].vocabulary;

		row_counts_build(spec, f, counts_by_id(collector, v, of_vocabulary[v]),
						 &final->counts[final->n_counts++]);
	}
	for (int v = 0; v < spec->n_vocabularies; v++)
		dictionary_free(&collector->dictionaries[v]);
	pfree(of_vocabulary);
}

/* Memory of the above. */
static void
free_final(FinalIds *final)
{
	for (int i = 0; i < final->n_keys; i++)
	{
		bool		shared = false;

		for (int k = 0; k < i; k++)
			shared = shared || final->keys[k].vocabulary == final->keys[i].vocabulary;
		if (!shared)
			pfree(final->keys[i].of_id);
	}
	for (int i = 0; i < final->n_counts; i++)
		pfree(final->counts[i].counts);
}

/* Distinct quantiles of the training rows' numbers: bins, or pieces, of about equal count. */
static void
find_edges(const Collector *collector, int f, const double *numbers)
{
	Feature    *feature = &collector->spec->features[f];
	bool		piecewise = feature->kind == FEATURE_PIECEWISE;
	double	   *sorted = huge(collector->n_rows * sizeof(double));
	int			bins = collector->plans[f].bins;
	uint64		n = 0;

	for (uint64 row = 0; row < collector->n_rows; row++)
		if (collector->splits[row] == SPLIT_TRAIN && !isnan(numbers[row]) &&
			!(piecewise && isinf(numbers[row])))
			sorted[n++] = piecewise ? piecewise_number(numbers[row]) : numbers[row];
	sort_numbers(sorted, n);
	feature->edges = palloc(bins * sizeof(double));
	for (int b = 1; b < bins && n > 0; b++)
	{
		double		edge = sorted[n * b / bins];

		if (edge > sorted[0] &&
			(feature->n_edges == 0 || edge > feature->edges[feature->n_edges - 1]))
			feature->edges[feature->n_edges++] = edge;
	}
	if (piecewise)
		piecewise_build(feature, sorted, n);
	pfree(sorted);
}

static void
build_bins(Collector *collector, FinalIds *final)
{
	FeatureSpec *spec = collector->spec;

	final->numbers = palloc(spec->n_columns * sizeof(NumberColumn));
	for (int f = 0; f < spec->n_columns; f++)
	{
		Feature    *feature = &spec->features[f];
		NumberColumn *column = &final->numbers[final->n_numbers];

		if (!kind_is_number(feature->kind))
			continue;
		*column = (NumberColumn) {f, spool_finish(&collector->lookup.columns[f].numbers)};
		find_edges(collector, f, column->numbers);
		vocabulary_build_hashed(&spec->vocabularies[feature->vocabulary], feature_bins(feature));
		final->n_numbers++;
	}
}

static void
check_domain_names(const Feature *domain, const Vocabulary *names)
{
	for (uint32 id = FIRST_ID; id < names->n_rows; id++)
	{
		char	   *name = vocabulary_key(names, id);
		size_t		length = strlen(name);

		if (length > MAX_DOMAIN_NAME)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("column \"%s\" has a domain of %zu bytes, more than %d", domain->name,
							length, MAX_DOMAIN_NAME),
					 errhint("Choose a column of names as the domain.")));
		pfree(name);
	}
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
	check_domain_names(domain, &spec->vocabularies[domain->vocabulary]);
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

/* Training rows of each bin: what later rows are compared with. */
static void
count_bins(FeatureSpec *spec, const Dataset *data)
{
	int		   *numbers = palloc((spec->n_columns + 1) * sizeof(int));
	int			n = 0;

	for (int f = 0; f < spec->n_columns; f++)
		if (kind_is_number(spec->features[f].kind))
		{
			spec->features[f].bin_rows = palloc0((feature_bins(&spec->features[f]) + 1) *
												 sizeof(uint64));
			numbers[n++] = f;
		}
	for (uint64 row = 0; n > 0 && row < data->split_start[SPLIT_VALID]; row++)
	{
		if ((row & 0xFFFF) == 0)
			CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < n; i++)
		{
			const uint32 *ids;
			int			n_ids = (int) dataset_members(data, row, numbers[i], &ids);
			Feature    *feature = &spec->features[numbers[i]];

			feature->bin_rows[bin_number(number_bin(feature, ids, n_ids))]++;
		}
	}
	pfree(numbers);
}

static void *
copied(const void *array, Size size)
{
	return memcpy(huge(size), array, size);
}

/* Place a second encoding of the rows as these will be: by what orders these. */
static Dataset *
place_twin(const Collector *collector, Collector *twin)
{
	uint64		n = collector->n_rows;

	if (n > 0)
	{
		memcpy(twin->labels, collector->labels, n);
		memcpy(twin->result.hashes, collector->result.hashes, n * sizeof(uint64));
	}
	twin->splits = n > 0 ? copied(collector->splits, n) : huge(1);
	if (collector->weights)
		twin->weights = copied(collector->weights, n * sizeof(float));
	twin->weight = collector->weight;
	return collector_place(twin, NULL);
}

Dataset *
collector_finish(Collector *collector)
{
	FeatureSpec *spec = collector->spec;
	FinalIds	final = {0};
	Dataset    *data;

	collector->splits = huge(collector->n_rows);
	split_rows(&collector->split, collector->options, collector->split_keys,
			   collector->result.hashes, collector->n_rows, &collector->bounds, collector->splits);
	split_rule(&collector->split, collector->options, &collector->bounds,
			   &collector->report->split);
	build_vocabularies(collector, &final);
	build_bins(collector, &final);
	moments_find(collector);
	collector_check_domains(spec);
	warn_of_one_domain(spec);
	if (collector->twin)
		collector->twin_data = place_twin(collector, collector->twin);
	data = collector_place(collector, &final);
	free_final(&final);
	count_bins(spec, data);
	split_warn(&collector->split, collector->options, collector->report->rows);
	leak_warn(spec, data);
	return data;
}
