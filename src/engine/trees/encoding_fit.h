/*
 * encoding_fit.h
 *	  One encoding: its values for rows, and its table for scoring.
 */
#ifndef AREAD_ENGINE_TREES_ENCODING_FIT_H
#define AREAD_ENGINE_TREES_ENCODING_FIT_H

#include "engine/trees/encoding_cells.h"

/* Room that fitting needs; one serves many fits. */
typedef struct EncodingRoom
{
	CellRoom	by_second;
	CellRoom	by_cell;
} EncodingRoom;

/* Errors: lack of memory. */
extern bool encoding_room(EncodingRoom *room, Arena *arena, const EncodingRows *rows,
						  EngineError *error);
/* What an unseen value or pair has -> unseen [ENCODING_INPUTS]. */
extern void encoding_unseen(const EncodingRows *rows, float *unseen);
/*
 * Values of field a, or of the pair of a and b (b = NO_FIELD: a alone).
 *
 * rates, counts [rows]: a training row's are out of fold; a validation row's are
 * those of the table.  *encoding (NULL: not wanted) is the table, its arrays the
 * arena's.  Errors: lack of memory, ENGINE_INTERRUPTED.
 */
extern bool encoding_fit(Arena *arena, const EncodingRows *rows, int a, int b, EncodingRoom *room,
						 const EngineHost *host, float *rates, float *counts, Encoding *encoding,
						 EngineError *error);

#endif							/* AREAD_ENGINE_TREES_ENCODING_FIT_H */
