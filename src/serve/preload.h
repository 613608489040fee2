/*
 * preload.h
 *	  Models that the server loads into shared memory when it starts.
 */
#ifndef AREAD_SERVE_PRELOAD_H
#define AREAD_SERVE_PRELOAD_H

/*
 * While the server loads its preloaded libraries: a background worker for each
 * database that aread.preload_models names.  Other than that it does nothing.
 */
extern void preload_register(void);

#endif							/* AREAD_SERVE_PRELOAD_H */
