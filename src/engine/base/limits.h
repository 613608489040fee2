/*
 * limits.h
 *	  How large a network may be: options are checked against these limits, and
 *	  arrays on the stack are sized by them.  And from how many rows on they decide.
 */
#ifndef AREAD_ENGINE_BASE_LIMITS_H
#define AREAD_ENGINE_BASE_LIMITS_H

#define MAX_LAYERS 8			/* of any stack: MMoE dims, HEI layers */
#define MAX_WIDTH 4096			/* of an expert's layer */
#define MAX_EXPERTS 64			/* in one layer */
#define MAX_EMBED_DIM 1024
#define MAX_GATES 4096			/* in all layers together */

#define MAX_HISTORY 1000		/* members of a user's history */
/* Members of 4 bytes that have room in a batch, and in all those that a candidate is scored on. */
#define MAX_BATCH_MEMBERS (1 << 24)
#define MAX_SEARCH_MEMBERS (1 << 26)

/* Fewer validation rows decide nothing: no L2, no domain weights, no trees. */
#define MIN_VALID_ROWS 1000

/* A number for each layer of a stack, the lowest layer's first. */
typedef struct IntList
{
	int			n;
	int			value[MAX_LAYERS];
} IntList;

#define MAX_COLUMN_NAMES 8
#define COLUMN_NAME_SIZE 64				/* bytes, the final 0 included */

/* Names of columns. */
typedef struct NameList
{
	int			n;
	char		value[MAX_COLUMN_NAMES][COLUMN_NAME_SIZE];
} NameList;

#endif							/* AREAD_ENGINE_BASE_LIMITS_H */
