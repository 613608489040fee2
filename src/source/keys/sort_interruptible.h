/*
 * sort_interruptible.h
 *	  The engine's radix sort in the current memory context, which a cancelled
 *	  query stops.
 */
#ifndef AREAD_SOURCE_KEYS_SORT_INTERRUPTIBLE_H
#define AREAD_SOURCE_KEYS_SORT_INTERRUPTIBLE_H

#include "postgres.h"

/* Sort keys [n], ascending, and with them payloads [n] (NULL: none).  Equal keys stay in their order. */
extern void sort_words(uint64 *keys, uint32 *payloads, uint64 n);
/* Sort numbers [n], none of them NaN, ascending. */
extern void sort_numbers(double *numbers, uint64 n);

#endif							/* AREAD_SOURCE_KEYS_SORT_INTERRUPTIBLE_H */
