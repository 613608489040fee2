/*
 * ticket.h
 *	  What allows a run to be resumed by itself after a restart.
 *
 * A worker is told by the server's shared memory whose run it is (launch.h),
 * and that is gone when the server ends.  Rows stay, but are no authority.  So
 * the worker of a run that is to be resumed by itself keeps what it was told in
 * a file of the data directory, which the server alone writes, until the run
 * has ended in another way than by the end of its process.
 *
 * The files lie in pg_stat_tmp, which base backups leave out: neither a standby
 * nor a server made of a backup has runs to resume.
 */
#ifndef AREAD_JOBS_TICKET_H
#define AREAD_JOBS_TICKET_H

#include "jobs/launch.h"
#include "nodes/pg_list.h"

/* Replaces an earlier one of the run; where that fails there is none, and a WARNING says so. */
extern void ticket_write(const WorkerStart *start);
/* There need not be one. */
extern void ticket_remove(Oid database, int64 run);
/* Names of the files, of char *; what a crash left half written is removed. */
extern List *ticket_names(void);
/* False: it is none that a worker wrote, which is logged, and it is removed. */
extern bool ticket_read(const char *name, WorkerStart *start);

#endif							/* AREAD_JOBS_TICKET_H */
