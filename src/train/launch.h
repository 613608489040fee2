/*
 * launch.h
 *	  Starting a background worker for a run, and what it is told.
 */
#ifndef AREAD_LAUNCH_H
#define AREAD_LAUNCH_H

#include "postgres.h"

/* In BackgroundWorker.bgw_extra; all else is in the run's row. */
typedef struct WorkerStart
{
	int64		run;
	Oid			database;
	Oid			session_user;	/* who may log in, which the run's role need not */
	TransactionId transaction;	/* that started it */
} WorkerStart;

/*
 * Start a worker for a run, whose row the caller inserts or updates thereafter:
 * it begins when the caller's transaction commits, and goes away if that rolls
 * back.  Returns its process id once it is there.  An error where there is no
 * free slot.
 */
extern int	worker_start(int64 run);

#endif							/* AREAD_LAUNCH_H */
