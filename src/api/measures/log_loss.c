/*
 * log_loss.c
 *	  aread_log_loss(): the log loss of any probabilities; aread_novelty(): the mean
 *	  of -log2 of shares.  Both are a sum and a number of rows.
 */
#include "postgres.h"

#include <math.h>

#include "api/measures/scores.h"
#include "compat.h"
#include "engine/base/total.h"
#include "engine/measure/metrics.h"

#define MAGIC 0x4152454C

typedef struct LossState
{
	int32		vl_len_;		/* varlena header */
	uint32		magic;
	uint64		rows;
	Total		sum;
} LossState;

static LossState *
check_state(LossState *state)
{
	if (VARSIZE(state) != sizeof(LossState) || state->magic != MAGIC)
		state_invalid();
	return state;
}

/* The first argument, to be changed. */
static LossState *
own_state(FunctionCallInfo fcinfo)
{
	LossState  *state;

	if (!PG_ARGISNULL(0))
		return check_state(state_bytes(fcinfo, 0));
	state = palloc0(sizeof(LossState));
	SET_VARSIZE(state, sizeof(LossState));
	state->magic = MAGIC;
	return state;
}

PG_FUNCTION_INFO_V1(aread_log_loss_add);
/* log_loss_add(state, score, label) */
Datum
aread_log_loss_add(PG_FUNCTION_ARGS)
{
	LossState  *state;

	if (scores_skip(fcinfo))
		return state_unchanged(fcinfo);
	state = own_state(fcinfo);
	total_add(&state->sum, metrics_loss(scores_probability(fcinfo), scores_label(fcinfo)));
	state->rows++;
	PG_RETURN_BYTEA_P(state);
}

PG_FUNCTION_INFO_V1(aread_novelty_add);
/* novelty_add(state, share) */
Datum
aread_novelty_add(PG_FUNCTION_ARGS)
{
	LossState  *state;
	double		share;

	state_check_call(fcinfo);
	if (PG_ARGISNULL(1))
		return state_unchanged(fcinfo);
	share = PG_GETARG_FLOAT8(1);
	if (!(share > 0 && share <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("share %g is not above 0 and up to 1", share),
				 errdetail("An item's novelty is -log2 of its share of all rows."),
				 errhint("Count items without rows as if they had one, as with greatest(rows, 1).")));
	state = own_state(fcinfo);
	total_add(&state->sum, -log2(share));
	state->rows++;
	PG_RETURN_BYTEA_P(state);
}

PG_FUNCTION_INFO_V1(aread_log_loss_combine);
/* log_loss_combine(state, other) */
Datum
aread_log_loss_combine(PG_FUNCTION_ARGS)
{
	const LossState *other;
	LossState  *state;

	state_check_call(fcinfo);
	if (PG_ARGISNULL(1))
		return state_unchanged(fcinfo);
	other = check_state(state_bytes(fcinfo, 1));
	state = own_state(fcinfo);
	total_merge(&state->sum, &other->sum);
	state->rows += other->rows;
	PG_RETURN_BYTEA_P(state);
}

PG_FUNCTION_INFO_V1(aread_log_loss_result);
/* log_loss_result(state) */
Datum
aread_log_loss_result(PG_FUNCTION_ARGS)
{
	const LossState *state;

	state_check_call(fcinfo);
	state = check_state(state_bytes(fcinfo, 0));
	if (state->rows == 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(total_value(&state->sum) / state->rows);
}
