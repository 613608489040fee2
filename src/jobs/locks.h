/*
 * locks.h
 *	  Locks by which sessions know of workers: which run a process trains, and
 *	  as whom.
 *
 * They are the server's word, where a row is only that of whoever wrote it
 * last.  Users cannot take them: no SQL function makes such tags.
 */
#ifndef AREAD_JOBS_LOCKS_H
#define AREAD_JOBS_LOCKS_H

#include "postgres.h"

/*
 * This process is the worker of a run, and trains as a role: until it ends if
 * "lasting", else until the transaction does.  Waits for another worker to end.
 */
extern void worker_lock(int64 run, Oid role, bool lasting);
/* Has a run a worker? */
extern bool run_is_at_work(int64 id);
/* Process id of a run's worker, and as whom it trains; 0: it has none. */
extern int	run_worker(int64 id, Oid *role);

/* Nobody else starts a worker of the role until the other call, or an error. */
extern void role_lock_starts(Oid role);
extern void role_unlock_starts(Oid role);
/* Workers of a role, in all databases. */
extern int	role_workers(Oid role);

#endif							/* AREAD_JOBS_LOCKS_H */
