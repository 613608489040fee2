/*
 * row_state.h
 *	  What an aggregate over scores keeps from row to row: records of one
 *	  width, in a bytea that grows.
 *
 * A bytea needs no serial function, and a distributed PostgreSQL can send it
 * from node to node.  Its room doubles when it is full; until then a row is
 * added in place, and nothing is copied.  Bytes may come from elsewhere: a
 * state is checked whenever it is used.
 */
#ifndef AREAD_API_MEASURES_ROW_STATE_H
#define AREAD_API_MEASURES_ROW_STATE_H

#include "compat.h"
#include "fmgr.h"
#include "utils/memutils.h"

/* Most bytes of a state: a tuple that carries one to another process needs some for itself. */
#define STATE_MOST (MaxAllocSize - 8192)

/* Measures that keep all rows. */
typedef enum StateKind
{
	STATE_AUC,
	STATE_NDCG,
	STATE_RECALL,
	STATE_CALIBRATION
} StateKind;

typedef struct State
{
	int32		vl_len_;		/* varlena header; room included */
	uint32		magic;			/* says the kind */
	uint64		rows;
	int64		parameter;		/* an argument that is the same in all rows */
	char		records[FLEXIBLE_ARRAY_MEMBER];
} State;

/* Raise an error unless an aggregate calls. */
extern void state_check_call(FunctionCallInfo fcinfo);
/* The state has no room for more than so many rows. */
pg_noreturn extern void state_too_large(uint64 rows);
/* The bytes are no state. */
pg_noreturn extern void state_invalid(void);
/*
 * A function's argument as bytes that are plain and aligned: where they lie if
 * they are, as those of the aggregate itself always do, else as a copy.
 */
extern void *state_bytes(FunctionCallInfo fcinfo, int argument);
/* The first argument as the result. */
extern Datum state_unchanged(FunctionCallInfo fcinfo);
/* A larger copy of the first "used" bytes of a state, the rest zero. */
extern void *state_enlarge(const void *state, Size used, Size size);

/*
 * The state that is a function's first argument, a new one if that is NULL.
 * The parameter has to be the same in all calls.
 */
extern State *state_argument(FunctionCallInfo fcinfo, StateKind kind, int64 parameter);
/* Add a record; returns the state, which may have moved. */
extern State *state_append(State *state, StateKind kind, const void *record);
/* The state that is a final function's argument, not to be changed. */
extern const State *state_finished(FunctionCallInfo fcinfo, StateKind kind);

#endif							/* AREAD_API_MEASURES_ROW_STATE_H */
