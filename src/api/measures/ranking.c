/*
 * ranking.c
 *	  aread_ndcg(), aread_recall(), aread_precision(), aread_hit_rate(),
 *	  aread_average_precision(), aread_reciprocal_rank(): how good a ranked list is.
 *
 * Those of labels differ in their final functions only: with k they have recall's
 * state, without it AUC's.
 */
#include "postgres.h"

#include "api/measures/scores.h"
#include "engine/measure/ranking.h"
#include "host.h"

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
ndcg(ScoredRows *rows, int kind, double *value, const EngineHost *host, EngineError *error)
{
	return ranking_ndcg(&rows->arena, rows->scores, rows->gains, rows->n, rows->parameter, value,
						host, error);
}

PG_FUNCTION_INFO_V1(aread_ndcg_result);
/* ndcg_result(state) */
Datum
aread_ndcg_result(PG_FUNCTION_ARGS)
{
	return scores_measure(fcinfo, STATE_NDCG, ndcg, 0);
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

/* Measures of labels, by RankingKind. */
static bool
of_labels(ScoredRows *rows, int kind, double *value, const EngineHost *host, EngineError *error)
{
	return ranking_measure((RankingKind) kind, &rows->arena, rows->scores, rows->labels, rows->n,
						   rows->parameter, value, host, error);
}

PG_FUNCTION_INFO_V1(aread_recall_result);
/* recall_result(state) */
Datum
aread_recall_result(PG_FUNCTION_ARGS)
{
	return scores_measure(fcinfo, STATE_RECALL, of_labels, RANKING_RECALL);
}

PG_FUNCTION_INFO_V1(aread_precision_result);
/* precision_result(state) */
Datum
aread_precision_result(PG_FUNCTION_ARGS)
{
	return scores_measure(fcinfo, STATE_RECALL, of_labels, RANKING_PRECISION);
}

PG_FUNCTION_INFO_V1(aread_hit_rate_result);
/* hit_rate_result(state) */
Datum
aread_hit_rate_result(PG_FUNCTION_ARGS)
{
	return scores_measure(fcinfo, STATE_RECALL, of_labels, RANKING_HIT_RATE);
}

PG_FUNCTION_INFO_V1(aread_average_precision_result);
/* average_precision_result(state) */
Datum
aread_average_precision_result(PG_FUNCTION_ARGS)
{
	return scores_measure(fcinfo, STATE_RECALL, of_labels, RANKING_AVERAGE_PRECISION);
}

PG_FUNCTION_INFO_V1(aread_average_precision_all_result);
/* average_precision_all_result(state) */
Datum
aread_average_precision_all_result(PG_FUNCTION_ARGS)
{
	return scores_measure(fcinfo, STATE_AUC, of_labels, RANKING_AVERAGE_PRECISION);
}

PG_FUNCTION_INFO_V1(aread_reciprocal_rank_result);
/* reciprocal_rank_result(state) */
Datum
aread_reciprocal_rank_result(PG_FUNCTION_ARGS)
{
	return scores_measure(fcinfo, STATE_AUC, of_labels, RANKING_RECIPROCAL_RANK);
}
