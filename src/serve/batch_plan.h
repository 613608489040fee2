/*
 * batch_plan.h
 *	  Batch scans (batch_scan.h) into finished plans.
 */
#ifndef AREAD_SERVE_BATCH_PLAN_H
#define AREAD_SERVE_BATCH_PLAN_H

/* Hook into the executor's start; once for each server process. */
extern void batch_plan_init(void);

#endif							/* AREAD_SERVE_BATCH_PLAN_H */
