/*
 * collect.c
 *	  Rows of a source as they come: keys to provisional ids.
 */
#include "postgres.h"

#include "source/collect.h"

#include "access/tupmacs.h"
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
		spool_init(&column->numbers, collector->room);
		return;
	}
	column->buckets = collector->spec->vocabularies[feature->vocabulary].buckets;
	if (column->buckets == 0)
		column->dictionary = &collector->dictionaries[feature->vocabulary];
	key_writer_init(&column->key, feature->type, collector->context);
	get_typlenbyvalalign(feature->type, &column->element_length, &column->element_by_value,
						 &column->element_align);
}

/* Keys are words where those of all columns that share a vocabulary are the same. */
static void
init_dictionaries(Collector *collector)
{
	const FeatureSpec *spec = collector->spec;

	for (int v = 0; v < spec->n_vocabularies; v++)
	{
		KeyWriter  *writer = NULL;
		bool		words = true;

		for (int f = 0; collector->plans && f < spec->n_columns; f++)
		{
			if (spec->features[f].vocabulary != v || spec->features[f].kind == FEATURE_BINNED)
				continue;
			if (!writer)
				writer = &collector->columns[f].key;
			words = words && key_same_words(writer, &collector->columns[f].key);
		}
		collector->word_writers[v] = words ? writer : NULL;
		dictionary_init(&collector->dictionaries[v], words, collector->context);
	}
}

void
collector_init(Collector *collector, const ColumnRoles *roles, const SourceOptions *options,
			   FeatureSpec *spec, FeaturePlan *plans, SpoolRoom *room, ReadReport *report)
{
	int			next = spec->n_columns;

	memset(collector, 0, sizeof(*collector));
	collector->options = options;
	collector->spec = spec;
	collector->plans = plans;
	collector->room = room;
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
	collector->word_writers = palloc0(spec->n_vocabularies * sizeof(KeyWriter *));
	init_dictionaries(collector);
	collector->key_capacity = spec->n_features;
	collector->keys = palloc(spec->n_features * sizeof(RowKey));
	collector->n_members_of = palloc(spec->n_features * sizeof(int));
	spool_init(&collector->ids, room);
	spool_init(&collector->members, room);
}

static void *
grown(void *array, uint64 capacity, Size size)
{
	return array ? repalloc_huge(array, capacity * size) : palloc(capacity * size);
}

/* Room for twice the rows. */
static void
grow(Collector *collector)
{
	uint64		before = collector->capacity;
	uint64		capacity = Max(2 * before, FIRST_ROWS);
	Size		row_size = sizeof(uint8) + sizeof(uint64);

	collector->labels = grown(collector->labels, capacity, sizeof(uint8));
	collector->hashes = grown(collector->hashes, capacity, sizeof(uint64));
	if (collector->split.method != SPLIT_BY_HASH)
	{
		collector->split_keys = grown(collector->split_keys, capacity, sizeof(int64));
		row_size += sizeof(int64);
	}
	if (collector->weight_at >= 0)
	{
		collector->weights = grown(collector->weights, capacity, sizeof(float));
		row_size += sizeof(float);
	}
	room_take(collector->room, (capacity - before) * row_size);
	collector->bytes = capacity * row_size;
	collector->capacity = capacity;
}

void
collector_reserve(Collector *collector)
{
	MemoryContext old;

	if (collector->n_rows < collector->capacity)
		return;
	if (collector->n_rows >= MAX_ROWS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the source has more than %u rows", MAX_ROWS),
				 errhint("Train on a sample, through a view.")));
	old = MemoryContextSwitchTo(collector->context);
	grow(collector);
	MemoryContextSwitchTo(old);
}

uint32
collect_list(Collector *collector, const uint32 *members, int n)
{
	memcpy(spool_reserve(&collector->members, n * sizeof(uint32)), members, n * sizeof(uint32));
	spool_advance(&collector->members, n * sizeof(uint32));
	return n;
}

void
collector_forget(Collector *collector)
{
	collector->n_rows = 0;
	collector->ids.used = collector->members.used = 0;
	for (int f = 0; f < collector->spec->n_columns; f++)
		collector->columns[f].numbers.used = 0;
}

/* One key more of this row. */
static RowKey *
add_key(Collector *collector)
{
	if (collector->n_keys == collector->key_capacity)
	{
		collector->key_capacity *= 2;
		collector->keys = repalloc_huge(collector->keys,
										collector->key_capacity * sizeof(RowKey));
	}
	return &collector->keys[collector->n_keys++];
}

/* Take note of a value that is not NULL, and say that its key will be looked for. */
static RowKey *
note_value(Collector *collector, CollectColumn *column, Datum value)
{
	RowKey	   *key = add_key(collector);

	key->column = column;
	key->bytes = NULL;
	if (column->dictionary && column->dictionary->words)
	{
		key->word = key_word(&column->key, value);
		key->place = dictionary_place(key->word);
	}
	else
	{
		key->bytes = key_write(&column->key, value, &key->length);
		key->hash = key->place = hash_bytes_extended((const unsigned char *) key->bytes,
													 key->length, 0);
	}
	if (column->dictionary)
		dictionary_expect(column->dictionary, key->place);
	return key;
}

/* The same of a list's members; NULLs among them are left out.  Returns how many. */
static int
note_members(Collector *collector, CollectColumn *column, Datum value)
{
	ArrayType  *array = DatumGetArrayTypeP(value);
	int			n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	const bits8 *not_null = ARR_NULLBITMAP(array);
	char	   *at = ARR_DATA_PTR(array);
	int			before = collector->n_keys;

	for (int i = 0; i < n; i++)
	{
		RowKey	   *key;

		if ((i & 0xFFFF) == 0xFFFF)
			CHECK_FOR_INTERRUPTS();
		if (not_null && !(not_null[i / 8] & 1 << i % 8))
			continue;
		key = note_value(collector, column,
						 fetch_att(at, column->element_by_value, column->element_length));
		/* the next member's key goes to the same buffer */
		if (key->bytes == column->key.buffer.data)
			key->bytes = pnstrdup(key->bytes, key->length);
		at = att_addlength_pointer(at, column->element_length, at);
		at = (char *) att_align_nominal(at, column->element_align);
	}
	return collector->n_keys - before;
}

/* Provisional id and hash of a key. */
static void
find_key(RowKey *key)
{
	CollectColumn *column = key->column;
	Dictionary *dictionary = column->dictionary;
	int64		number;

	if (!dictionary)
		key->id = FIRST_ID + key->hash % column->buckets;
	else if (key->bytes)
		key->id = FIRST_ID + dictionary_add(dictionary, key->bytes, key->length, key->hash);
	else
	{
		number = dictionary_find_word(dictionary, key->word, key->place);
		if (number < 0)
		{
			key->bytes = key_write_word(&column->key, key->word, &key->length);
			number = dictionary_add_word(dictionary, key->word,
										 hash_bytes_extended((const unsigned char *) key->bytes,
															 key->length, 0));
		}
		key->hash = dictionary->entries[number].hash;
		key->id = FIRST_ID + number;
	}
}

/* Keys of all values of the row, and their provisional ids: step by step, as dictionary.h says. */
static void
find_keys(Collector *collector, const Datum *values, const bool *nulls)
{
	collector->n_keys = 0;
	for (int f = 0; f < collector->spec->n_columns; f++)
	{
		FeatureKind kind = collector->spec->features[f].kind;

		if (nulls[f])
			continue;
		if (kind == FEATURE_CATEGORICAL)
			note_value(collector, &collector->columns[f], values[f]);
		else if (kind == FEATURE_LIST)
			collector->n_members_of[f] = note_members(collector, &collector->columns[f], values[f]);
	}
	for (int k = 0; k < collector->n_keys; k++)
		if (collector->keys[k].column->dictionary)
			dictionary_expect_entry(collector->keys[k].column->dictionary,
									collector->keys[k].place);
	for (int k = 0; k < collector->n_keys; k++)
		if (collector->keys[k].bytes && collector->keys[k].column->dictionary)
			dictionary_expect_bytes(collector->keys[k].column->dictionary,
									collector->keys[k].place);
	for (int k = 0; k < collector->n_keys; k++)
		find_key(&collector->keys[k]);
}

/* Appends a list of these keys; returns the hash of all of them. */
static uint64
collect_keys(Collector *collector, const RowKey *keys, int n)
{
	uint32	   *members = spool_reserve(&collector->members, n * sizeof(uint32));
	uint64		hash = 0;

	for (int i = 0; i < n; i++)
	{
		members[i] = keys[i].id;
		hash = hash_combine64(hash, keys[i].hash);
	}
	spool_advance(&collector->members, n * sizeof(uint32));
	return hash;
}

/* A binned value is kept as a number, for its id comes with the bins.  Returns its hash. */
static uint64
collect_number(Collector *collector, int f, Datum value, bool isnull)
{
	double		number = encoder_number(collector->columns[f].encoder, value, isnull);
	Spool	   *numbers = &collector->columns[f].numbers;

	if (number == 0)
		number = 0;				/* -0 */
	*(double *) spool_reserve(numbers, sizeof(double)) = number;
	spool_advance(numbers, sizeof(double));
	return isnull ? NULL_HASH :
		hash_bytes_extended((const unsigned char *) &number, sizeof(number), 0);
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

/* The row's ids; returns the hash of all its values. */
static uint64
set_ids(Collector *collector, const Datum *values, const bool *nulls)
{
	static const uint32 null_member = NULL_ID;
	Size		size = collector->spec->n_features * sizeof(uint32);
	uint32	   *ids = spool_reserve(&collector->ids, size);
	const RowKey *key;
	uint64		row_hash = 0;

	find_keys(collector, values, nulls);
	key = collector->keys;
	for (int f = collector->spec->n_columns; f < collector->spec->n_features; f++)
		ids[f] = UNSEEN_ID;
	for (int f = 0; f < collector->spec->n_columns; f++)
	{
		FeatureKind kind = collector->spec->features[f].kind;
		uint64		hash = NULL_HASH;

		ids[f] = NULL_ID;
		if (kind == FEATURE_BINNED)
			hash = collect_number(collector, f, values[f], nulls[f]);
		else if (kind == FEATURE_LIST && nulls[f])
			ids[f] = collect_list(collector, &null_member, 1);
		else if (kind == FEATURE_LIST)
		{
			ids[f] = collector->n_members_of[f];
			hash = collect_keys(collector, key, ids[f]);
			key += ids[f];
		}
		else if (!nulls[f])
		{
			ids[f] = key->id;
			hash = key++->hash;
		}
		row_hash = hash_combine64(row_hash, hash);
	}
	spool_advance(&collector->ids, size);
	return row_hash;
}

void
collect_row(void *context, const Datum *values, const bool *nulls)
{
	Collector  *collector = context;
	uint64		row;

	CHECK_FOR_INTERRUPTS();
	collector_reserve(collector);
	if (skip_row(collector, values, nulls))
		return;
	row = collector->n_rows;
	collector->hashes[row] = set_ids(collector, values, nulls);
	if (collector->split.method != SPLIT_BY_HASH)
		collector->split_keys[row] = split_key(&collector->split, values[collector->split_at]);
	if (collector->weights)
		collector->weights[row] = weight_read(&collector->weight, values[collector->weight_at],
											  nulls[collector->weight_at]);
	collector->n_rows++;
}
