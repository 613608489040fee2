/*
 * grouped_auc.c
 *	  aread_domain_auc() and aread_grouped_auc(): each group's AUC, weighted by
 *	  its rows.
 */
#include "postgres.h"

#include "api/measures/group_keys.h"
#include "api/measures/grouped_state.h"
#include "api/measures/scores.h"
#include "engine/measure/metrics.h"
#include "host.h"
#include "miscadmin.h"

/* Rows between two looks at interrupts. */
#define CHECK_ROWS 1000000

PG_FUNCTION_INFO_V1(aread_grouped_auc_add);
/* grouped_auc_add(state, score, label, group) */
Datum
aread_grouped_auc_add(PG_FUNCTION_ARGS)
{
	GroupedState *state;
	const char *key;
	uint32		length;

	if (scores_skip(fcinfo) || PG_ARGISNULL(3))
		return state_unchanged(fcinfo);
	key = group_key(group_keys(fcinfo, get_fn_expr_argtype(fcinfo->flinfo, 3)),
					PG_GETARG_DATUM(3), &length);
	state = groups_append(groups_argument(fcinfo, 0), scores_score(fcinfo), scores_label(fcinfo),
						  key, length);
	PG_RETURN_BYTEA_P(state);
}

PG_FUNCTION_INFO_V1(aread_grouped_auc_combine);
/* grouped_auc_combine(state, other) */
Datum
aread_grouped_auc_combine(PG_FUNCTION_ARGS)
{
	state_check_call(fcinfo);
	if (PG_ARGISNULL(1))
		return state_unchanged(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_BYTEA_P(groups_read(fcinfo, 1));
	PG_RETURN_BYTEA_P(groups_merge(fcinfo, groups_read(fcinfo, 1)));
}

PG_FUNCTION_INFO_V1(aread_grouped_auc_result);
/* grouped_auc_result(state) */
Datum
aread_grouped_auc_result(PG_FUNCTION_ARGS)
{
	EngineHost	host = host_callbacks();
	EngineError error;
	const GroupedState *state;
	ScoredRows	rows;
	int64_t    *groups;
	Measure		auc;

	state_check_call(fcinfo);
	state = groups_read(fcinfo, 0);
	scores_begin(&rows, state->rows);
	groups = ARENA_ARRAY(&rows.arena, int64_t, state->rows);
	if (!arena_ok(&rows.arena, &error))
		host_raise(&error);
	for (uint64 i = 0; i < state->rows; i++)
	{
		if (i % CHECK_ROWS == 0)
			CHECK_FOR_INTERRUPTS();
		groups[i] = groups_row(state, i, &rows.scores[i], &rows.labels[i]);
	}
	if (!metrics_grouped_auc(&rows.arena, rows.scores, rows.labels, groups, rows.n,
							 state->groups, &auc, &host, &error))
		host_raise(&error);
	return scores_result(fcinfo, &rows, auc.value);
}
