/*
 * stream.c
 *	  From a relation to a stream of training rows.
 *
 * A collector encodes one row at a time.  Only domain, user and item (and what
 * shares a vocabulary with them) need dictionaries; other features count for
 * the row's hash alone, which splits and orders rows.
 */
#include "postgres.h"

#include "source/stream/stream.h"

#include "catalog/pg_operator_d.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "source/feature_choice.h"
#include "source/features.h"
#include "source/keys/vocabulary.h"
#include "source/read/collect.h"
#include "source/read/reader.h"
#include "source/roles.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/tuplesort.h"

#define FIRST_IDS 1024

typedef struct Tally
{
	uint64		rows;
	uint64		positives;
} Tally;

/* Training rows by provisional id. */
typedef struct Tallies
{
	uint32		capacity;
	Tally	   *of;
} Tallies;

struct SourceStream
{
	MemoryContext context;
	const SourceOptions *options;
	FeatureSpec *spec;			/* the features that matter */
	SpoolRoom	room;
	Collector	collector;		/* of one row */
	bool	   *is_shared;		/* [n_features] uses the vocabulary of another's role */
	uint32		shared_capacity;
	SharedId   *shared;			/* of the present row */
	/* the row as it is read: where the collector's values are in it */
	List	   *columns;
	int			n_values;
	int		   *position;		/* [n_values] */
	Datum	   *values;
	bool	   *nulls;
	/* the whole row */
	bool		whole_rows;
	TupleDesc	descriptor;
	AttrNumber *numbers;		/* [columns] */
	Datum	   *whole_values;	/* [natts]; dropped ones are NULL */
	bool	   *whole_nulls;
	/* splits, if they are not known before all rows are read */
	bool		split_known;
	uint64		n_keys;
	int64		lowest;
	int64		highest;
	Tuplesortstate *keys;		/* of all rows */
	SplitBounds bounds;
	bool		keeps_rows;
	Spill		rows;
	/* counts */
	uint64		n_rows;
	Tallies		domains;
	Tallies		items;
	AugmentCounts counts;		/* by final numbers and ids */
	uint32	   *final_domain;	/* by provisional id */
	uint32	   *final_item;		/* NULL: ids are hashes, and final */
	uint32		user_min_count; /* 1: no user is rare */
	/* values of the domain column, by provisional id, then by number */
	uint32		value_capacity;
	Datum	   *domain_values;
	bool	   *has_value;
	bool		value_by_value;
	int16		value_length;
};

/* Which columns to read, and where the collector's values are among them. */
static void
choose_columns(SourceStream *stream, const ColumnRoles *roles)
{
	List	   *wanted = NIL;
	ListCell   *cell;

	for (int f = 0; f < stream->spec->n_features; f++)
		wanted = lappend(wanted, stream->spec->features[f].name);
	if (roles->label)
		wanted = lappend(wanted, roles->label);
	if (roles->split)
		wanted = lappend(wanted, roles->split);
	stream->columns = stream->whole_rows ? source_column_names(roles->relation) : wanted;
	stream->n_values = list_length(wanted);
	stream->position = palloc(stream->n_values * sizeof(int));
	stream->values = palloc(stream->n_values * sizeof(Datum));
	stream->nulls = palloc(stream->n_values * sizeof(bool));
	foreach(cell, wanted)
	{
		int			at = 0;

		while (strcmp(list_nth(stream->columns, at), lfirst(cell)) != 0)
			at++;
		stream->position[foreach_current_index(cell)] = at;
	}
}

/* The relation's rows as they are. */
static void
describe_whole(SourceStream *stream, const ColumnRoles *roles)
{
	const SourceRelation *relation = roles->relation;
	int			natts = relation->columns->natts;
	ListCell   *cell;

	stream->descriptor = CreateTupleDescCopy(relation->columns);
	stream->numbers = palloc(list_length(stream->columns) * sizeof(AttrNumber));
	foreach(cell, stream->columns)
		stream->numbers[foreach_current_index(cell)] = source_column_number(relation, lfirst(cell));
	stream->whole_values = palloc0(natts * sizeof(Datum));
	stream->whole_nulls = palloc(natts * sizeof(bool));
	memset(stream->whole_nulls, true, natts);
	stream->value_capacity = FIRST_IDS;
	stream->domain_values = palloc(FIRST_IDS * sizeof(Datum));
	stream->has_value = palloc0(FIRST_IDS * sizeof(bool));
	get_typlenbyval(source_column_type(relation, roles->domain), &stream->value_length,
					&stream->value_by_value);
}

static SourceStream *
stream_begin(const ColumnRoles *roles, const SourceOptions *options, bool whole_rows,
			 ReadReport *report)
{
	SourceStream *stream = palloc0(sizeof(SourceStream));
	ColumnRoles unweighted = *roles;
	ColumnRoles chosen = *roles;
	FeaturePlan *plans;
	FeatureSpec *spec;
	SplitReader split;
	bool		all;

	stream->context = CurrentMemoryContext;
	stream->options = options;
	stream->whole_rows = whole_rows;
	roles_check(roles);
	split_init(&split, roles, options);
	all = whole_rows || split.method == SPLIT_BY_HASH;
	if (all && roles->features == NIL)
		chosen.features = source_features(roles, options);
	spec = features_infer(&chosen, options, &plans);
	features_tell(roles, spec);
	stream->spec = features_for_roles(spec, plans, whole_rows, all, &stream->is_shared);
	choose_columns(stream, roles);
	if (whole_rows)
		describe_whole(stream, roles);
	unweighted.weight = NULL;
	room_init(&stream->room, CurrentMemoryContext, PG_INT32_MAX, false);
	collector_init(&stream->collector, &unweighted, options, stream->spec, plans, &stream->room,
				   NULL, report);
	stream->split_known = split_is_known(&stream->collector.split);
	stream->lowest = PG_INT64_MAX;
	stream->highest = PG_INT64_MIN;
	if (!stream->split_known)
		stream->keys = tuplesort_begin_datum(INT8OID, Int8LessOperator, InvalidOid, false,
											 work_mem, NULL, TUPLESORT_NONE);
	stream->keeps_rows = whole_rows || !stream->split_known;
	if (stream->keeps_rows)
		spill_init(&stream->rows, roles->relation->row_type);
	stream->domains.capacity = stream->items.capacity = FIRST_IDS;
	stream->domains.of = palloc0(FIRST_IDS * sizeof(Tally));
	stream->items.of = palloc0(FIRST_IDS * sizeof(Tally));
	return stream;
}

/* Twice the room until there is some for an id; what is new is zero. */
static void *
grow(void *array, uint32 *capacity, uint32 id, Size size)
{
	uint32		before = *capacity;

	while (*capacity <= id)
		*capacity = *capacity > PG_UINT32_MAX / 2 ? PG_UINT32_MAX : 2 * *capacity;
	array = repalloc_huge(array, *capacity * size);
	memset((char *) array + before * size, 0, (*capacity - before) * size);
	return array;
}

static void
tally(Tallies *tallies, uint32 id, bool label)
{
	if (id >= tallies->capacity)
		tallies->of = grow(tallies->of, &tallies->capacity, id, sizeof(Tally));
	tallies->of[id].rows++;
	tallies->of[id].positives += label;
}

/* An occurrence of a key in a training row. */
static void
count_key(SourceStream *stream, int vocabulary, uint32 id)
{
	uint32	   *count;

	if (id < FIRST_ID || stream->spec->vocabularies[vocabulary].buckets > 0)
		return;
	count = &stream->collector.dictionaries[vocabulary].counts[id - FIRST_ID];
	if (*count < PG_UINT32_MAX)
		(*count)++;
}

static void
count_row(SourceStream *stream, const SpillRow *row)
{
	const FeatureSpec *spec = stream->spec;

	stream->n_rows++;
	tally(&stream->domains, row->domain, row->label);
	tally(&stream->items, row->item, row->label);
	count_key(stream, spec->features[spec->domain_feature].vocabulary, row->domain);
	count_key(stream, spec->features[spec->item_feature].vocabulary, row->item);
	if (spec->user_feature >= 0)
		count_key(stream, spec->features[spec->user_feature].vocabulary, row->user);
	for (uint32 i = 0; i < row->n_shared; i++)
		count_key(stream, row->shared[i].vocabulary, row->shared[i].id);
}

static void
add_shared(SourceStream *stream, SpillRow *row, int vocabulary, uint32 id)
{
	if (row->n_shared >= stream->shared_capacity)
	{
		uint32		capacity = Max(2 * stream->shared_capacity, 16);

		stream->shared = stream->shared ?
			repalloc_huge(stream->shared, capacity * sizeof(SharedId)) :
			MemoryContextAlloc(stream->context, capacity * sizeof(SharedId));
		stream->shared_capacity = capacity;
	}
	stream->shared[row->n_shared++] = (SharedId) {.vocabulary = vocabulary,.id = id};
	row->shared = stream->shared;
}

/* Values of other columns that count for the vocabularies of roles. */
static void
find_shared(SourceStream *stream, SpillRow *row)
{
	const uint32 *ids = (const uint32 *) stream->collector.result.ids.buffer;
	const uint32 *members = (const uint32 *) stream->collector.result.members.buffer;

	for (int f = 0; f < stream->spec->n_features; f++)
	{
		const Feature *feature = &stream->spec->features[f];
		bool		is_list = kind_comes_as_list(feature->kind);

		if (stream->is_shared[f] && !is_list)
			add_shared(stream, row, feature->vocabulary, ids[f]);
		for (uint32 i = 0; stream->is_shared[f] && is_list && i < ids[f]; i++)
		{
			CHECK_FOR_INTERRUPTS();
			add_shared(stream, row, feature->vocabulary, members[i]);
		}
		members += is_list ? ids[f] : 0;
	}
}

static void
remember_domain(SourceStream *stream, uint32 id, Datum value)
{
	MemoryContext old;

	if (id >= stream->value_capacity)
	{
		uint32		capacity = stream->value_capacity;

		stream->has_value = grow(stream->has_value, &capacity, id, sizeof(bool));
		stream->domain_values = grow(stream->domain_values, &stream->value_capacity, id,
									 sizeof(Datum));
	}
	if (stream->has_value[id])
		return;
	old = MemoryContextSwitchTo(stream->context);
	stream->domain_values[id] = stream->value_length == -1 ?
		PointerGetDatum(PG_DETOAST_DATUM_COPY(value)) :
		datumCopy(value, stream->value_by_value, stream->value_length);
	MemoryContextSwitchTo(old);
	stream->has_value[id] = true;
}

static HeapTupleHeader
whole_row(SourceStream *stream, const Datum *values, const bool *nulls)
{
	for (int i = 0; i < list_length(stream->columns); i++)
	{
		stream->whole_values[stream->numbers[i] - 1] = values[i];
		stream->whole_nulls[stream->numbers[i] - 1] = nulls[i];
	}
	return heap_form_tuple(stream->descriptor, stream->whole_values, stream->whole_nulls)->t_data;
}

/* The collector's row: counted, if it is known to train, and kept, if it is to be. */
static void
take_row(SourceStream *stream, const Datum *values, const bool *nulls)
{
	const Collector *collector = &stream->collector;
	const FeatureSpec *spec = stream->spec;
	const uint32 *ids = (const uint32 *) collector->result.ids.buffer;
	SpillRow	row = {
		.hash = collector->result.hashes[0],
		.domain = ids[spec->domain_feature],
		.item = ids[spec->item_feature],
		.user = spec->user_feature >= 0 ? ids[spec->user_feature] : 0,
		.label = collector->labels[0]
	};

	if (collector->split.method != SPLIT_BY_HASH)
		row.split_key = collector->split_keys[0];
	if (stream->split_known && split_of(&collector->split, stream->options, &stream->bounds,
										row.split_key, row.hash) != SPLIT_TRAIN)
		return;
	find_shared(stream, &row);
	if (stream->split_known)
		count_row(stream, &row);
	else
	{
		stream->lowest = Min(stream->lowest, row.split_key);
		stream->highest = Max(stream->highest, row.split_key);
		stream->n_keys++;
		tuplesort_putdatum(stream->keys, Int64GetDatum(row.split_key), false);
	}
	if (stream->whole_rows)
		remember_domain(stream, row.domain, stream->values[spec->domain_feature]);
	if (stream->whole_rows && row.label)
		row.whole = whole_row(stream, values, nulls);
	if (stream->keeps_rows)
		spill_put(&stream->rows, &row);
}

static void
receive(void *context, const Datum *values, const bool *nulls)
{
	SourceStream *stream = context;
	Collector  *collector = &stream->collector;

	for (int i = 0; i < stream->n_values; i++)
	{
		stream->values[i] = values[stream->position[i]];
		stream->nulls[i] = nulls[stream->position[i]];
	}
	collect_row(collector, stream->values, stream->nulls);
	collector_look_up(collector);
	if (collector->n_rows > 0)
		take_row(stream, values, nulls);
	collector_forget(collector);
}

/* Where the splits begin in the order of all keys. */
static void
find_bounds(SourceStream *stream)
{
	CutFinder	finder;
	Datum		key = (Datum) 0;
	bool		isnull;

	cuts_start(&finder, stream->options, stream->n_keys);
	tuplesort_performsort(stream->keys);
#if PG_VERSION_NUM >= 160000
	while (tuplesort_getdatum(stream->keys, true, false, &key, &isnull, NULL))
#else
	while (tuplesort_getdatum(stream->keys, true, &key, &isnull, NULL))
#endif
	{
		CHECK_FOR_INTERRUPTS();
		cuts_add(&finder, DatumGetInt64(key));
	}
	cuts_end(&finder, stream->collector.split.column, &stream->bounds);
}

/* All rows are read: now it is known which ones train. */
static void
settle_splits(SourceStream *stream)
{
	SplitReader *split = &stream->collector.split;
	SpillRow	row;

	split_settle(split, stream->lowest, stream->highest);
	if (split->method == SPLIT_BY_ORDER)
		find_bounds(stream);
	tuplesort_end(stream->keys);
	while (spill_next(&stream->rows, &row))
		if (split_of(split, stream->options, &stream->bounds, row.split_key, 0) == SPLIT_TRAIN)
			count_row(stream, &row);
	spill_rewind(&stream->rows);
}

static void
number_values(SourceStream *stream, uint32 n_provisional)
{
	Datum	   *values = palloc0(Max(stream->counts.n_domains, 1) * sizeof(Datum));

	for (uint32 id = FIRST_ID; id < n_provisional; id++)
		if (id < stream->value_capacity && stream->has_value[id] &&
			stream->final_domain[id] >= FIRST_ID)
			values[stream->final_domain[id] - FIRST_ID] = stream->domain_values[id];
	pfree(stream->domain_values);
	stream->domain_values = values;
}

static void *
zeroed_huge(Size size)
{
	return MemoryContextAllocExtended(CurrentMemoryContext, size,
									  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

/* Ids and numbers as aread_train gives them; counts by these. */
static void
number_ids(SourceStream *stream)
{
	const FeatureSpec *spec = stream->spec;
	int			of_domain = spec->features[spec->domain_feature].vocabulary;
	int			of_item = spec->features[spec->item_feature].vocabulary;
	uint32		n_provisional = FIRST_ID + stream->collector.dictionaries[of_domain].n;
	AugmentCounts *counts = &stream->counts;

	stream->final_domain = collector_vocabulary(&stream->collector, of_domain);
	collector_check_domains(spec);
	if (spec->vocabularies[of_item].buckets == 0)
		stream->final_item = of_item == of_domain ? stream->final_domain :
			collector_vocabulary(&stream->collector, of_item);
	stream->user_min_count = spec->user_feature < 0 ? 1 :
		collector_min_count(spec, spec->features[spec->user_feature].vocabulary);
	counts->rows = stream->n_rows;
	counts->n_domains = spec->vocabularies[of_domain].n_rows - FIRST_ID;
	counts->n_items = spec->vocabularies[of_item].n_rows;
	counts->domain_rows = palloc0(Max(counts->n_domains, 1) * sizeof(uint64));
	counts->item_rows = zeroed_huge(counts->n_items * sizeof(uint64));
	counts->item_positives = zeroed_huge(counts->n_items * sizeof(uint64));
	for (uint32 id = FIRST_ID; id < n_provisional && id < stream->domains.capacity; id++)
		if (stream->domains.of[id].rows > 0)
			counts->domain_rows[stream->final_domain[id] - FIRST_ID] = stream->domains.of[id].rows;
	for (uint32 id = 0; id < stream->items.capacity; id++)
		if (stream->items.of[id].rows > 0)
		{
			uint32		item = stream->final_item ? stream->final_item[id] : id;

			counts->item_rows[item] += stream->items.of[id].rows;
			counts->item_positives[item] += stream->items.of[id].positives;
		}
	if (stream->whole_rows)
		number_values(stream, n_provisional);
}

SourceStream *
stream_read(const ColumnRoles *roles, const SourceOptions *options, bool whole_rows,
			ReadReport *report)
{
	SourceStream *stream = stream_begin(roles, options, whole_rows, report);

	reader_run(roles->relation, stream->columns, READ_AS_CALLER, receive, stream);
	if (!stream->split_known)
		settle_splits(stream);
	if (stream->keeps_rows && !whole_rows)
		stream_end_rows(stream);
	number_ids(stream);
	return stream;
}

const AugmentCounts *
stream_counts(const SourceStream *stream)
{
	return &stream->counts;
}

/* As in training, rare users share one id. */
static uint32
final_user(const SourceStream *stream, uint32 id)
{
	const FeatureSpec *spec = stream->spec;
	int			vocabulary;

	if (id < FIRST_ID || stream->user_min_count <= 1)
		return id;
	vocabulary = spec->features[spec->user_feature].vocabulary;
	if (spec->vocabularies[vocabulary].buckets > 0)
		return id;
	return stream->collector.dictionaries[vocabulary].counts[id - FIRST_ID] <
		stream->user_min_count ? RARE_ID : id;
}

bool
stream_next(SourceStream *stream, SpillRow *row)
{
	do
	{
		if (!spill_next(&stream->rows, row))
			return false;
	} while (!stream->split_known &&
			 split_of(&stream->collector.split, stream->options, &stream->bounds,
					  row->split_key, 0) != SPLIT_TRAIN);
	row->domain = stream->final_domain[row->domain] - FIRST_ID;
	if (stream->final_item)
		row->item = stream->final_item[row->item];
	row->user = final_user(stream, row->user);
	return true;
}

void
stream_end_rows(SourceStream *stream)
{
	spill_end(&stream->rows);
}

TupleDesc
stream_descriptor(const SourceStream *stream)
{
	return stream->descriptor;
}

static char *
key_of(const FeatureSpec *spec, int feature, uint32 id)
{
	return vocabulary_key(&spec->vocabularies[spec->features[feature].vocabulary], id);
}

char *
stream_domain(const SourceStream *stream, uint32 domain)
{
	return key_of(stream->spec, stream->spec->domain_feature, FIRST_ID + domain);
}

char *
stream_item(const SourceStream *stream, uint32 item)
{
	return key_of(stream->spec, stream->spec->item_feature, item);
}

Datum
stream_domain_value(const SourceStream *stream, uint32 domain)
{
	return stream->domain_values[domain];
}
