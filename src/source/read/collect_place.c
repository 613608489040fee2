/*
 * collect_place.c
 *	  Collected rows into a dataset, in an order that does not depend on the
 *	  order of reading.
 *
 * Rows are read in the order in which they came and put where they belong.
 * What a room has no memory for is placed range by range, each in memory and
 * then written behind the one before: nothing is read or written here and there
 * in a file.
 */
#include "postgres.h"

#include "source/read/collect_place.h"

#include "engine/base/sort.h"
#include "host.h"
#include "miscadmin.h"
#include "source/crosses.h"
#include "source/keys/dense.h"
#include "source/keys/encoder.h"
#include "source/keys/piecewise.h"
#include "source/keys/sort_interruptible.h"
#include "utils/memutils.h"

/*
 * What training keeps of each row in memory beside its ids: its state while
 * the wide part is fitted, orders of rows, labels, scores.
 */
#define ROW_BYTES 48
/* A range is that share of the room, but this much at least. */
#define RANGE_SHARE 4
#define MIN_RANGE ((Size) 1024 * 1024)
/* Collected rows are dealt out to threads in so many parts. */
#define PARTS 64

/* What rows are ordered by, the least important first. */
typedef enum PlaceOrder
{
	BY_TIME, BY_WEIGHT, BY_LABEL, BY_HASH, BY_SPLIT
} PlaceOrder;

/* A dataset, and where it lies. */
typedef struct PlacedDataset
{
	Dataset		data;
	Spool		ids;
	Spool		list_start;
	Spool		members;
} PlacedDataset;

typedef struct Placing
{
	Collector  *collector;
	const FinalIds *final;
	PlacedDataset *placed;
	const uint32 *ids;			/* collected */
	const uint32 *members;
	uint32	   *place;			/* [n_rows] of a collected row, in the dataset */
	int			n_lists;		/* list features */
	int		   *lists;
	const uint32 **of_member;	/* [n_lists] final ids of members; NULL: they are final */
	const Feature **vectors;	/* [n_lists] dense feature whose numbers are as they came; NULL: none */
	const NumberColumn **pieces;	/* [n_lists] column of numbers that are to be vectors; NULL: none */
	/*
	 * [n_rows] by place: how many members a row has, then, in the range at
	 * hand, where they begin; NULL: no lists
	 */
	uint32	   *members_at;
	uint64		members_before[PARTS];	/* of collected rows, before each part's */
	/* the range at hand, of places */
	uint64		from;
	uint64		to;
	uint64		n_members;
	uint32	   *result;			/* [to - from, n_features] */
	uint32	   *result_members; /* [n_members] */
	uint64		lists_placed;	/* before it */
	uint64		members_placed;
	Watch		watch;			/* over a range's rows */
	Watch		followers;		/* the same to other threads than the caller's */
} Placing;

/* Has the dataset what orders training rows? */
static bool
keeps_times(const Collector *collector)
{
	return collector->split.method == SPLIT_BY_ORDER && collector->split_keys &&
		collector->options->keeps_times;
}

static bool
has_sort_word(const Collector *collector, PlaceOrder by)
{
	return by == BY_TIME ? keeps_times(collector) :
		by == BY_WEIGHT ? collector->weights != NULL : true;
}

static uint64
sort_word(const Collector *collector, PlaceOrder by, uint32 row)
{
	switch (by)
	{
		case BY_TIME:
			/* with the sign turned they compare as unsigned numbers */
			return (uint64) collector->split_keys[row] ^ UINT64CONST(1) << 63;
		case BY_WEIGHT:
			return sort_key(collector->weights[row]);
		case BY_LABEL:
			return collector->labels[row];
		case BY_HASH:
			return collector->result.hashes[row];
		case BY_SPLIT:
			return collector->splits[row];
	}
	pg_unreachable();
}

/*
 * Numbers of rows by split, hash of the features, label, weight and time: rows alike in all
 * that the dataset has of them may come in any order.
 */
static uint32 *
order_rows(const Collector *collector)
{
	uint64		n = collector->n_rows;
	uint32	   *order = huge(n * sizeof(uint32));
	uint64	   *words = huge(n * sizeof(uint64));

	for (uint64 i = 0; i < n; i++)
		order[i] = i;
	for (PlaceOrder by = BY_TIME; by <= BY_SPLIT; by++)
	{
		if (!has_sort_word(collector, by))
			continue;
		for (uint64 i = 0; i < n; i++)
			words[i] = sort_word(collector, by, order[i]);
		CHECK_FOR_INTERRUPTS();
		sort_words(words, order, n);
	}
	pfree(words);
	return order;
}

static void
place_labels(Collector *collector, const uint32 *order, Dataset *data)
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

/* What orders training rows, if it does. */
static void
place_times(const Collector *collector, const uint32 *order, Dataset *data)
{
	int64	   *times;

	if (!keeps_times(collector))
		return;
	times = huge(data->split_start[SPLIT_VALID] * sizeof(int64));
	for (uint64 i = 0; i < data->split_start[SPLIT_VALID]; i++)
	{
		times[i] = collector->split_keys[order[i]];
		if ((i & 0xFFFFF) == 0)
			CHECK_FOR_INTERRUPTS();
	}
	data->times = times;
}

/* The order turned round: where each row goes.  Frees the order. */
static uint32 *
places_of(uint32 *order, uint64 n)
{
	uint32	   *place = huge(n * sizeof(uint32));

	for (uint64 i = 0; i < n; i++)
		place[order[i]] = i;
	pfree(order);
	return place;
}

/* Members of a collected row's lists. */
static inline uint32
count_members(const Placing *placing, const uint32 *ids)
{
	uint32		n = 0;

	for (int l = 0; l < placing->n_lists; l++)
		n += placing->pieces[l] ? 0 : ids[placing->lists[l]];
	return n;
}

/* Members of vectors of a row's numbers, which are not collected. */
static inline uint32
count_pieces(const Placing *placing, uint64 row)
{
	const Feature *features = placing->collector->spec->features;
	uint32		n = 0;

	for (int l = 0; l < placing->n_lists; l++)
		if (placing->pieces[l])
			n += piecewise_length(&features[placing->lists[l]], placing->pieces[l]->numbers[row]);
	return n;
}

/* How many members the row at each place has. */
static void
find_members(Placing *placing)
{
	int			n_features = placing->collector->spec->n_features;
	uint64		n = placing->collector->n_rows;
	uint64		members = 0;

	if (placing->n_lists == 0)
		return;
	if (n * placing->n_lists >= PG_UINT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the source has more than %u lists", PG_UINT32_MAX - 1)));
	placing->members_at = huge(n * sizeof(uint32));
	for (int part = 0; part < PARTS; part++)
	{
		CHECK_FOR_INTERRUPTS();
		placing->members_before[part] = members;
		for (uint64 row = part_start(n, PARTS, part); row < part_start(n, PARTS, part + 1); row++)
		{
			uint32		more = count_members(placing, placing->ids + row * n_features);

			placing->members_at[placing->place[row]] = more + count_pieces(placing, row);
			members += more;
		}
	}
}

static void
find_lists(Placing *placing)
{
	const FeatureSpec *spec = placing->collector->spec;
	const FinalIds *final = placing->final;

	placing->lists = palloc(spec->n_features * sizeof(int));
	placing->of_member = palloc0(spec->n_features * sizeof(uint32 *));
	placing->vectors = palloc0(spec->n_features * sizeof(Feature *));
	placing->pieces = palloc0(spec->n_features * sizeof(NumberColumn *));
	for (int f = 0; f < spec->n_features; f++)
	{
		if (!kind_has_list(spec->features[f].kind))
			continue;
		if (final && spec->features[f].kind == FEATURE_DENSE)
			placing->vectors[placing->n_lists] = &spec->features[f];
		for (int i = 0; final && i < final->n_keys; i++)
			if (final->keys[i].feature == f)
				placing->of_member[placing->n_lists] = final->keys[i].of_id;
		for (int i = 0; final && i < final->n_numbers; i++)
			if (final->numbers[i].feature == f)
				placing->pieces[placing->n_lists] = &final->numbers[i];
		placing->lists[placing->n_lists++] = f;
	}
}

/* What a row needs beside its members. */
static Size
row_size(const Placing *placing)
{
	return placing->collector->spec->n_features * sizeof(uint32) +
		placing->n_lists * sizeof(uint64);
}

/* Vectors of a row's numbers. */
static Size
pieces_size(const Placing *placing)
{
	const Feature *features = placing->collector->spec->features;
	Size		size = 0;

	for (int l = 0; l < placing->n_lists; l++)
		if (placing->pieces[l])
			size += piecewise_length(&features[placing->lists[l]], 0) * sizeof(uint32);
	return size;
}

/*
 * The next range, of so many bytes at most, but a row at least: its members
 * get their places.
 */
static void
next_range(Placing *placing, Size bytes)
{
	uint64		n = placing->collector->n_rows;

	placing->from = placing->to;
	placing->n_members = 0;
	for (; placing->to < n; placing->to++)
	{
		uint32		more = placing->members_at ? placing->members_at[placing->to] : 0;
		uint64		members = placing->n_members + more;
		Size		size = (placing->to - placing->from + 1) * row_size(placing) +
			members * sizeof(uint32);

		if (placing->to > placing->from && (size > bytes || members > PG_UINT32_MAX))
			break;
		if (placing->members_at)
			placing->members_at[placing->to] = placing->n_members;
		placing->n_members = members;
	}
}

/* A row's final ids; of lists their lengths. */
static void
finish_ids(const Placing *placing, uint64 row, const uint32 *ids, uint32 *result)
{
	const FeatureSpec *spec = placing->collector->spec;
	const FinalIds *final = placing->final;

	memcpy(result, ids, spec->n_features * sizeof(uint32));
	if (!final)
		return;
	for (int i = 0; i < final->n_keys; i++)
		if (!final->keys[i].is_list)
			result[final->keys[i].feature] = final->keys[i].of_id[ids[final->keys[i].feature]];
	for (int i = 0; i < final->n_numbers; i++)
	{
		const Feature *feature = &spec->features[final->numbers[i].feature];
		double		number = final->numbers[i].numbers[row];

		result[final->numbers[i].feature] = feature->kind == FEATURE_PIECEWISE ?
			piecewise_length(feature, number) : bin_of(feature, number);
	}
	for (int i = 0; i < final->n_counts; i++)
		result[spec->n_columns + i] =
			row_counts_id(&final->counts[i], result[final->counts[i].feature->counted],
						  placing->collector->splits[row] == SPLIT_TRAIN);
	crosses_encode(spec, result);
}

static void
finish_members(const Placing *placing, uint64 row, const uint32 *ids, const uint32 *members,
			   uint32 *result, Watch *watch)
{
	for (int l = 0; l < placing->n_lists; l++)
	{
		const uint32 *final = placing->of_member[l];
		uint32		n = ids[placing->lists[l]];

		if (placing->pieces[l])
		{
			result += piecewise_members(&placing->collector->spec->features[placing->lists[l]],
										placing->pieces[l]->numbers[row], result);
			continue;
		}
		if (placing->vectors[l] && n > 1)
		{
			*result = *members;
			vector_standardize(placing->vectors[l], members + 1, result + 1);
			result += n;
			members += n;
			continue;
		}
		for (uint32 i = 0; i < n; i++)
		{
			if (i % WATCH_MEMBERS == 0 && watch_worked(watch, WATCH_MEMBERS))
				return;
			*result++ = final ? final[*members++] : *members++;
		}
	}
}

/* Memory that the rows to come will need is fetched. */
static inline void
prefetch_row(const Placing *placing, uint64 row, const uint32 *ids)
{
	uint64		place = placing->place[row];
	int			n_features = placing->collector->spec->n_features;

	if (placing->final)
		prefetch_ids(ids, placing->final->keys, placing->final->n_keys);
	if (place >= placing->from && place < placing->to)
		for (int f = 0; f < n_features; f += 16)
			__builtin_prefetch(placing->result + (place - placing->from) * n_features + f, 1);
}

/* The range's rows that are among the collected ones of a part (a TeamTask). */
static void
fill_part(void *context, int part, int thread)
{
	Placing    *placing = context;
	const int	n_features = placing->collector->spec->n_features;
	uint64		n = placing->collector->n_rows;
	uint64		first = part_start(n, PARTS, part);
	uint64		last = part_start(n, PARTS, part + 1);
	const uint32 *ids = placing->ids + first * n_features;
	const uint32 *members = placing->members + placing->members_before[part];
	Watch	   *watch = thread == 0 ? &placing->watch : &placing->followers;

	for (uint64 row = first; row < last; row++, ids += n_features)
	{
		uint64		place = placing->place[row];

		if (row + ROWS_AHEAD < last)
			prefetch_row(placing, row + ROWS_AHEAD, ids + ROWS_AHEAD * n_features);
		if (place >= placing->from && place < placing->to)
		{
			finish_ids(placing, row, ids,
					   placing->result + (place - placing->from) * n_features);
			if (placing->members_at)
				finish_members(placing, row, ids, members,
							   placing->result_members + placing->members_at[place], watch);
		}
		members += count_members(placing, ids);
	}
}

/* The range's rows, out of all collected ones. */
static void
fill_range(Placing *placing)
{
	EngineHost	host = host_callbacks();
	EngineError error;

	placing->watch = (Watch) {.host = &host};
	placing->followers = (Watch) {.leader = &placing->watch};
	team_run(placing->collector->team, &placing->watch, fill_part, placing, PARTS);
	if (!watch_continue(&placing->watch, &error))
		host_raise(&error);
}

/* Lists get their numbers, and the places of their members: in the order of rows. */
static void
number_lists(Placing *placing, uint32 *ids, uint64 *list_end)
{
	for (uint64 row = placing->from; row < placing->to; row++)
	{
		for (int l = 0; l < placing->n_lists; l++)
		{
			uint32	   *id = &ids[placing->lists[l]];

			placing->members_placed += *id;
			*id = placing->lists_placed++;
			*list_end++ = placing->members_placed;
		}
		ids += placing->collector->spec->n_features;
	}
}

static void
place_range(Placing *placing)
{
	PlacedDataset *placed = placing->placed;
	uint64		n = placing->to - placing->from;
	Size		ids_size = n * placing->collector->spec->n_features * sizeof(uint32);
	Size		lists_size = n * placing->n_lists * sizeof(uint64);
	Size		members_size = placing->n_members * sizeof(uint32);
	uint64	   *list_end = spool_reserve(&placed->list_start, lists_size);

	placing->result = spool_reserve(&placed->ids, ids_size);
	placing->result_members = spool_reserve(&placed->members, members_size);
	fill_range(placing);
	number_lists(placing, placing->result, list_end);
	spool_advance(&placed->ids, ids_size);
	spool_advance(&placed->list_start, lists_size);
	spool_advance(&placed->members, members_size);
}

/*
 * Files for what memory has no room for: first the collected rows, and if that
 * is not enough the dataset too.  Returns the bytes of a range.
 */
static Size
make_room(Placing *placing, Size need)
{
	Collector  *collector = placing->collector;
	SpoolRoom  *room = collector->room;
	PlacedDataset *placed = placing->placed;
	Size		rest = collector->n_rows * ROW_BYTES;

	spool_init(&placed->ids, room);
	spool_init(&placed->list_start, room);
	spool_init(&placed->members, room);
	if (!room_has(room, need + rest))
	{
		spool_to_file(&collector->result.ids);
		spool_to_file(&collector->result.members);
		for (int i = 0; placing->final && i < placing->final->n_numbers; i++)
			spool_to_file(&collector->lookup.columns[placing->final->numbers[i].feature].numbers);
	}
	if (room_has(room, need + rest))
		return PG_UINT64_MAX;
	spool_to_file(&placed->ids);
	spool_to_file(&placed->list_start);
	spool_to_file(&placed->members);
	return Max(room->limit / RANGE_SHARE, MIN_RANGE);
}

/* Ids and lists, range by range. */
static void
place_ids(Placing *placing)
{
	Collector  *collector = placing->collector;
	PlacedDataset *placed = placing->placed;
	uint64		n = collector->n_rows;
	Size		range = make_room(placing, n * row_size(placing) +
								  spool_size(&collector->result.members) + n * pieces_size(placing));
	uint64	   *first;

	placing->ids = spool_finish(&collector->result.ids);
	placing->members = spool_finish(&collector->result.members);
	for (int i = 0; placing->final && i < placing->final->n_numbers; i++)
		placing->final->numbers[i].numbers =
			spool_finish(&collector->lookup.columns[placing->final->numbers[i].feature].numbers);
	find_members(placing);
	first = spool_reserve(&placed->list_start, (range == PG_UINT64_MAX ? n * placing->n_lists + 1 : 1) *
						  sizeof(uint64));
	*first = 0;
	spool_advance(&placed->list_start, sizeof(uint64));
	while (placing->to < n)
	{
		next_range(placing, range);
		place_range(placing);
	}
	if (placing->members_at)
		pfree(placing->members_at);
}

/* The rows as they were collected. */
static void
free_rows(Collector *collector)
{
	spool_free(&collector->result.ids);
	spool_free(&collector->result.members);
	for (int f = 0; collector->plans && f < collector->spec->n_columns; f++)
		if (kind_is_number(collector->spec->features[f].kind))
			spool_free(&collector->lookup.columns[f].numbers);
	pfree(collector->splits);
}

/* A placed dataset's memory or files: those of ids, or all. */
static void
free_placed(void *owner, bool ids_only)
{
	PlacedDataset *placed = owner;

	spool_free(&placed->ids);
	if (ids_only)
		return;
	spool_free(&placed->list_start);
	spool_free(&placed->members);
	pfree(unconstify(uint8 *, placed->data.labels));
	if (placed->data.weights)
		pfree(unconstify(float *, placed->data.weights));
	if (placed->data.times)
		pfree(unconstify(int64_t *, placed->data.times));
	pfree(placed);
}

Dataset *
collector_place(Collector *collector, const FinalIds *final)
{
	PlacedDataset *placed = palloc0(sizeof(PlacedDataset));
	Placing		placing = {.collector = collector,.final = final,.placed = placed};
	Dataset    *data = &placed->data;
	uint32	   *order = order_rows(collector);

	spec_shape(collector->spec, &data->shape);
	place_labels(collector, order, data);
	place_times(collector, order, data);
	collector_free_order(collector);
	placing.place = places_of(order, collector->n_rows);
	find_lists(&placing);
	place_ids(&placing);
	pfree(placing.place);
	free_rows(collector);
	data->ids = spool_finish(&placed->ids);
	data->list_start = spool_finish(&placed->list_start);
	data->list_members = spool_finish(&placed->members);
	data->store = &collector->room->store;
	data->free = free_placed;
	data->owner = placed;
	collector->report->rows_used = collector->n_rows;
	return data;
}
