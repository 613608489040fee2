/*
 * collect.c
 *	  Rows of a source as they come: which count, and what each has beside features.
 *
 * A row passes the readers of label, domain and split, which say whether it counts;
 * the report counts the others.  Of a row that counts, split key and weight are kept
 * here, and its features go to the lookup (lookup.h), which finds their ids later,
 * many rows at a time.
 *
 * Memory.  Labels, hashes, split keys and weights are arrays that double.  They are
 * charged to the room, so that spools of ids and list members go to files the
 * sooner.
 */
#include "postgres.h"

#include "source/read/collect.h"

#include "fault.h"
#include "miscadmin.h"
#include "source/read/lookup_fill.h"
#include "utils/memutils.h"

#define FIRST_ROWS 4096
#define MAX_ROWS (PG_UINT32_MAX - 1)

void
collector_init(Collector *collector, const ColumnRoles *roles, const SourceOptions *options,
			   FeatureSpec *spec, FeaturePlan *plans, SpoolRoom *room, Team *team, ReadReport *report)
{
	int			next = spec->n_columns;

	memset(collector, 0, sizeof(*collector));
	collector->options = options;
	collector->spec = spec;
	collector->plans = plans;
	collector->room = room;
	collector->team = team;
	collector->report = report;
	collector->context = CurrentMemoryContext;
	collector->label_at = roles->label ? next++ : -1;
	collector->split_at = roles->split ? next++ : -1;
	collector->weight_at = roles->weight ? next++ : -1;
	if (roles->label)
		label_init(&collector->label, roles->relation, roles->label, options,
				   spec->model);
	split_init(&collector->split, roles, options);
	weight_init(&collector->weight, roles->relation, roles->weight);
	collector->dictionaries = palloc0(spec->n_vocabularies * sizeof(Dictionary));
	collector->word_writers = palloc0(spec->n_vocabularies * sizeof(KeyWriter *));
	if (plans)
		lookup_init(&collector->lookup, spec, collector->dictionaries, collector->word_writers,
					room, team);
	spool_init(&collector->result.ids, room);
	spool_init(&collector->result.members, room);
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

	if (fault_hit("read"))
		ereport(ERROR, (errmsg("reading fails here: fault")));
	collector->labels = grown(collector->labels, capacity, sizeof(uint8));
	collector->result.hashes = grown(collector->result.hashes, capacity, sizeof(uint64));
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
	memcpy(spool_reserve(&collector->result.members, n * sizeof(uint32)), members, n * sizeof(uint32));
	spool_advance(&collector->result.members, n * sizeof(uint32));
	return n;
}

void
collector_forget(Collector *collector)
{
	collector->n_rows = collector->result.n_rows = 0;
	collector->result.ids.used = collector->result.members.used = 0;
	for (int f = 0; f < collector->lookup.n_columns; f++)
		collector->lookup.columns[f].numbers.used = 0;
}

void
collector_free_order(Collector *collector)
{
	if (collector->capacity == 0)
		return;
	pfree(collector->labels);
	pfree(collector->result.hashes);
	if (collector->split_keys)
		pfree(collector->split_keys);
	if (collector->weights)
		pfree(collector->weights);
	room_take(collector->room, -(int64) collector->bytes);
}

void
collector_discard(Collector *collector)
{
	team_finish(collector->team, NULL);
	if (collector->twin)
	{
		spool_free(&collector->twin->result.ids);
		spool_free(&collector->twin->result.members);
	}
	spool_free(&collector->result.ids);
	spool_free(&collector->result.members);
	lookup_free(&collector->lookup);
	for (int v = 0; v < collector->spec->n_vocabularies; v++)
		dictionary_free(&collector->dictionaries[v]);
	collector_free_order(collector);
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
	uint64		row;

	CHECK_FOR_INTERRUPTS();
	collector_reserve(collector);
	if (skip_row(collector, values, nulls))
		return;
	row = collector->n_rows++;
	if (collector->split.method != SPLIT_BY_HASH)
		collector->split_keys[row] = split_key(&collector->split, values[collector->split_at]);
	if (collector->weights)
		collector->weights[row] = weight_read(&collector->weight, values[collector->weight_at],
											  nulls[collector->weight_at]);
	if (lookup_add(&collector->lookup, values, nulls))
		lookup_pass_on(&collector->lookup, &collector->result);
}

void
collector_look_up(Collector *collector)
{
	while (collector->result.n_rows < collector->n_rows)
		lookup_pass_on(&collector->lookup, &collector->result);
}
