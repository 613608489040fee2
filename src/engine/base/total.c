/*
 * total.c
 *	  Sums that do not depend on order: 128-bit integers.
 */
#include "engine/base/total.h"

#define SCALE 0x1p80

typedef unsigned __int128 Wide;

static Wide
wide(const Total *total)
{
	return (Wide) total->high << 64 | total->low;
}

static void
store(Total *total, Wide sum)
{
	total->low = (uint64_t) sum;
	total->high = (uint64_t) (sum >> 64);
}

void
total_add(Total *total, double value)
{
	store(total, wide(total) + (Wide) (value * SCALE + 0.5));
}

void
total_merge(Total *total, const Total *other)
{
	store(total, wide(total) + wide(other));
}

double
total_value(const Total *total)
{
	return (double) wide(total) / SCALE;
}
