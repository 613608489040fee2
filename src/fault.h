/*
 * fault.h
 *	  Points that fail on demand, in test builds (make FAULTS=1) only; in all
 *	  others they are nothing.
 *
 * Setting aread.fault names a point and how often it is to be reached:
 * "spill:3" lets the third write to a temporary file fail, "spill:3:kill" ends
 * the process there with SIGKILL.  Others are no failures but moments between
 * what was looked up and its use: "source:1" waits there for a second, so that
 * other sessions can try to come in between.
 */
#ifndef AREAD_FAULT_H
#define AREAD_FAULT_H

#include "postgres.h"

#ifdef AREAD_FAULTS
/* Is this the time for the point to fail? */
extern bool fault_hit(const char *point);
/* From now on the system grants this process no thread, if the point is to fail. */
extern void fault_threads(const char *point);
/* Wait here, if this is the time for the point. */
extern void fault_wait(const char *point);
extern void fault_define_setting(void);
#else
static inline bool
fault_hit(const char *point)
{
	return false;
}

static inline void
fault_threads(const char *point)
{
}

static inline void
fault_wait(const char *point)
{
}

static inline void
fault_define_setting(void)
{
}
#endif

#endif							/* AREAD_FAULT_H */
