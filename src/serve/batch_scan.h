/*
 * batch_scan.h
 *	  Calls of aread_predict() in a query, computed for many rows at once by a
 *	  node of its own: "Custom Scan (aread_predict)".
 *
 * When a query starts (batch_plan.c), a node whose rows need such calls gets
 * the batch scan above it.  The node below then returns the columns that the
 * calls and the other expressions are made of (batch_calls.c); the batch scan
 * (batch_scan.c) reads some of its rows ahead, scores them, and computes
 * everything else row by row as the node below would have done.  Rows that are
 * read and then not asked for must leave no trace (batch_unseen.c).  The files
 * stand on each other in the order unseen, calls, scan, plan.
 *
 * What a row might not have come to stays where it is: calls under CASE, AND,
 * OR, COALESCE and the like.
 */
#ifndef AREAD_SERVE_BATCH_SCAN_H
#define AREAD_SERVE_BATCH_SCAN_H

#include "serve/batch_calls.h"

/* Make the node known; once for each server process. */
extern void batch_scan_init(void);

/*
 * The batch scan of some calls above a node, without target list and quals;
 * all: it will be asked for all rows.
 */
extern CustomScan *batch_scan_make(Plan *below, const Plan *like, Rise *rise, bool all);

#endif							/* AREAD_SERVE_BATCH_SCAN_H */
