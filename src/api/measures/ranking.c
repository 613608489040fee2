/*
 * ranking.c
 *	  aread_ndcg() and aread_recall(): how good a ranked list is.
 */
#include "postgres.h"

#include "api/measures/scores.h"
#include "engine/measure/ranking.h"

/* Argument k; NULL is 0: all rows. */
static int64
k_argument(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(3))
		return 0;
	if (PG_GETARG_INT32(3) < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("k must be at least 1, not %d", PG_GETARG_INT32(3)),
				 errhint("NULL means all rows.")));
	return PG_GETARG_INT32(3);
}

PG_FUNCTION_INFO_V1(aread_ndcg_add);
/* ndcg_add(state, score, label, k) */
Datum
aread_ndcg_add(PG_FUNCTION_ARGS)
{
	double		record[2];

	if (scores_skip(fcinfo))
		return state_unchanged(fcinfo);
	record[0] = scores_score(fcinfo);
	record[1] = scores_gain(fcinfo);
	PG_RETURN_BYTEA_P(state_append(state_argument(fcinfo, STATE_NDCG, k_argument(fcinfo)),
								   STATE_NDCG, record));
}

static bool
ndcg(ScoredRows *rows, double *value, const EngineHost *host, EngineError *error)
{
	return ranking_ndcg(&rows->arena, rows->scores, rows->gains, rows->n, rows->parameter, value,
						host, error);
}

PG_FUNCTION_INFO_V1(aread_ndcg_result);
/* ndcg_result(state) */
Datum
aread_ndcg_result(PG_FUNCTION_ARGS)
{
	return scores_measure(fcinfo, STATE_NDCG, ndcg);
}

PG_FUNCTION_INFO_V1(aread_recall_add);
/* recall_add(state, score, label, k) */
Datum
aread_recall_add(PG_FUNCTION_ARGS)
{
	if (scores_skip(fcinfo))
		return state_unchanged(fcinfo);
	PG_RETURN_BYTEA_P(scores_append(state_argument(fcinfo, STATE_RECALL, k_argument(fcinfo)),
									STATE_RECALL, scores_score(fcinfo), scores_label(fcinfo)));
}

static bool
recall(ScoredRows *rows, double *value, const EngineHost *host, EngineError *error)
{
	return ranking_recall(&rows->arena, rows->scores, rows->labels, rows->n, rows->parameter,
						  value, host, error);
}

PG_FUNCTION_INFO_V1(aread_recall_result);
/* recall_result(state) */
Datum
aread_recall_result(PG_FUNCTION_ARGS)
{
	return scores_measure(fcinfo, STATE_RECALL, recall);
}
