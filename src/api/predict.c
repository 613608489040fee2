/*
 * predict.c
 *	  aread_predict(): the score of one row, from a record or from JSON.
 */
#include "postgres.h"

#include "fmgr.h"
#include "host.h"
#include "nodes/supportnodes.h"
#include "serve/batch_calls.h"

static Datum
predict(FunctionCallInfo fcinfo, FeaturesKind kind)
{
	ScoreCall  *call;
	ScoreRows	rows;
	double		probability;
	EngineError error;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	call = score_call(fcinfo, kind, RIGHT_TO_PREDICT);
	rows = input_rows(&call->rows);
	if (!scorer_score(call->served->scorer, &rows, &probability, &error))
		host_raise(&error);
	PG_RETURN_FLOAT8(probability);
}

PG_FUNCTION_INFO_V1(aread_predict_record);
/* aread_predict(model, features record [, domain [, history]]) */
Datum
aread_predict_record(PG_FUNCTION_ARGS)
{
	return predict(fcinfo, FEATURES_RECORD);
}

PG_FUNCTION_INFO_V1(aread_predict_jsonb);
/* aread_predict(model, features jsonb [, domain [, history]]) */
Datum
aread_predict_jsonb(PG_FUNCTION_ARGS)
{
	return predict(fcinfo, FEATURES_JSONB);
}

PG_FUNCTION_INFO_V1(aread_predict_json);
/* aread_predict(model, features json or text [, domain [, history]]) */
Datum
aread_predict_json(PG_FUNCTION_ARGS)
{
	return predict(fcinfo, FEATURES_JSON);
}

/* What a function's argument "features" is, by where its code lies. */
static bool
find_kind(Oid function, FeaturesKind *kind)
{
	static const PGFunction functions[] = {
		[FEATURES_RECORD] = aread_predict_record,
		[FEATURES_JSONB] = aread_predict_jsonb,
		[FEATURES_JSON] = aread_predict_json
	};
	FmgrInfo	info;

	fmgr_info(function, &info);
	for (int i = 0; i < lengthof(functions); i++)
	{
		*kind = (FeaturesKind) i;
		if (info.fn_addr == functions[i])
			return true;
	}
	return false;
}

PG_FUNCTION_INFO_V1(aread_predict_support);
/* aread.predict_support(internal): the planner meets a call; nothing about it changes */
Datum
aread_predict_support(PG_FUNCTION_ARGS)
{
	Node	   *request = (Node *) PG_GETARG_POINTER(0);
	FeaturesKind kind;

	if (IsA(request, SupportRequestSimplify))
	{
		Oid			function = ((SupportRequestSimplify *) request)->fcall->funcid;

		if (find_kind(function, &kind))
			batch_scan_note(function, kind);
	}
	PG_RETURN_POINTER(NULL);
}
