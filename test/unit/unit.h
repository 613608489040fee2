/*
 * unit.h
 *	  A harness for unit tests: count checks, tell the failed ones, sum up.
 */
#ifndef AREAD_TEST_UNIT_H
#define AREAD_TEST_UNIT_H

#include <stdio.h>

static int	unit_passed;
static int	unit_failed;

#define CHECK(condition) \
	do \
	{ \
		if (condition) \
			unit_passed++; \
		else \
		{ \
			unit_failed++; \
			printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
		} \
	} while (0)

/* To be returned from main(). */
static inline int
unit_summary(void)
{
	printf("%d passed, %d failed\n", unit_passed, unit_failed);
	return unit_failed > 0;
}

#endif							/* AREAD_TEST_UNIT_H */
