/*
 * syscache_state.h
 *	  Whether the server's catalog is still what it was.
 */
#ifndef AREAD_SYSCACHE_STATE_H
#define AREAD_SYSCACHE_STATE_H

#include "postgres.h"

/*
 * Number of the state of types, schemas, casts, functions, roles and their
 * memberships as this process knows it, never 0: while it stays the same, so do
 * the answers that the catalog gives about them.
 */
extern uint64 syscache_state(void);
/* The same of all relations: their columns, names, rights and files. */
extern uint64 relcache_state(void);

#endif							/* AREAD_SYSCACHE_STATE_H */
