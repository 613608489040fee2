/*
 * launch.h
 *	  What a worker is told when it is started.
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

#endif							/* AREAD_LAUNCH_H */
