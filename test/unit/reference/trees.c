/*
 * trees.c
 *	  Logistic regression; trees are beside it, and have a test of their own.
 */
#include "reference/reference.h"

static double
score(const ReferenceRow *row)
{
	return reference_sigmoid(reference_wide(row));
}

REFERENCE(trees, score);
