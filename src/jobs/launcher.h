/*
 * launcher.h
 *	  A process that resumes runs after the server has started.
 */
#ifndef AREAD_JOBS_LAUNCHER_H
#define AREAD_JOBS_LAUNCHER_H

#include "postgres.h"

/* While the server loads its preloaded libraries; other than that it does nothing. */
extern void launcher_register(void);
/* Has this server such a process? */
extern bool launcher_is_there(void);

#endif							/* AREAD_JOBS_LAUNCHER_H */
