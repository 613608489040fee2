/*
 * failing.h
 *	  Hosts, arenas and columns that fail after so many calls.
 */
#ifndef AREAD_TEST_FAILING_H
#define AREAD_TEST_FAILING_H

#include <stdlib.h>

typedef struct Failing
{
	int			calls;
	int			most;			/* that go well */
} Failing;

/* An arena's allocation and release. */
static inline void *
scarce(void *context, size_t size)
{
	Failing    *failing = context;

	return ++failing->calls > failing->most ? NULL : calloc(1, size);
}

static inline void
give_back(void *context, void *block)
{
	(void) context;
	free(block);
}

#endif							/* AREAD_TEST_FAILING_H */
