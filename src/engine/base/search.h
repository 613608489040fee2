/*
 * search.h
 *	  Places in sorted arrays, by halves.
 */
#ifndef AREAD_ENGINE_BASE_SEARCH_H
#define AREAD_ENGINE_BASE_SEARCH_H

#include <stddef.h>
#include <stdint.h>

/* Of places low .. high - 1, which ascend, the first whose number is not below "value"; else high. */
static inline size_t
sorted_place(const uint32_t *sorted, size_t low, size_t high, uint32_t value)
{
	while (low < high)
	{
		size_t		middle = low + (high - low) / 2;

		if (sorted[middle] < value)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Of places 0 .. n - 1, which ascend, the first whose number is above "value"; else n. */
static inline size_t
sorted_place_above(const double *sorted, size_t n, double value)
{
	size_t		low = 0;

	while (low < n)
	{
		size_t		middle = low + (n - low) / 2;

		if (sorted[middle] <= value)
			low = middle + 1;
		else
			n = middle;
	}
	return low;
}

#endif							/* AREAD_ENGINE_BASE_SEARCH_H */
