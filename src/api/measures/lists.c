/*
 * lists.c
 *	  aread_coverage() and aread_personalization(): what lists of recommendations,
 *	  one for each user, have in common.
 *
 * The state is one of groups, an item each.  A list of k different items adds a row to
 * each of them, with 1 / sqrt(k) for a score; the label marks the list's first row, so
 * that lists can be counted.
 *
 * Two lists' cosine similarity is the number of items that they share over
 * sqrt(k1 k2).  Its sum over all pairs follows from the items' sums S of scores: S
 * squared holds each pair of lists with the item twice, and each list with itself,
 * which over all of its items makes 1.  No pair of lists is ever looked at.
 */
#include "postgres.h"

#include "api/measures/group_keys.h"
#include "api/measures/grouped_state.h"
#include "engine/base/total.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/lsyscache.h"

#include <math.h>

/* Rows, or comparisons, between two looks at interrupts. */
#define CHECK_ROWS 65536
/* Distances below come from rounding. */
#define EQUAL_LISTS 1e-12

typedef struct ListItem
{
	char	   *key;
	uint32		length;
} ListItem;

static int
compare_items(const void *a, const void *b, void *compared)
{
	const ListItem *x = a;
	const ListItem *y = b;

	if (++*(uint64 *) compared % CHECK_ROWS == 0)
		CHECK_FOR_INTERRUPTS();
	if (x->length != y->length)
		return x->length < y->length ? -1 : 1;
	return memcmp(x->key, y->key, x->length);
}

/* The list's different items in an order of their own; NULLs are none. */
static int
read_items(FunctionCallInfo fcinfo, ArrayType *list, ListItem **items)
{
	Oid			type = ARR_ELEMTYPE(list);
	GroupKeys  *keys = group_keys(fcinfo, type);
	uint64		compared = 0;
	Datum	   *values;
	bool	   *nulls;
	int			n_values;
	int			n = 0;
	int			n_different = 0;
	int16		width;
	bool		by_value;
	char		align;

	get_typlenbyvalalign(type, &width, &by_value, &align);
	deconstruct_array(list, type, width, by_value, align, &values, &nulls, &n_values);
	*items = palloc_extended(Max(n_values, 1) * sizeof(ListItem), MCXT_ALLOC_HUGE);
	for (int i = 0; i < n_values; i++)
	{
		ListItem   *item = *items + n;
		const char *key;

		if (i % CHECK_ROWS == 0)
			CHECK_FOR_INTERRUPTS();
		if (nulls[i])
			continue;
		key = group_key(keys, values[i], &item->length);
		item->key = palloc(item->length + 1);
		memcpy(item->key, key, item->length);
		n++;
	}
	qsort_arg(*items, n, sizeof(ListItem), compare_items, &compared);
	for (int i = 0; i < n; i++)
		if (n_different == 0 ||
			compare_items(&(*items)[i], &(*items)[n_different - 1], &compared) != 0)
			(*items)[n_different++] = (*items)[i];
	return n_different;
}

/* The state with one list more. */
static Datum
add_list(FunctionCallInfo fcinfo, int64 parameter)
{
	MemoryContext own = AllocSetContextCreate(CurrentMemoryContext, "aread list",
											  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(own);
	ListItem   *items;
	int			n = read_items(fcinfo, PG_GETARG_ARRAYTYPE_P(1), &items);
	GroupedState *state;

	MemoryContextSwitchTo(old);
	state = groups_argument(fcinfo, parameter);
	for (int i = 0; i < n; i++)
	{
		if (i % CHECK_ROWS == 0)
			CHECK_FOR_INTERRUPTS();
		state = groups_append(state, 1 / sqrt((double) n), i == 0, items[i].key,
							  items[i].length);
	}
	MemoryContextDelete(own);
	PG_RETURN_BYTEA_P(state);
}

PG_FUNCTION_INFO_V1(aread_personalization_add);
/* personalization_add(state, list) */
Datum
aread_personalization_add(PG_FUNCTION_ARGS)
{
	state_check_call(fcinfo);
	if (PG_ARGISNULL(1))
		return state_unchanged(fcinfo);
	return add_list(fcinfo, 0);
}

PG_FUNCTION_INFO_V1(aread_coverage_add);
/* coverage_add(state, list, catalogue) */
Datum
aread_coverage_add(PG_FUNCTION_ARGS)
{
	state_check_call(fcinfo);
	if (PG_ARGISNULL(1))
		return state_unchanged(fcinfo);
	if (PG_ARGISNULL(2) || PG_GETARG_INT64(2) < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a catalogue must have at least 1 item"),
				 errhint("Pass the number of items that could be recommended.")));
	return add_list(fcinfo, PG_GETARG_INT64(2));
}

PG_FUNCTION_INFO_V1(aread_coverage_result);
/* coverage_result(state) */
Datum
aread_coverage_result(PG_FUNCTION_ARGS)
{
	const GroupedState *state;

	state_check_call(fcinfo);
	state = groups_read(fcinfo, 0);
	if (state->parameter < 1)
		state_invalid();
	if (state->groups > state->parameter)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("lists hold %u items, more than the " INT64_FORMAT " of the catalogue",
						state->groups, state->parameter),
				 errhint("Pass the number of items that could be recommended.")));
	PG_RETURN_FLOAT8((double) state->groups / (double) state->parameter);
}

PG_FUNCTION_INFO_V1(aread_personalization_result);
/* personalization_result(state) */
Datum
aread_personalization_result(PG_FUNCTION_ARGS)
{
	const GroupedState *state;
	Total	   *sums;
	Total		squares = {0};
	double		lists = 0;
	double		distance;

	state_check_call(fcinfo);
	state = groups_read(fcinfo, 0);
	sums = MemoryContextAllocExtended(CurrentMemoryContext,
									  ((Size) state->groups + 1) * sizeof(Total),
									  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (uint64 i = 0; i < state->rows; i++)
	{
		double		weight;
		uint8		first;
		uint32		item = groups_row(state, i, &weight, &first);

		if (i % CHECK_ROWS == 0)
			CHECK_FOR_INTERRUPTS();
		if (!(weight > 0 && weight <= 1))
			state_invalid();
		total_add(&sums[item], weight);
		lists += first;
	}
	if (lists < 2)
		PG_RETURN_NULL();
	for (uint32 item = 0; item < state->groups; item++)
	{
		double		mean = total_value(&sums[item]) / lists;

		if (item % CHECK_ROWS == 0)
			CHECK_FOR_INTERRUPTS();
		total_add(&squares, mean * mean);
	}
	pfree(sums);
	/* pairs of two lists, each pair twice, of lists times (lists - 1) */
	distance = 1 - (total_value(&squares) * lists - 1) / (lists - 1);
	/* equal lists have a distance of 0 but for the rounding of square roots */
	PG_RETURN_FLOAT8(distance < EQUAL_LISTS ? 0 : Min(distance, 1));
}
