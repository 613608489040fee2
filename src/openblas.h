/*
 * openblas.h
 *	  The library OpenBLAS, opened at run time: plain C, no PostgreSQL.
 */
#ifndef AREAD_OPENBLAS_H
#define AREAD_OPENBLAS_H

/*
 * A handle for dlsym(), with no threads of OpenBLAS's own; NULL: dlerror() says
 * why.  Changes the environment while it works, so no other thread may run.
 */
extern void *openblas_open(void);
/* Its name for the processor whose kernels it uses; NULL: it does not tell. */
extern const char *openblas_core(void *library);

#endif							/* AREAD_OPENBLAS_H */
