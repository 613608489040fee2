/*
 * call.c
 *	  A call that is about one row.
 */
#include "postgres.h"

#include "serve/call.h"

#include "serve/settings.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

static void
start_model(ScoreCall *call, const ServedModel *served, MemoryContext parent)
{
	MemoryContext old = call->context;
	MemoryContext context = AllocSetContextCreate(parent, "aread call", ALLOCSET_SMALL_SIZES);

	/* letting go of the old model may shrink the cache: the new one is pinned first */
	cache_pin(served, context);
	memset(call, 0, sizeof(*call));
	call->context = context;
	if (old)
		MemoryContextDelete(old);
	input_init(&call->row, served->loaded->spec, call->context);
	call->served = served;
}

/* The call's state, for the model of its first argument. */
static ScoreCall *
find_call(FunctionCallInfo fcinfo)
{
	ScoreCall  *call = fcinfo->flinfo->fn_extra;
	text	   *name = PG_GETARG_TEXT_PP(0);
	const ServedModel *served = cache_find(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name));

	if (!call)
		fcinfo->flinfo->fn_extra = call =
			MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(ScoreCall));
	if (call->served != served)
		start_model(call, served, fcinfo->flinfo->fn_mcxt);
	else
		input_clear(&call->row);
	return call;
}

/* The domain argument overrules the features' own. */
static void
encode_domain(FunctionCallInfo fcinfo, ScoreCall *call)
{
	const FeatureSpec *spec = call->row.spec;

	if (PG_NARGS() < 3)
	{
		if (!call->row.has_domain)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("the features have no domain \"%s\"",
							spec->features[spec->domain_feature].name),
					 errhint("Add it to the features, or pass the domain as third argument.")));
		return;
	}
	if (!call->domain)
	{
		Oid			type = get_fn_expr_argtype(fcinfo->flinfo, 2);

		if (!OidIsValid(type))
			elog(ERROR, "could not determine the type of the domain");
		call->domain = encoder_create(spec, spec->domain_feature, type, call->context);
	}
	input_set(&call->row, spec->domain_feature,
			  encoder_id(call->domain, PG_ARGISNULL(2) ? (Datum) 0 : PG_GETARG_DATUM(2),
						 PG_ARGISNULL(2)));
}

static void
encode_features(FunctionCallInfo fcinfo, ScoreCall *call, FeaturesKind kind)
{
	HeapTupleHeader record;
	Datum		object;

	if (kind == FEATURES_RECORD)
	{
		record = PG_GETARG_HEAPTUPLEHEADER(1);
		if (!call->record || !record_map_fits(call->record, record))
			call->record = record_map(call->row.spec, record, call->context);
		record_encode(call->record, record, &call->row);
		return;
	}
	object = kind == FEATURES_JSONB ? PG_GETARG_DATUM(1) :
		DirectFunctionCall1(jsonb_in, CStringGetDatum(text_to_cstring(PG_GETARG_TEXT_PP(1))));
	if (!call->json)
		call->json = json_map(call->row.spec, call->context);
	json_encode(call->json, DatumGetJsonbP(object), &call->row);
}

static void
check_domain(const ScoreCall *call)
{
	if (serve_unseen_domain != UNSEEN_DOMAIN_ERROR ||
		call->row.ids[call->row.spec->domain_feature] >= FIRST_ID)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("domain was not seen in training of model \"%s\"",
					call->served->loaded->version.name),
			 errdetail("Setting \"aread.unseen_domain\" is \"error\"."),
			 errhint("The view aread.domain lists the domains of the model.")));
}

ScoreCall *
score_call(FunctionCallInfo fcinfo, FeaturesKind kind)
{
	ScoreCall  *call = find_call(fcinfo);

	encode_features(fcinfo, call, kind);
	encode_domain(fcinfo, call);
	check_domain(call);
	return call;
}
