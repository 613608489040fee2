/*
 * input.c
 *	  One row of features as ids.
 */
#include "postgres.h"

#include "serve/input.h"

#include "source/rowcount.h"
#include "utils/memutils.h"

void
input_init(InputRow *row, const FeatureSpec *spec, MemoryContext context)
{
	row->spec = spec;
	row->context = context;
	row->ids = MemoryContextAllocZero(context, spec->n_features * sizeof(uint32));
	row->list_start = MemoryContextAllocZero(context, (spec->n_features + 2) * sizeof(uint64));
	row->capacity = 64;
	row->members = MemoryContextAlloc(context, row->capacity * sizeof(uint32));
	input_clear(row);
}

void
input_clear(InputRow *row)
{
	row->members[0] = NULL_ID;
	row->list_start[0] = 0;
	row->list_start[1] = 1;
	row->n_lists = 1;
	row->has_domain = false;
	for (int f = 0; f < row->spec->n_features; f++)
		row->ids[f] = row->spec->features[f].kind == FEATURE_LIST ? 0 : NULL_ID;
}

void
input_set(InputRow *row, int feature, uint32 id)
{
	row->ids[feature] = id;
	if (feature == row->spec->domain_feature)
		row->has_domain = true;
}

void
input_set_list(InputRow *row, int feature, const uint32 *members, int n)
{
	uint64		start = row->list_start[row->n_lists];

	if (start + n > row->capacity)
	{
		row->capacity = Max((int) start + n, 2 * row->capacity);
		row->members = repalloc_huge(row->members, (Size) row->capacity * sizeof(uint32));
	}
	memcpy(row->members + start, members, n * sizeof(uint32));
	row->ids[feature] = row->n_lists++;
	row->list_start[row->n_lists] = start + n;
}

ScoreRows
input_rows(InputRow *row)
{
	rowcount_encode(row->spec, row->ids);
	return (ScoreRows) {
		.n_rows = 1,.ids = row->ids,.list_start = row->list_start,.list_members = row->members
	};
}
