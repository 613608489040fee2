/*
 * collect.c
 *	  Rows of a source as they come: keys to provisional ids.
 */
#include "postgres.h"

#include "source/collect.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "source/vocabulary.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#define FIRST_ROWS 4096
#define MAX_ROWS (PG_UINT32_MAX - 1)
#define NULL_HASH UINT64CONST(0x6E756C6C)

static void
init_column(Collector *collector, int f)
{
	CollectColumn *column = &collector->columns[f];
	const Feature *feature = &collector->spec->features[f];

	if (feature->kind == FEATURE_BINNED)
	{
		column->encoder = encoder_create(collector->spec, f, feature->type, collector->context);
		column->numbers = palloc(FIRST_ROWS * sizeof(double));
		return;
	}
	key_writer_init(&column->key, feature->type, collector->context);
	get_typlenbyvalalign(feature->type, &column->element_length, &column->element_by_value,
						 &column->element_align);
}

void
collector_init(Collector *collector, const ColumnRoles *roles, const SourceOptions *options,
			   FeatureSpec *spec, FeaturePlan *plans, ReadReport *report)
{
	int			next = spec->n_columns;

	memset(collector, 0, sizeof(*collector));
	collector->options = options;
	collector->spec = spec;
	collector->plans = plans;
	collector->report = report;
	collector->context = CurrentMemoryContext;
	collector->label_at = roles->label ? next++ : -1;
	collector->split_at = roles->split ? next++ : -1;
	collector->weight_at = roles->weight ? next++ : -1;
	if (roles->label)
		label_init(&collector->label, roles->relation, roles->label, options);
	split_init(&collector->split, roles, options);
	weight_init(&collector->weight, roles->relation, roles->weight);
	collector->columns = palloc0(spec->n_features * sizeof(CollectColumn));
	collector->dictionaries = palloc0(spec->n_vocabularies * sizeof(Dictionary));
	for (int f = 0; plans && f < spec->n_columns; f++)
		init_column(collector, f);
	for (int v = 0; v < spec->n_vocabularies; v++)
		dictionary_init(&collector->dictionaries[v], collector->context);
	collector->capacity = FIRST_ROWS;
	collector->ids = palloc(FIRST_ROWS * spec->n_features * sizeof(uint32));
	collector->labels = palloc(FIRST_ROWS * sizeof(uint8));
	collector->hashes = palloc(FIRST_ROWS * sizeof(uint64));
	collector->split_keys = palloc(FIRST_ROWS * sizeof(int64));
	if (roles->weight)
		collector->weights = palloc(FIRST_ROWS * sizeof(float));
	collector->list_capacity = FIRST_ROWS;
	collector->list_start = palloc0((FIRST_ROWS + 1) * sizeof(uint64));
	collector->member_capacity = FIRST_ROWS;
	collector->members = palloc(FIRST_ROWS * sizeof(uint32));
}

void
collector_reserve(Collector *collector)
{
	uint64		capacity = 2 * collector->capacity;

	if (collector->n_rows < collector->capacity)
		return;
	if (collector->n_rows >= MAX_ROWS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the source has more than %u rows", MAX_ROWS),
				 errhint("Train on a sample, through a view.")));
	collector->ids = repalloc_huge(collector->ids,
								   capacity * collector->spec->n_features * sizeof(uint32));
	collector->labels = repalloc_huge(collector->labels, capacity * sizeof(uint8));
	collector->hashes = repalloc_huge(collector->hashes, capacity * sizeof(uint64));
	collector->split_keys = repalloc_huge(collector->split_keys, capacity * sizeof(int64));
	if (collector->weights)
		collector->weights = repalloc_huge(collector->weights, capacity * sizeof(float));
	for (int f = 0; f < collector->spec->n_features; f++)
		if (collector->columns[f].numbers)
			collector->columns[f].numbers =
				repalloc_huge(collector->columns[f].numbers, capacity * sizeof(double));
	collector->capacity = capacity;
}

uint32
collect_list(Collector *collector, const uint32 *members, int n)
{
	if (collector->n_lists == collector->list_capacity)
	{
		collector->list_capacity *= 2;
		collector->list_start = repalloc_huge(collector->list_start,
											  (collector->list_capacity + 1) * sizeof(uint64));
	}
	if (collector->n_members + n > collector->member_capacity)
	{
		collector->member_capacity = 2 * (collector->n_members + n);
		collector->members = repalloc_huge(collector->members,
										   collector->member_capacity * sizeof(uint32));
	}
	if (collector->n_lists >= MAX_ROWS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the source has more than %u lists", MAX_ROWS)));
	memcpy(collector->members + collector->n_members, members, n * sizeof(uint32));
	collector->n_members += n;
	collector->list_start[++collector->n_lists] = collector->n_members;
	return collector->n_lists - 1;
}

/* Provisional id of a value that is not NULL; *hash is that of its key. */
static uint32
key_id(Collector *collector, int f, Datum value, uint64 *hash)
{
	int			v = collector->spec->features[f].vocabulary;
	uint32		length;
	const char *key = key_write(&collector->columns[f].key, value, &length);

	*hash = hash_bytes_extended((const unsigned char *) key, length, 0);
	if (collector->spec->vocabularies[v].buckets > 0)
		return FIRST_ID + *hash % collector->spec->vocabularies[v].buckets;
	return FIRST_ID + dictionary_add(&collector->dictionaries[v], key, length, *hash);
}

static uint32
list_id(Collector *collector, int f, Datum value, bool isnull, uint64 *hash)
{
	const uint32 null_member = NULL_ID;
	CollectColumn *column = &collector->columns[f];
	Datum	   *values;
	bool	   *nulls;
	uint32	   *members;
	int			n;
	int			n_members = 0;

	*hash = NULL_HASH;
	if (isnull)
		return collect_list(collector, &null_member, 1);
	deconstruct_array(DatumGetArrayTypeP(value), collector->spec->features[f].type,
					  column->element_length, column->element_by_value,
					  column->element_align, &values, &nulls, &n);
	members = palloc(n * sizeof(uint32));
	*hash = 0;
	for (int i = 0; i < n; i++)
	{
		uint64		member_hash;

		if (nulls[i])
			continue;
		members[n_members++] = key_id(collector, f, values[i], &member_hash);
		*hash = hash_combine64(*hash, member_hash);
	}
	return collect_list(collector, members, n_members);
}

/* A binned value is kept as a number; its id comes with the bins. */
static uint32
number_id(Collector *collector, int f, Datum value, bool isnull, uint64 *hash)
{
	double		number = encoder_number(collector->columns[f].encoder, value, isnull);

	if (number == 0)
		number = 0;				/* -0 */
	collector->columns[f].numbers[collector->n_rows] = number;
	*hash = isnull ? NULL_HASH :
		hash_bytes_extended((const unsigned char *) &number, sizeof(number), 0);
	return NULL_ID;
}

/* Is the row to be left out?  Counts why. */
static bool
skip_row(Collector *collector, const Datum *values, const bool *nulls)
{
	uint8	   *label = &collector->labels[collector->n_rows];
	LabelState	state = LABEL_GOOD;

	collector->report->rows_read++;
	*label = 1;
	if (collector->label_at >= 0)
		state = label_read(&collector->label, values[collector->label_at],
						   nulls[collector->label_at], label);
	if (state == LABEL_NULL)
		collector->report->null_labels++;
	else if (state == LABEL_BAD)
		collector->report->bad_labels++;
	else if (nulls[collector->spec->domain_feature])
		collector->report->null_domains++;
	else if (collector->split.method != SPLIT_BY_HASH && nulls[collector->split_at])
		collector->report->null_splits++;
	else
		return false;
	return true;
}

void
collect_row(void *context, const Datum *values, const bool *nulls)
{
	Collector  *collector = context;
	int			n_features = collector->spec->n_features;
	uint64		row_hash = 0;

	CHECK_FOR_INTERRUPTS();
	collector_reserve(collector);
	if (skip_row(collector, values, nulls))
		return;
	for (int f = 0; f < collector->spec->n_columns; f++)
	{
		uint32	   *id = &collector->ids[collector->n_rows * n_features + f];
		uint64		hash = NULL_HASH;

		switch (collector->spec->features[f].kind)
		{
			case FEATURE_CATEGORICAL:
				*id = nulls[f] ? NULL_ID : key_id(collector, f, values[f], &hash);
				break;
			case FEATURE_BINNED:
				*id = number_id(collector, f, values[f], nulls[f], &hash);
				break;
			case FEATURE_LIST:
				*id = list_id(collector, f, values[f], nulls[f], &hash);
				break;
			case FEATURE_ROWS:
				pg_unreachable();
		}
		row_hash = hash_combine64(row_hash, hash);
	}
	collector->hashes[collector->n_rows] = row_hash;
	if (collector->split.method != SPLIT_BY_HASH)
		collector->split_keys[collector->n_rows] =
			split_key(&collector->split, values[collector->split_at]);
	if (collector->weights)
		collector->weights[collector->n_rows] =
			weight_read(&collector->weight, values[collector->weight_at],
						nulls[collector->weight_at]);
	collector->n_rows++;
}
