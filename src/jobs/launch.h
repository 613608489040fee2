/*
 * launch.h
 *	  Starting a background worker for a run, what it is told, and what it may do.
 *
 * A worker trains as the role that the server had as the current user where it
 * was started.  That goes to it through the server's shared memory, never
 * through the run's row: others can write rows, members of pg_write_all_data
 * for one.  The row says what is to be done, and a digest of it goes the same
 * way: a worker refuses a row that is not what its starter read or wrote.
 *
 * The worker asks the server once more whether the session's user can become
 * the role.  He cannot where a SECURITY DEFINER function started the run: there
 * the server itself made the owner the current user, and the starter says so.
 */
#ifndef AREAD_JOBS_LAUNCH_H
#define AREAD_JOBS_LAUNCH_H

#include "jobs/runs.h"
#include "sha256.h"

/* In BackgroundWorker.bgw_extra.  The library of a session may be older than its worker's. */
typedef struct WorkerStart
{
	int64		run;
	Oid			database;
	Oid			session_user;	/* who may log in, which the run's role need not */
	TransactionId transaction;	/* that started it */
	Oid			role;			/* as whom it trains */
	bool		given;			/* the role, by the server: session_user need not be able to become it */
	uint8		digest[PG_SHA256_DIGEST_LENGTH];	/* of what the run's row says is to be done */
	uint8		resumes;		/* after restarts, this one included; 0: started by a call */
} WorkerStart;

/*
 * Start a worker for a run of the current user, whose row the caller inserts or
 * updates thereafter: it begins when the caller's transaction commits, and goes
 * away if that rolls back.  Returns its process id once it is there.  An error
 * where the role has as many as it may, or there is no free slot.
 */
extern int	worker_start(const Run *run);
/* The same for a run that a restart interrupted; false where no worker is free. */
extern bool worker_resume(const WorkerStart *start);
/* Has the role as many workers as it may?  Until role_unlock_starts(), nobody else starts one. */
extern bool role_is_at_limit(Oid role);
/* In the worker: an error unless it may train the run, as its row is, as its role. */
extern void worker_check_start(const WorkerStart *start, const Run *run);

#endif							/* AREAD_JOBS_LAUNCH_H */
