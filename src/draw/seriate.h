/*
 * seriate.h
 *	  An order in which like things stand together, for the rows of a picture.
 */
#ifndef AREAD_DRAW_SERIATE_H
#define AREAD_DRAW_SERIATE_H

#include "engine/base/base.h"

/*
 * order[n] from similarity[n, n] (symmetric; NaN: not alike at all): the
 * leaves of an average-linkage clustering.  Where two clusters are joined they
 * are turned so that their most alike ends meet (Gruvaeus and Wainer, 1972);
 * the whole is turned so that the end with the lower number comes first.  Takes
 * n^3 / 6 steps, so n should stay in the hundreds.  false, with *error filled, for
 * want of memory.
 */
extern bool seriate(Arena *arena, const double *similarity, int n, int *order,
					EngineError *error);

#endif							/* AREAD_DRAW_SERIATE_H */
