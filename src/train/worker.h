/*
 * worker.h
 *	  Trainings in background workers.
 */
#ifndef AREAD_WORKER_H
#define AREAD_WORKER_H

#include "postgres.h"

/*
 * Start a worker for a run, whose row the caller inserts or updates thereafter:
 * it begins when the caller's transaction commits, and goes away if that rolls
 * back.  Returns its process id once it is there.  An error where there is no
 * free slot.
 */
extern int	worker_start(int64 run);

#endif							/* AREAD_WORKER_H */
