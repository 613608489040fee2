/*
 * call.c
 *	  A call site of a function (model, features [, domain [, history]]).
 *
 * A call site keeps a ScoreCall for each of the latest models that its rows named.
 * A row is added in this order: maps of other types, rights or users are forgotten;
 * the row's features are encoded; the domain is; missing features are told; the
 * user's history is looked up, if that was asked for; the row's counts are filled in.
 *
 * Memory.  A call's context pins its model and holds its rows.  Encoders have a
 * context within it, which is reset when types, casts, rights or the user change, or
 * an error has left a row half-way.  The site lies in the context of the query.
 */
#include "postgres.h"

#include "serve/call.h"

#include "access/htup_details.h"
#include "serve/json_keys.h"
#include "serve/missing.h"
#include "settings.h"
#include "source/keys/key.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

CallSite *
call_site(int max_rows, FreshUse history_use, MemoryContext parent)
{
	CallSite   *site = MemoryContextAllocZero(parent, sizeof(CallSite));

	site->max_rows = max_rows;
	site->history_use = history_use;
	site->parent = parent;
	return site;
}

ScoreCall *
call_find(CallSite *site, const ServedModel *served)
{
	ScoreCall  *call;
	int			i = 0;

	while (i < site->n_calls && site->calls[i]->served != served)
		i++;
	if (i == site->n_calls)
		return NULL;
	for (call = site->calls[i]; i > 0; i--)
		site->calls[i] = site->calls[i - 1];
	return site->calls[0] = call;
}

bool
call_site_full(const CallSite *site)
{
	return site->n_calls == MAX_CALLS || (site->n_calls > 0 && cache_is_full());
}

ScoreCall *
call_open(CallSite *site, const ServedModel *served)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "aread call",
												  ALLOCSET_SMALL_SIZES);
	ScoreCall  *call = MemoryContextAllocZero(context, sizeof(ScoreCall));

	call->context = context;
	call->served = served;
	call->history_use = site->history_use;
	/* letting go of another model may shrink the cache: the new one is pinned first */
	cache_pin(served, context);
	input_init(&call->rows, served->loaded->spec, site->max_rows, context);
	call->at = MemoryContextAlloc(context, site->max_rows * sizeof(int));
	call->encoders = AllocSetContextCreate(context, "aread encoders", ALLOCSET_SMALL_SIZES);
	while (call_site_full(site))
		MemoryContextDelete(site->calls[--site->n_calls]->context);
	memmove(site->calls + 1, site->calls, site->n_calls++ * sizeof(ScoreCall *));
	/* an error would have taken it away */
	MemoryContextSetParent(context, site->parent);
	return site->calls[0] = call;
}

/*
 * What was made for another user, or before types, casts or rights changed, and
 * what an error has left half-way, is made again.
 */
static void
forget_stale_encoders(ScoreCall *call)
{
	if (!call->encoding && conversions_hold(&call->made))
		return;
	MemoryContextReset(call->encoders);
	call->n_records = 0;
	call->json = NULL;
	call->domain = NULL;
	call->made = conversion_state();
}

/* The map of the record's type. */
static RecordMap *
find_record_map(ScoreCall *call, HeapTupleHeader record, bool with_domain)
{
	RecordMap  *map = NULL;
	int			i = 0;

	while (i < call->n_records && !record_map_fits(call->records[i], record))
		i++;
	if (i < call->n_records)
		map = call->records[i];
	else if (i == MAX_RECORD_MAPS)
		record_map_delete(call->records[--i]);
	else
		call->n_records++;
	if (!map)
		map = record_map(call->rows.spec, record, with_domain, call->encoders);
	for (; i > 0; i--)
		call->records[i] = call->records[i - 1];
	return call->records[0] = map;
}

static void
encode_domain(ScoreCall *call, const CallRow *row)
{
	const FeatureSpec *spec = call->rows.spec;

	if (!row->has_domain)
	{
		if (!call->rows.has_domain)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("the features have no domain \"%s\"",
							spec->features[spec->domain_feature].name),
					 errhint("Add it to the features, or pass the domain as third argument.")));
		return;
	}
	if (!call->domain)
		call->domain = encoder_create(spec, spec->domain_feature, row->domain_type, call->encoders);
	input_set(&call->rows, spec->domain_feature,
			  encoder_id(call->domain, row->domain, row->domain_null));
}

/* JSON text as jsonb. */
static Jsonb *
parse_json(const ScoreCall *call, const CallRow *row)
{
	char	   *string = TextDatumGetCString(row->features);
	Jsonb	   *object = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(string)));

	json_check_keys(call->rows.spec, string, object, !row->has_domain);
	return object;
}

/*
 * Remember what a row does not have, and say so.  It is the first one: rows of
 * JSON may differ, and one is enough to tell of the others.
 */
static void
note_missing(ScoreCall *call, List *present, bool with_domain)
{
	List	   *needed = missing_needed(call->rows.spec, with_domain);
	List	   *missing = missing_names(needed, present);
	MemoryContext old = MemoryContextSwitchTo(call->context);

	/* the names themselves are the model's */
	call->missing = list_copy(missing);
	MemoryContextSwitchTo(old);
	missing_tell(call->rows.spec, present, missing);
}

/* Of a row with so many features: need one say anything? */
static bool
is_news(const ScoreCall *call, const CallRow *row, int n_found)
{
	return n_found < call->rows.spec->n_columns - row->has_domain &&
		(!call->missing || setting_missing_features == MISSING_FEATURES_ERROR);
}

static List *
record_columns(HeapTupleHeader record)
{
	TupleDesc	descriptor = lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(record),
													HeapTupleHeaderGetTypMod(record));
	List	   *names = missing_columns(descriptor);

	ReleaseTupleDesc(descriptor);
	return names;
}

static void
encode_record(ScoreCall *call, const CallRow *row)
{
	HeapTupleHeader record = DatumGetHeapTupleHeader(row->features);
	bool		with_domain = !row->has_domain;
	int			n_found = record_encode(find_record_map(call, record, with_domain), record,
										&call->rows);

	encode_domain(call, row);
	if (is_news(call, row, n_found))
		note_missing(call, record_columns(record), with_domain);
}

static void
encode_json(ScoreCall *call, const CallRow *row)
{
	Jsonb	   *object = row->kind == FEATURES_JSON ? parse_json(call, row) :
		DatumGetJsonbP(row->features);
	bool		with_domain = !row->has_domain;
	int			n_found;

	if (!call->json)
		call->json = json_map(call->rows.spec, call->encoders);
	n_found = json_encode(call->json, object, with_domain, &call->rows);
	encode_domain(call, row);
	if (is_news(call, row, n_found))
		note_missing(call, missing_keys(object), with_domain);
}

/* What the relation has of the row's user. */
static void
add_history(ScoreCall *call, Oid relation)
{
	InputRows  *rows = &call->rows;
	const uint32 *members;
	const char *key = NULL;
	uint32		length;
	int			n;

	if (rows->histories[rows->n_rows - 1] > 0)
		fresh_history_refuse_second();
	if (call->history && !fresh_history_holds(call->history, relation))
	{
		fresh_history_close(call->history);
		call->history = NULL;
	}
	if (!call->history)
		call->history = fresh_history_open(call->served, relation, call->history_use,
										   call->context);
	if (rows->user)
		key = encoder_noted_key(rows->user, &length);
	n = fresh_history_find(call->history, key ? key_as_text(key, length) : NULL, &members);
	input_set_history(rows, members, n);
}

void
call_add(ScoreCall *call, const CallRow *row)
{
	forget_stale_encoders(call);
	call->encoding = true;
	input_add(&call->rows);
	if (row->kind == FEATURES_RECORD)
		encode_record(call, row);
	else
		encode_json(call, row);
	input_check_domain(call->rows.spec, call->rows.row[call->rows.spec->domain_feature]);
	if (OidIsValid(row->history))
		add_history(call, row->history);
	input_finish(&call->rows);
	call->encoding = false;
}

ScoreCall *
score_call(FunctionCallInfo fcinfo, FeaturesKind kind, ModelRight right)
{
	CallSite   *site = fcinfo->flinfo->fn_extra;
	text	   *name = PG_GETARG_TEXT_PP(0);
	CallRow		row = {.kind = kind,.features = PG_GETARG_DATUM(1)};
	const ServedModel *served;
	ScoreCall  *call;

	if (!site)
		fcinfo->flinfo->fn_extra = site = call_site(1, FRESH_CALLS, fcinfo->flinfo->fn_mcxt);
	served = cache_find(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name), right);
	call = call_find(site, served);
	if (!call)
		call = call_open(site, served);
	if (PG_NARGS() > 2)
	{
		row.has_domain = true;
		row.domain_null = PG_ARGISNULL(2);
		row.domain = row.domain_null ? (Datum) 0 : PG_GETARG_DATUM(2);
		if (!OidIsValid(site->domain_type))
			site->domain_type = get_fn_expr_argtype(fcinfo->flinfo, 2);
		if (!OidIsValid(site->domain_type))
			elog(ERROR, "could not determine the type of the domain");
		row.domain_type = site->domain_type;
	}
	if (PG_NARGS() > 3 && !PG_ARGISNULL(3))
		row.history = PG_GETARG_OID(3);
	input_clear(&call->rows);
	call_add(call, &row);
	return call;
}
