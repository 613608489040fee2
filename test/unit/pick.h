/*
 * pick.h
 *	  Numbers for tests that draw their cases.
 */
#ifndef AREAD_TEST_PICK_H
#define AREAD_TEST_PICK_H

#include "engine/base/random.h"

#define PICK(random, list) \
	(list)[random_below(random, sizeof(list) / sizeof(*(list)))]

/* 0 .. n, each alike. */
static inline int
up_to(Random *random, int n)
{
	return (int) random_below(random, n + 1);
}

#endif							/* AREAD_TEST_PICK_H */
