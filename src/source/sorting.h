/*
 * sorting.h
 *	  The engine's radix sort in the current memory context, which a cancelled
 *	  query stops.
 */
#ifndef AREAD_SORTING_H
#define AREAD_SORTING_H

#include "postgres.h"

/* Sort keys [n], ascending, and with them payloads [n] (NULL: none).  Equal keys stay in their order. */
extern void sort_words(uint64 *keys, uint32 *payloads, uint64 n);
/* Sort numbers [n], none of them NaN, ascending. */
extern void sort_numbers(double *numbers, uint64 n);

#endif							/* AREAD_SORTING_H */
