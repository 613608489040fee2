/*
 * auc.c
 *	  aread_auc(): the AUC of any scores.
 */
#include "postgres.h"

#include "api/measures/scores.h"
#include "engine/measure/metrics.h"

PG_FUNCTION_INFO_V1(aread_auc_add);
/* auc_add(state, score, label) */
Datum
aread_auc_add(PG_FUNCTION_ARGS)
{
	if (scores_skip(fcinfo))
		return state_unchanged(fcinfo);
	PG_RETURN_BYTEA_P(scores_append(state_argument(fcinfo, STATE_AUC, 0), STATE_AUC,
									scores_score(fcinfo), scores_label(fcinfo)));
}

static bool
auc(ScoredRows *rows, int kind, double *value, const EngineHost *host, EngineError *error)
{
	return metrics_auc(&rows->arena, rows->scores, rows->labels, rows->n, value, host, error);
}

PG_FUNCTION_INFO_V1(aread_auc_result);
/* auc_result(state) */
Datum
aread_auc_result(PG_FUNCTION_ARGS)
{
	return scores_measure(fcinfo, STATE_AUC, auc, 0);
}
