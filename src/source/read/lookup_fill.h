/*
 * lookup_fill.h
 *	  Values of a row to keys, in the block that is being filled.
 */
#ifndef AREAD_SOURCE_READ_LOOKUP_FILL_H
#define AREAD_SOURCE_READ_LOOKUP_FILL_H

#include "source/read/lookup.h"

/* A row more for the block; returns whether that is full. */
extern bool lookup_add(Lookup *lookup, const Datum *values, const bool *nulls);

#endif							/* AREAD_SOURCE_READ_LOOKUP_FILL_H */
