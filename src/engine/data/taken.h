/*
 * taken.h
 *	  What users have taken: pairs of user and item of positive rows.
 *
 * Users without an id of their own (never seen in training, rare, NULL) are many: what one of
 * them took says nothing of the others.  So with items.
 */
#ifndef AREAD_ENGINE_DATA_TAKEN_H
#define AREAD_ENGINE_DATA_TAKEN_H

#include "engine/data/rowset.h"

typedef struct Taken
{
	RowSet		pairs;
	bool		known;			/* is there a user field?  Else nothing is taken */
} Taken;

/* Nothing is taken yet; room for up to max_rows rows. */
extern bool taken_init(Taken *taken, Arena *arena, const Dataset *data, size_t max_rows,
					   EngineError *error);
/* A row's user has taken its item. */
extern void taken_add(Taken *taken, size_t row);
/* Is the user of a row known to have taken the item of row "from"? */
extern bool taken_has(const Taken *taken, size_t row, size_t from);

#endif							/* AREAD_ENGINE_DATA_TAKEN_H */
