/*
 * counted.h
 *	  Arenas whose bytes are counted.
 */
#ifndef AREAD_TEST_COUNTED_H
#define AREAD_TEST_COUNTED_H

#include <stdlib.h>

/* Bytes of all arenas of one context, and the most that there were. */
typedef struct Counted
{
	size_t		now;
	size_t		most;
} Counted;

/* An arena's allocation and release. */
static inline void *
count_allocate(void *context, size_t size)
{
	Counted    *counted = context;
	size_t	   *block = calloc(1, size + 64);

	*block = size;
	counted->now += size;
	if (counted->now > counted->most)
		counted->most = counted->now;
	return (char *) block + 64;
}

static inline void
count_release(void *context, void *block)
{
	Counted    *counted = context;
	size_t	   *start = (size_t *) ((char *) block - 64);

	counted->now -= *start;
	free(start);
}

#endif							/* AREAD_TEST_COUNTED_H */
