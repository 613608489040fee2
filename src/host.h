/*
 * host.h
 *	  PostgreSQL as the engine's host: memory contexts for its arenas, the
 *	  backend's interrupts, a clock, and ereport for its errors.
 */
#ifndef AREAD_HOST_H
#define AREAD_HOST_H

#include "compat.h"

#include "engine/base/base.h"

/* Blocks of the arena are chunks of the context: either frees them. */
extern void host_arena(Arena *arena, MemoryContext context);
/*
 * A context for a training of a session, within the current one.  Once it has gone, by an
 * error too, the process gives its memory back to the system.
 */
extern MemoryContext host_training_context(void);
/*
 * Memory that will be read here and there: in pages of megabytes, if the
 * system has them, since small ones take longer to find than to read.
 */
extern void host_large_pages(void *block, Size size);
/* Interrupts and clock; has no state. */
extern EngineHost host_callbacks(void);
/*
 * Ends a background process whose postmaster has died.  The server cannot start
 * again while one of its processes is left.  In other processes it does nothing:
 * a session's statement goes on to its end, as all statements of such a server do.
 */
extern void host_leave_dead_server(void);
/* Seconds of a monotonic clock. */
extern double host_seconds(void);
/* The engine's error as PostgreSQL's. */
pg_noreturn extern void host_raise(const EngineError *error);

#endif							/* AREAD_HOST_H */
