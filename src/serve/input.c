/*
 * input.c
 *	  Rows of features as ids.
 */
#include "postgres.h"

#include "serve/input.h"

#include "settings.h"
#include "source/crosses.h"
#include "utils/memutils.h"

void
input_init(InputRows *rows, const FeatureSpec *spec, int max_rows, MemoryContext context)
{
	Size		n_ids = (Size) max_rows * spec->n_features;

	rows->spec = spec;
	rows->context = context;
	rows->max_rows = max_rows;
	rows->ids = MemoryContextAllocHuge(context, n_ids * sizeof(uint32));
	rows->list_start = MemoryContextAllocHuge(context, (n_ids + max_rows + 2) * sizeof(uint64));
	rows->histories = MemoryContextAllocHuge(context, Max(max_rows, 1) * sizeof(uint32));
	rows->capacity = 64;
	rows->members = MemoryContextAlloc(context, rows->capacity * sizeof(uint32));
	input_clear(rows);
}

void
input_clear(InputRows *rows)
{
	rows->members[0] = NULL_ID;
	rows->list_start[0] = 0;
	rows->list_start[1] = 1;
	rows->n_lists = 1;
	rows->n_rows = 0;
	rows->row = NULL;
}

void
input_add(InputRows *rows)
{
	Assert(rows->n_rows < rows->max_rows);
	rows->histories[rows->n_rows] = 0;
	rows->row = rows->ids + (Size) rows->n_rows++ * rows->spec->n_features;
	rows->has_domain = false;
	rows->user = NULL;
	rows->first_list = rows->n_lists;
	for (int f = 0; f < rows->spec->n_features; f++)
		rows->row[f] = kind_has_list(rows->spec->features[f].kind) ? 0 : NULL_ID;
}

void
input_set(InputRows *rows, int feature, uint32 id)
{
	rows->row[feature] = id;
	if (feature == rows->spec->domain_feature)
		rows->has_domain = true;
}

/* A list of n members, which the caller fills in. */
static uint32 *
add_list(InputRows *rows, Size n)
{
	uint64		start = rows->list_start[rows->n_lists];

	if (start + n > rows->capacity)
	{
		rows->capacity = Max(start + n, 2 * rows->capacity);
		rows->members = repalloc_huge(rows->members, rows->capacity * sizeof(uint32));
	}
	rows->list_start[++rows->n_lists] = start + n;
	return rows->members + start;
}

void
input_set_list(InputRows *rows, int feature, const uint32 *members, int n)
{
	rows->row[feature] = rows->n_lists;
	memcpy(add_list(rows, n), members, n * sizeof(uint32));
}

void
input_set_history(InputRows *rows, const uint32 *members, int n)
{
	uint32		n_known = 0;
	int			first = n;
	uint32	   *to;

	while (first > 0 && n_known <= rows->spec->history_length)
		n_known += members[--first] >= FIRST_ID;
	rows->histories[rows->n_rows - 1] = rows->n_lists;
	to = add_list(rows, n_known);
	for (int i = first; i < n; i++)
		if (members[i] >= FIRST_ID)
			*to++ = members[i];
}

void
input_check_domain(const FeatureSpec *spec, uint32 id)
{
	if (setting_unseen_domain != UNSEEN_DOMAIN_ERROR || id >= FIRST_ID)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("domain was not seen in training of model \"%s\"", spec->model),
			 errdetail("Setting \"aread.unseen_domain\" is \"error\"."),
			 errhint("The view aread.domain lists the domains of the model.")));
}

void
input_finish(InputRows *rows)
{
	derived_encode(rows->spec, rows->row);
}

Size
input_list_bytes(const InputRows *rows)
{
	return (rows->list_start[rows->n_lists] - rows->list_start[rows->first_list]) * sizeof(uint32);
}

ScoreRows
input_rows(const InputRows *rows)
{
	return (ScoreRows) {
		.n_rows = rows->n_rows,.ids = rows->ids,.list_start = rows->list_start,
		.list_members = rows->members,.histories = rows->histories
	};
}
