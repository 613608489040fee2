/*
 * shmem.h
 *	  Memory that all sessions of the server share, found by its name or made
 *	  by whoever needs it first; the server need not preload the library.
 */
#ifndef AREAD_SHMEM_H
#define AREAD_SHMEM_H

#include "postgres.h"

/*
 * NULL, and *why as a message in the current memory context, where there is no
 * room for it.  Nobody else sees the memory before "init" has filled it.
 */
extern void *shmem_find(const char *name, Size size, void (*init) (void *memory), char **why);
/* The message of a caught error, which is forgotten; in a memory context, which becomes current. */
extern char *shmem_swallow_error(MemoryContext context);
/* Ask for so much of the server's main segment, while the server starts. */
extern void shmem_request(Size size);

#endif							/* AREAD_SHMEM_H */
