/*
 * fm.c
 *	  A factorization machine.
 */
#include "reference/reference.h"

static double
score(const ReferenceRow *row)
{
	static double x0[REFERENCE_WIDEST];

	reference_embed(row, x0);
	return reference_sigmoid(reference_wide(row) + reference_taste(row) +
							 reference_pairwise(row->model, x0));
}

REFERENCE(fm, score);
