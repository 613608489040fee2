/*
 * predict.c
 *	  aread_predict(): the score of one row, from a record or from JSON.
 */
#include "postgres.h"

#include "fmgr.h"
#include "host.h"
#include "serve/call.h"

static Datum
predict(FunctionCallInfo fcinfo, FeaturesKind kind)
{
	ScoreCall  *call;
	ScoreRows	rows;
	double		probability;
	EngineError error;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	call = score_call(fcinfo, kind);
	rows = input_rows(&call->row);
	if (!scorer_score(call->served->scorer, &rows, &probability, &error))
		host_raise(&error);
	PG_RETURN_FLOAT8(probability);
}

PG_FUNCTION_INFO_V1(aread_predict_record);
/* aread_predict(model, features record [, domain]) */
Datum
aread_predict_record(PG_FUNCTION_ARGS)
{
	return predict(fcinfo, FEATURES_RECORD);
}

PG_FUNCTION_INFO_V1(aread_predict_jsonb);
/* aread_predict(model, features jsonb [, domain]) */
Datum
aread_predict_jsonb(PG_FUNCTION_ARGS)
{
	return predict(fcinfo, FEATURES_JSONB);
}

PG_FUNCTION_INFO_V1(aread_predict_json);
/* aread_predict(model, features json or text [, domain]) */
Datum
aread_predict_json(PG_FUNCTION_ARGS)
{
	return predict(fcinfo, FEATURES_JSON);
}
