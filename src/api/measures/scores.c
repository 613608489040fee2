/*
 * scores.c
 *	  Scores and labels: arguments, records, rows.
 *
 * A record is a score and a label of one byte, or of NDCG a score and a gain.  A
 * final function unpacks all records of its state into arrays for the engine, in a
 * memory context of their own, and checks each: a state may come from anywhere.
 */
#include "postgres.h"

#include "api/measures/scores.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "host.h"
#include "miscadmin.h"

/* Rows between two looks at interrupts. */
#define CHECK_ROWS 1000000

bool
scores_skip(FunctionCallInfo fcinfo)
{
	state_check_call(fcinfo);
	return PG_ARGISNULL(1) || PG_ARGISNULL(2);
}

double
scores_score(FunctionCallInfo fcinfo)
{
	double		score = PG_GETARG_FLOAT8(1);

	if (isnan(score))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a score is NaN"),
				 errhint("Leave such rows out, as with FILTER (WHERE score <> 'NaN').")));
	return score;
}

double
scores_probability(FunctionCallInfo fcinfo)
{
	double		score = PG_GETARG_FLOAT8(1);

	if (!(score >= 0 && score <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("score %g is not a probability", score),
				 errdetail("This measure takes scores from 0 to 1.")));
	return score;
}

static double
label_number(FunctionCallInfo fcinfo)
{
	switch (get_fn_expr_argtype(fcinfo->flinfo, 2))
	{
		case BOOLOID:
			return PG_GETARG_BOOL(2);
		case INT4OID:
			return PG_GETARG_INT32(2);
		case FLOAT8OID:
			return PG_GETARG_FLOAT8(2);
		default:
			elog(ERROR, "a label must be of type boolean, integer or double precision");
	}
}

uint8
scores_label(FunctionCallInfo fcinfo)
{
	double		label = label_number(fcinfo);

	if (label != 0 && label != 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("label %g is neither 0 nor 1", label),
				 errhint("Say which rows are positive, as in \"rating >= 4\".")));
	return label == 1;
}

double
scores_gain(FunctionCallInfo fcinfo)
{
	double		gain = label_number(fcinfo);

	if (!(gain >= 0) || isinf(gain))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("label %g is no gain", gain),
				 errdetail("Gains are finite and not negative.")));
	return gain;
}

void
scores_pack(char *record, double score, uint8 label)
{
	memcpy(record, &score, sizeof(score));
	record[sizeof(score)] = label;
}

State *
scores_append(State *state, StateKind kind, double score, uint8 label)
{
	char		record[sizeof(double) + 1];

	scores_pack(record, score, label);
	return state_append(state, kind, record);
}

void
scores_unpack(const char *record, double *score, uint8 *label)
{
	memcpy(score, record, sizeof(*score));
	*label = record[sizeof(*score)];
	if (isnan(*score) || *label > 1)
		state_invalid();
}

/* Of a score and a gain. */
static void
unpack_gain(const char *record, double *score, double *gain)
{
	memcpy(score, record, sizeof(*score));
	memcpy(gain, record + sizeof(*score), sizeof(*gain));
	if (isnan(*score) || !(*gain >= 0) || isinf(*gain))
		state_invalid();
}

void
scores_begin(ScoredRows *rows, uint64 n)
{
	EngineError error;

	memset(rows, 0, sizeof(*rows));
	rows->context = AllocSetContextCreate(CurrentMemoryContext, "aread measure",
										  ALLOCSET_DEFAULT_SIZES);
	host_arena(&rows->arena, rows->context);
	rows->n = n;
	rows->scores = ARENA_ARRAY(&rows->arena, double, n);
	rows->labels = ARENA_ARRAY(&rows->arena, uint8, n);
	if (!arena_ok(&rows->arena, &error))
		host_raise(&error);
}

void
scores_of_state(FunctionCallInfo fcinfo, StateKind kind, ScoredRows *rows)
{
	const State *state = state_finished(fcinfo, kind);
	EngineError error;

	scores_begin(rows, state->rows);
	rows->parameter = state->parameter;
	if (kind == STATE_NDCG)
		rows->gains = ARENA_ARRAY(&rows->arena, double, rows->n);
	if (!arena_ok(&rows->arena, &error))
		host_raise(&error);
	for (uint64 i = 0; i < rows->n; i++)
	{
		if (i % CHECK_ROWS == 0)
			CHECK_FOR_INTERRUPTS();
		if (kind == STATE_NDCG)
			unpack_gain(state->records + i * 2 * sizeof(double), &rows->scores[i],
						&rows->gains[i]);
		else
			scores_unpack(state->records + i * (sizeof(double) + 1), &rows->scores[i],
						  &rows->labels[i]);
		if (kind == STATE_CALIBRATION && !(rows->scores[i] >= 0 && rows->scores[i] <= 1))
			state_invalid();
	}
}

Datum
scores_result(FunctionCallInfo fcinfo, ScoredRows *rows, double value)
{
	MemoryContextDelete(rows->context);
	if (isnan(value))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(value);
}

Datum
scores_measure(FunctionCallInfo fcinfo, StateKind state, ScoreMeasure measure, int kind)
{
	EngineHost	host = host_callbacks();
	EngineError error;
	ScoredRows	rows;
	double		value;

	scores_of_state(fcinfo, state, &rows);
	if (!measure(&rows, kind, &value, &host, &error))
		host_raise(&error);
	return scores_result(fcinfo, &rows, value);
}
