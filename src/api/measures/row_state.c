/*
 * row_state.c
 *	  Records of an aggregate over scores, in a bytea that grows.
 *
 * A state is header, parameter and records.  Its size doubles when it is full, and
 * the new room is zeroed in pieces, with a look at interrupts in between.  While an
 * aggregate runs, the state lies in its context and is changed in place.  Bytes that
 * come from elsewhere are checked, and copied if they are not aligned.
 */
#include "postgres.h"

#include "api/measures/row_state.h"

#include "compat.h"
#include "miscadmin.h"
#include "utils/lsyscache.h"

#define MAGIC 0x41524530		/* and the kind */
#define FIRST_SIZE 128
#define HEADER_SIZE offsetof(State, records)
/* Copied and zeroed in pieces: the first touch of a gigabyte can take seconds. */
#define BYTES_AT_ONCE ((Size) 64 * 1024 * 1024)

static const struct
{
	Size		width;			/* of a record */
	const char *parameter;
}			kinds[] = {
	[STATE_AUC] = {sizeof(double) + 1, NULL},
	[STATE_NDCG] = {2 * sizeof(double), "k"},
	[STATE_RECALL] = {sizeof(double) + 1, "k"},
	[STATE_CALIBRATION] = {sizeof(double) + 1, "bins and strategy"}
};

void
state_check_call(FunctionCallInfo fcinfo)
{
	if (!AggCheckCallContext(fcinfo, NULL))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("function %s is part of an aggregate and cannot be called by itself",
						get_func_name(fcinfo->flinfo->fn_oid)),
				 errhint("Call the aggregate, such as aread_auc.")));
}

void
state_too_large(uint64 rows)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("a measure over more than " UINT64_FORMAT " rows needs more than 1 GB", rows),
			 errhint("Measure a sample of the rows, or groups of them.")));
}

void
state_invalid(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("the state of an aggregate is invalid"),
			 errhint("All nodes and aggregates that share it must use the same version of aread.")));
}

void *
state_bytes(FunctionCallInfo fcinfo, int argument)
{
	struct varlena *bytes = PG_GETARG_RAW_VARLENA_P(argument);

	if (VARATT_IS_EXTENDED(bytes) || (uintptr_t) bytes % MAXIMUM_ALIGNOF != 0)
		bytes = PG_DETOAST_DATUM_COPY(PointerGetDatum(bytes));
	return bytes;
}

void *
state_enlarge(const void *state, Size used, Size size)
{
	char	   *larger = palloc(size);

	for (Size at = 0; at < size; at += BYTES_AT_ONCE)
	{
		Size		end = Min(at + BYTES_AT_ONCE, size);
		Size		copied = at < used ? Min(end, used) - at : 0;

		CHECK_FOR_INTERRUPTS();
		memcpy(larger + at, (const char *) state + at, copied);
		memset(larger + at + copied, 0, end - at - copied);
	}
	SET_VARSIZE(larger, size);
	return larger;
}

Datum
state_unchanged(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}

static uint64
room(const State *state, StateKind kind)
{
	return (VARSIZE(state) - HEADER_SIZE) / kinds[kind].width;
}

static State *
check_state(State *state, StateKind kind)
{
	if (VARSIZE(state) < HEADER_SIZE || state->magic != MAGIC + kind ||
		state->rows > room(state, kind))
		state_invalid();
	return state;
}

static void
check_parameter(const State *state, StateKind kind, int64 parameter)
{
	if (state->parameter == parameter)
		return;
	if (!kinds[kind].parameter)
		state_invalid();
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s must be the same in all rows of a group", kinds[kind].parameter),
			 errhint("Pass constants, or group by what they depend on.")));
}

static State *
new_state(StateKind kind, int64 parameter)
{
	State	   *state = palloc0(FIRST_SIZE);

	SET_VARSIZE(state, FIRST_SIZE);
	state->magic = MAGIC + kind;
	state->parameter = parameter;
	return state;
}

State *
state_argument(FunctionCallInfo fcinfo, StateKind kind, int64 parameter)
{
	State	   *state;

	if (PG_ARGISNULL(0))
		return new_state(kind, parameter);
	state = check_state(state_bytes(fcinfo, 0), kind);
	check_parameter(state, kind, parameter);
	return state;
}

/* With room for so many records more. */
static State *
reserve(State *state, StateKind kind, uint64 rows)
{
	Size		used = HEADER_SIZE + state->rows * kinds[kind].width;
	Size		needed = used + rows * kinds[kind].width;

	if (needed <= VARSIZE(state))
		return state;
	if (needed > STATE_MOST)
		state_too_large(state->rows);
	return state_enlarge(state, used, Min(Max(needed, 2 * (Size) VARSIZE(state)), STATE_MOST));
}

State *
state_append(State *state, StateKind kind, const void *record)
{
	Size		width = kinds[kind].width;

	state = reserve(state, kind, 1);
	memcpy(state->records + state->rows * width, record, width);
	state->rows++;
	return state;
}

const State *
state_finished(FunctionCallInfo fcinfo, StateKind kind)
{
	state_check_call(fcinfo);
	return check_state(state_bytes(fcinfo, 0), kind);
}

PG_FUNCTION_INFO_V1(aread_scores_combine);
/* scores_combine(state, other) */
Datum
aread_scores_combine(PG_FUNCTION_ARGS)
{
	State	   *state;
	State	   *other;
	StateKind	kind;

	state_check_call(fcinfo);
	if (PG_ARGISNULL(1))
		return state_unchanged(fcinfo);
	other = state_bytes(fcinfo, 1);
	if (VARSIZE(other) < HEADER_SIZE || other->magic < MAGIC ||
		other->magic >= MAGIC + lengthof(kinds))
		state_invalid();
	kind = other->magic - MAGIC;
	check_state(other, kind);
	if (PG_ARGISNULL(0))
		PG_RETURN_BYTEA_P(other);
	state = reserve(state_argument(fcinfo, kind, other->parameter), kind, other->rows);
	memcpy(state->records + state->rows * kinds[kind].width, other->records,
		   other->rows * kinds[kind].width);
	state->rows += other->rows;
	PG_RETURN_BYTEA_P(state);
}
