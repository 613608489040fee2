/*
 * score_table.c
 *	  Rows of ids to be scored, as many as come: arrays that double.
 *
 * An item stands in a row for each of its domains, with the same lists, and a vector may
 * be longer than all the rest of a row: lists are found by their members.
 */
#include "postgres.h"

#include "serve/score_table.h"

#include "common/hashfn.h"
#include "utils/memutils.h"

#define FIRST_ROWS 256
#define FIRST_LISTS 64

void
score_table_init(ScoreTable *table, const FeatureSpec *spec, MemoryContext context)
{
	*table = (ScoreTable) {.spec = spec,.context = context,.max_rows = FIRST_ROWS,
		.n_lists = 1,.max_lists = FIRST_LISTS,.max_members = FIRST_LISTS};
	table->ids = MemoryContextAllocHuge(context, FIRST_ROWS * spec->n_features * sizeof(uint32));
	table->list_start = MemoryContextAlloc(context, (FIRST_LISTS + 1) * sizeof(uint64));
	table->members = MemoryContextAlloc(context, FIRST_LISTS * sizeof(uint32));
	table->members[0] = NULL_ID;
	table->list_start[0] = 0;
	table->list_start[1] = 1;
}

Size
score_table_add(ScoreTable *table)
{
	const FeatureSpec *spec = table->spec;
	uint32	   *row;

	if (table->n_rows == table->max_rows)
	{
		table->max_rows *= 2;
		table->ids = repalloc_huge(table->ids,
								   table->max_rows * spec->n_features * sizeof(uint32));
	}
	row = score_table_row(table, table->n_rows);
	for (int f = 0; f < spec->n_features; f++)
		row[f] = kind_has_list(spec->features[f].kind) ? 0 : NULL_ID;
	return table->n_rows++;
}

uint32
score_table_add_list(ScoreTable *table, const uint32 *members, Size n)
{
	uint64		start = table->list_start[table->n_lists];

	if (table->n_lists == table->max_lists)
	{
		table->max_lists *= 2;
		table->list_start = repalloc_huge(table->list_start,
										  ((Size) table->max_lists + 1) * sizeof(uint64));
	}
	if (start + n > table->max_members)
	{
		table->max_members = Max(start + n, 2 * table->max_members);
		table->members = repalloc_huge(table->members, table->max_members * sizeof(uint32));
	}
	memcpy(table->members + start, members, n * sizeof(uint32));
	table->list_start[table->n_lists + 1] = start + n;
	return table->n_lists++;
}

void
score_table_set_list(ScoreTable *table, Size row, int feature, const uint32 *members, Size n)
{
	score_table_row(table, row)[feature] = score_table_add_list(table, members, n);
}

/* The slot of a list of such members, or the empty one where it would be. */
static uint32 *
find_slot(const ScoreTable *table, const uint32 *members, Size n)
{
	Size		bytes = n * sizeof(uint32);
	uint32		at = (uint32) hash_bytes_extended((const unsigned char *) members, (int) bytes, 0);

	for (;; at++)
	{
		uint32	   *slot = &table->shared[at & (table->n_slots - 1)];
		uint64		start = table->list_start[*slot];

		if (*slot == 0 || (table->list_start[*slot + 1] - start == n &&
						   memcmp(table->members + start, members, bytes) == 0))
			return slot;
	}
}

/* Twice as many slots, of which no more than half are taken. */
static void
add_slots(ScoreTable *table)
{
	uint32	   *old = table->shared;
	uint32		n_old = old ? table->n_slots : 0;

	table->n_slots = old ? 2 * n_old : 2 * FIRST_LISTS;
	table->shared = MemoryContextAllocExtended(table->context, table->n_slots * sizeof(uint32),
											   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (uint32 i = 0; i < n_old; i++)
	{
		uint64		start = table->list_start[old[i]];

		if (old[i] != 0)
			*find_slot(table, table->members + start, table->list_start[old[i] + 1] - start) = old[i];
	}
	if (old)
		pfree(old);
}

uint32
score_table_share_list(ScoreTable *table, const uint32 *members, Size n)
{
	uint32	   *slot;

	if (table->n_lists >= table->n_slots / 2)
		add_slots(table);
	slot = find_slot(table, members, n);
	if (*slot == 0)
		*slot = score_table_add_list(table, members, n);
	return *slot;
}

void
score_table_end_sharing(ScoreTable *table)
{
	if (table->shared)
		pfree(table->shared);
	table->shared = NULL;
	table->n_slots = 0;
}

void
score_table_cut(ScoreTable *table, Size n_rows, uint32 n_lists)
{
	table->n_rows = n_rows;
	table->n_lists = n_lists;
}
