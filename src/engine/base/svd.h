/*
 * svd.h
 *	  The singular value decomposition of a small square matrix.
 */
#ifndef AREAD_ENGINE_BASE_SVD_H
#define AREAD_ENGINE_BASE_SVD_H

#include "engine/base/base.h"

/*
 * a [n, n] = u diag(s) v^T, all row-major, s [n] descending; singular vectors are columns of u and
 * v [n, n].  Columns of u whose singular value is 0 are 0.  Numbers must be finite.
 * One-sided Jacobi rotations (Hestenes 1958): to the last digits, in O(n^3) a sweep.  LAPACK
 * has faster ways, but none that can be interrupted.
 */
extern bool svd(Arena *arena, const double *a, size_t n, double *u, double *s, double *v,
				const EngineHost *host, EngineError *error);

#endif							/* AREAD_ENGINE_BASE_SVD_H */
