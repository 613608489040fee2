/*
 * total.h
 *	  Sums that come out the same in whatever order and parts they are taken.
 *
 * Fixed point with 80 binary digits behind the point: what is added is rounded
 * once, to 4e-25, the sum not at all.
 */
#ifndef AREAD_ENGINE_BASE_TOTAL_H
#define AREAD_ENGINE_BASE_TOTAL_H

#include "engine/base/base.h"

/* All zero: nothing added yet. */
typedef struct Total
{
	uint64_t	low;
	uint64_t	high;
} Total;

/* Add a value from 0 up; everything added together must stay below 2^47. */
extern void total_add(Total *total, double value);
extern void total_merge(Total *total, const Total *other);
extern double total_value(const Total *total);

#endif							/* AREAD_ENGINE_BASE_TOTAL_H */
