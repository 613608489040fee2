/*
 * shmem.h
 *	  Memory that all sessions of the server share, found by its name or made
 *	  by whoever needs it first; the server need not preload the library.
 */
#ifndef AREAD_SHMEM_H
#define AREAD_SHMEM_H

#include "postgres.h"

#include "storage/lwlock.h"

/*
 * Run "make", which makes what the server is to keep when the query ends.  False
 * where it raises an error, with *why as a message in the current memory context.
 */
extern bool shmem_try(void (*make) (void *argument), void *argument, char **why);
/* What a table in shared memory begins with. */
typedef struct ShmemHead
{
	int			tranche;
	LWLock		lock;			/* of all that follows in the table */
} ShmemHead;

/* For the "init" of a table of so many bytes: zeros behind a head whose lock is ready. */
extern void shmem_table_init(void *table, Size size);
/*
 * A table by its name, whose lock has a name in this session from then on.  NULL,
 * and *why, where there is no room.  Nobody else sees the memory before "init" has
 * filled it.
 */
extern void *shmem_table(const char *name, Size size, void (*init) (void *table), char **why);
/* Ask for so much of the server's main segment, while the server starts; else do nothing. */
extern void shmem_request(Size size);

#endif							/* AREAD_SHMEM_H */
