/*
 * wide.c
 *	  Logistic regression.
 */
#include "reference/reference.h"

static double
score(const ReferenceRow *row)
{
	return reference_sigmoid(reference_wide(row));
}

REFERENCE(wide, score);
/* trees are added after calibration: test_stacking.c */
REFERENCE(trees, score);
