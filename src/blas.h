/*
 * blas.h
 *	  OpenBLAS, loaded for training: scoring does without.
 */
#ifndef AREAD_BLAS_H
#define AREAD_BLAS_H

/*
 * Before the engine multiplies matrices, on the session's own thread; cheap
 * when it has been done.  Raises an error if there is no OpenBLAS, or not the
 * memory that it takes for so many threads.
 */
extern void blas_require(int n_threads);

#endif							/* AREAD_BLAS_H */
