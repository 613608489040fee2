/*
 * grouped_state.h
 *	  The state of a measure by groups: like that of other measures (row_state.h),
 *	  with each row's group as a number, and a hash table from keys to numbers.
 */
#ifndef AREAD_API_MEASURES_GROUPED_STATE_H
#define AREAD_API_MEASURES_GROUPED_STATE_H

#include "api/measures/row_state.h"

/* Followed by slots, keys and records (grouped_state.c has the layout). */
typedef struct GroupedState
{
	int32		vl_len_;		/* varlena header; room included */
	uint32		magic;
	uint64		rows;
	uint64		row_room;
	uint32		groups;
	uint32		slots;			/* a power of 2 */
	uint64		key_bytes;
	uint64		key_room;
	int64		parameter;		/* an argument that is the same in all rows */
} GroupedState;

/*
 * The state that is a function's first argument, a new one if that is NULL.
 * The parameter has to be the same in all calls.
 */
extern GroupedState *groups_argument(FunctionCallInfo fcinfo, int64 parameter);
/* A state that is another argument: checked, not to be changed. */
extern const GroupedState *groups_read(FunctionCallInfo fcinfo, int argument);
/* Add a row of the group with this key; returns the state, which may have moved. */
extern GroupedState *groups_append(GroupedState *state, double score, uint8 label,
								   const char *key, uint32 length);
/* The first argument with all rows of another state, whose parameter it has. */
extern GroupedState *groups_merge(FunctionCallInfo fcinfo, const GroupedState *other);
/* Row i: its parts, and the number of its group. */
extern uint32 groups_row(const GroupedState *state, uint64 i, double *score, uint8 *label);

#endif							/* AREAD_API_MEASURES_GROUPED_STATE_H */
