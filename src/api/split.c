/*
 * split.c
 *	  aread_split(): the split that a row has in a model's training.
 *
 * What a row needs is kept in the call site from one row to the next: the pinned
 * model, the rule of its split, and the columns of the rows' type.  It is made anew
 * when model, type, rights or the user change, or when an error has left a row
 * half-way.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/record.h"
#include "fmgr.h"
#include "serve/cache.h"
#include "source/keys/convert.h"
#include "source/read/splitter.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

/* What is kept from one row to the next, of the latest model and type of rows. */
typedef struct SplitCall
{
	MemoryContext context;		/* of all below; NULL: there is nothing */
	const ServedModel *served;	/* pinned */
	TrainingRecord record;
	ConversionState made;
	uint64		identifier;		/* of the rows' type and its present columns */
	TupleDesc	descriptor;
	Splitter   *splitter;
	int			n_columns;
	int		   *column;			/* [n_columns] of the row, from 0 */
	Datum	   *row_values;		/* [natts] */
	bool	   *row_nulls;
	Datum	   *values;			/* [n_columns] */
	bool	   *nulls;
	bool		working;		/* on a row: true before the next one says that an error came in between */
} SplitCall;

/* Number of a row's column by name, from 0; -1: it has none. */
static int
find_column(TupleDesc descriptor, const char *name)
{
	int			found = -1;

	for (int i = 0; i < descriptor->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(descriptor, i);

		if (attribute->attisdropped || strcmp(NameStr(attribute->attname), name) != 0)
			continue;
		if (found >= 0)
			ereport(ERROR,
					(errcode(ERRCODE_AMBIGUOUS_COLUMN),
					 errmsg("column reference \"%s\" is ambiguous", name)));
		found = i;
	}
	return found;
}

/* Columns of the row in the order that the splitter wants, with the label where there is one. */
static void
match_columns(SplitCall *call)
{
	const FeatureSpec *spec = call->served->loaded->spec;
	List	   *names = splitter_columns(&call->record.split, spec);
	Oid		   *types = palloc(list_length(names) * sizeof(Oid));
	int			label = spec->label ? find_column(call->descriptor, spec->label) : -1;
	ListCell   *cell;

	call->column = palloc((list_length(names) + 1) * sizeof(int));
	foreach(cell, names)
	{
		int			at = find_column(call->descriptor, lfirst(cell));

		if (at < 0)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("the row has no column \"%s\", which its split depends on",
							(char *) lfirst(cell)),
					 errhint("Pass whole rows of the table that the model was trained over.")));
		types[call->n_columns] = TupleDescAttr(call->descriptor, at)->atttypid;
		call->column[call->n_columns++] = at;
	}
	call->splitter = splitter_create(&call->record.split, spec, types, label < 0 ? InvalidOid :
									 TupleDescAttr(call->descriptor, label)->atttypid);
	if (label >= 0)
		call->column[call->n_columns++] = label;
}

/* Everything is made in the call's own memory context. */
static void
open_call(SplitCall *call, const ServedModel *served, HeapTupleHeader row, MemoryContext parent)
{
	MemoryContext context = AllocSetContextCreate(parent, "aread split", ALLOCSET_SMALL_SIZES);
	MemoryContext old;

	/* letting go of another model may shrink the cache: the new one is pinned first */
	cache_pin(served, context);
	if (call->context)
		MemoryContextDelete(call->context);
	memset(call, 0, sizeof(*call));
	call->context = context;
	old = MemoryContextSwitchTo(context);
	call->served = served;
	record_read_split(&served->loaded->version, &call->record);
	call->made = conversion_state();
	call->descriptor = lookup_rowtype_tupdesc_copy(HeapTupleHeaderGetTypeId(row),
												   HeapTupleHeaderGetTypMod(row));
	match_columns(call);
	call->row_values = palloc((call->descriptor->natts + 1) * sizeof(Datum));
	call->row_nulls = palloc((call->descriptor->natts + 1) * sizeof(bool));
	call->values = palloc(call->n_columns * sizeof(Datum));
	call->nulls = palloc(call->n_columns * sizeof(bool));
	/* last: an error before leaves a call that fits no row */
	call->identifier = assign_record_type_identifier(HeapTupleHeaderGetTypeId(row),
													 HeapTupleHeaderGetTypMod(row));
	MemoryContextSwitchTo(old);
}

static bool
call_fits(const SplitCall *call, const ServedModel *served, HeapTupleHeader row)
{
	return call->identifier != 0 && !call->working && call->served == served &&
		conversions_hold(&call->made) &&
		call->identifier == assign_record_type_identifier(HeapTupleHeaderGetTypeId(row),
														  HeapTupleHeaderGetTypMod(row));
}

PG_FUNCTION_INFO_V1(aread_split);
/* aread_split(model, features record) */
Datum
aread_split(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"train", "valid", "test"};
	text	   *name = PG_GETARG_TEXT_PP(0);
	HeapTupleHeader row = PG_GETARG_HEAPTUPLEHEADER(1);
	const ServedModel *served = cache_find(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name),
											RIGHT_TO_PREDICT);
	SplitCall  *call = fcinfo->flinfo->fn_extra;
	HeapTupleData tuple = {.t_len = HeapTupleHeaderGetDatumLength(row),.t_data = row};
	int			split;

	if (!call)
		fcinfo->flinfo->fn_extra = call = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt,
																 sizeof(SplitCall));
	if (!call_fits(call, served, row))
		open_call(call, served, row, fcinfo->flinfo->fn_mcxt);
	ItemPointerSetInvalid(&tuple.t_self);
	heap_deform_tuple(&tuple, call->descriptor, call->row_values, call->row_nulls);
	for (int i = 0; i < call->n_columns; i++)
	{
		call->values[i] = call->row_values[call->column[i]];
		call->nulls[i] = call->row_nulls[call->column[i]];
	}
	call->working = true;
	split = splitter_split(call->splitter, call->values, call->nulls);
	call->working = false;
	if (split < 0)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(names[split]));
}
