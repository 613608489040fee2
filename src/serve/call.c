/*
 * call.c
 *	  A call site of a function (model, features [, domain]).
 */
#include "postgres.h"

#include "serve/call.h"

#include "serve/settings.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

ScoreCall *
call_create(int max_rows, MemoryContext parent)
{
	ScoreCall  *call = MemoryContextAllocZero(parent, sizeof(ScoreCall));

	call->max_rows = max_rows;
	call->parent = parent;
	return call;
}

void
call_use(ScoreCall *call, const ServedModel *served)
{
	MemoryContext old = call->context;
	MemoryContext context;

	if (call->served == served)
		return;
	context = AllocSetContextCreate(call->parent, "aread call", ALLOCSET_SMALL_SIZES);
	/* letting go of the old model may shrink the cache: the new one is pinned first */
	cache_pin(served, context);
	*call = (ScoreCall) {.parent = call->parent,.max_rows = call->max_rows,.context = context};
	if (old)
		MemoryContextDelete(old);
	call->encoders = AllocSetContextCreate(context, "aread encoders", ALLOCSET_SMALL_SIZES);
	input_init(&call->rows, served->loaded->spec, call->max_rows, context);
	call->served = served;
}

/* What was made for another user, or before types, casts or rights changed, is made again. */
static void
forget_stale_encoders(ScoreCall *call)
{
	if (conversions_hold(&call->made))
		return;
	MemoryContextReset(call->encoders);
	call->record = NULL;
	call->json = NULL;
	call->domain = NULL;
	call->made = conversion_state();
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

static void
encode_features(ScoreCall *call, const CallRow *row)
{
	const FeatureSpec *spec = call->rows.spec;
	HeapTupleHeader record;
	Datum		object = row->features;

	if (row->kind == FEATURES_RECORD)
	{
		record = DatumGetHeapTupleHeader(row->features);
		if (!call->record || !record_map_fits(call->record, record))
			call->record = record_map(spec, record, call->encoders);
		record_encode(call->record, record, &call->rows);
		return;
	}
	if (row->kind == FEATURES_JSON)
		object = DirectFunctionCall1(jsonb_in, CStringGetDatum(TextDatumGetCString(row->features)));
	if (!call->json)
		call->json = json_map(spec, call->encoders);
	json_encode(call->json, DatumGetJsonbP(object), &call->rows);
}

static void
check_domain(const ScoreCall *call)
{
	if (serve_unseen_domain != UNSEEN_DOMAIN_ERROR ||
		call->rows.row[call->rows.spec->domain_feature] >= FIRST_ID)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("domain was not seen in training of model \"%s\"",
					call->served->loaded->version.name),
			 errdetail("Setting \"aread.unseen_domain\" is \"error\"."),
			 errhint("The view aread.domain lists the domains of the model.")));
}

void
call_add(ScoreCall *call, const CallRow *row)
{
	forget_stale_encoders(call);
	input_add(&call->rows);
	encode_features(call, row);
	encode_domain(call, row);
	check_domain(call);
	input_finish(&call->rows);
}

ScoreCall *
score_call(FunctionCallInfo fcinfo, FeaturesKind kind)
{
	ScoreCall  *call = fcinfo->flinfo->fn_extra;
	text	   *name = PG_GETARG_TEXT_PP(0);
	CallRow		row = {.kind = kind,.features = PG_GETARG_DATUM(1)};

	if (!call)
		fcinfo->flinfo->fn_extra = call = call_create(1, fcinfo->flinfo->fn_mcxt);
	call_use(call, cache_find(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name)));
	if (PG_NARGS() > 2)
	{
		row.has_domain = true;
		row.domain_null = PG_ARGISNULL(2);
		row.domain = row.domain_null ? (Datum) 0 : PG_GETARG_DATUM(2);
		row.domain_type = get_fn_expr_argtype(fcinfo->flinfo, 2);
		if (!OidIsValid(row.domain_type))
			elog(ERROR, "could not determine the type of the domain");
	}
	input_clear(&call->rows);
	call_add(call, &row);
	return call;
}
