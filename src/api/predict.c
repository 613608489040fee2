/*
 * predict.c
 *	  aread_predict(): the score of one row, from a record or from JSON.
 */
#include "postgres.h"

#include "fmgr.h"
#include "serve/cache.h"
#include "serve/input.h"
#include "serve/settings.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

/*
 * What a call keeps from row to row, in fn_extra.  All of it belongs to one
 * model and lies in "context"; another model, another context.
 */
typedef struct PredictCall
{
	const ServedModel *served;
	MemoryContext context;
	InputRow	row;
	RecordMap  *record;			/* of the record type seen last */
	JsonMap    *json;
	ValueEncoder *domain;		/* of the domain argument */
} PredictCall;

static void
start_model(PredictCall *call, const ServedModel *served, MemoryContext parent)
{
	MemoryContext old = call->context;
	MemoryContext context = AllocSetContextCreate(parent, "aread_predict", ALLOCSET_SMALL_SIZES);

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
static PredictCall *
predict_call(FunctionCallInfo fcinfo)
{
	PredictCall *call = fcinfo->flinfo->fn_extra;
	text	   *name = PG_GETARG_TEXT_PP(0);
	const ServedModel *served = cache_find(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name));

	if (!call)
		fcinfo->flinfo->fn_extra = call =
			MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(PredictCall));
	if (call->served != served)
		start_model(call, served, fcinfo->flinfo->fn_mcxt);
	else
		input_clear(&call->row);
	return call;
}

/* The domain argument overrules the features' own. */
static void
encode_domain(FunctionCallInfo fcinfo, PredictCall *call)
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

static float8
score(PredictCall *call)
{
	const FeatureSpec *spec = call->row.spec;
	ScoreRows	rows = input_rows(&call->row);
	double		probability;

	if (serve_unseen_domain == UNSEEN_DOMAIN_ERROR &&
		call->row.ids[spec->domain_feature] < FIRST_ID)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("domain was not seen in training of model \"%s\"",
						call->served->loaded->version.name),
				 errdetail("Setting \"aread.unseen_domain\" is \"error\"."),
				 errhint("The view aread.domain lists the domains of the model.")));
	scorer_score(call->served->scorer, &rows, &probability);
	return probability;
}

PG_FUNCTION_INFO_V1(aread_predict_record);
/* aread_predict(model, features record [, domain]) */
Datum
aread_predict_record(PG_FUNCTION_ARGS)
{
	PredictCall *call;
	HeapTupleHeader record;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	call = predict_call(fcinfo);
	record = PG_GETARG_HEAPTUPLEHEADER(1);
	if (!call->record || !record_map_fits(call->record, record))
		call->record = record_map(call->row.spec, record, call->context);
	record_encode(call->record, record, &call->row);
	encode_domain(fcinfo, call);
	PG_RETURN_FLOAT8(score(call));
}

static Datum
predict_jsonb(FunctionCallInfo fcinfo, Jsonb *features)
{
	PredictCall *call = predict_call(fcinfo);

	if (!call->json)
		call->json = json_map(call->row.spec, call->context);
	json_encode(call->json, features, &call->row);
	encode_domain(fcinfo, call);
	PG_RETURN_FLOAT8(score(call));
}

PG_FUNCTION_INFO_V1(aread_predict_jsonb);
/* aread_predict(model, features jsonb [, domain]) */
Datum
aread_predict_jsonb(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	return predict_jsonb(fcinfo, PG_GETARG_JSONB_P(1));
}

PG_FUNCTION_INFO_V1(aread_predict_json);
/* aread_predict(model, features json or text [, domain]); both are text inside */
Datum
aread_predict_json(PG_FUNCTION_ARGS)
{
	char	   *string;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	string = text_to_cstring(PG_GETARG_TEXT_PP(1));
	return predict_jsonb(fcinfo, DatumGetJsonbP(DirectFunctionCall1(jsonb_in,
																	CStringGetDatum(string))));
}
