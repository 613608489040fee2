/*
 * batch_unseen.h
 *	  What a plan does for rows that a batch scan reads and nobody asked for.
 */
#ifndef AREAD_SERVE_BATCH_UNSEEN_H
#define AREAD_SERVE_BATCH_UNSEEN_H

#include "postgres.h"
#include "nodes/plannodes.h"

/* By this name a batch scan is known among custom scans. */
#define BATCH_SCAN_NAME "aread_predict"

extern bool is_batch_scan(const Plan *plan);

/* What a statement's subqueries leave behind. */
typedef struct Unseen
{
	const PlannedStmt *statement;
	char	   *subplans;		/* [of the statement] as far as they were looked at */
	Bitmapset  *params;			/* computed by subqueries that leave a trace */
} Unseen;

extern void unseen_init(Unseen *unseen, const PlannedStmt *statement);
/* Can one tell afterwards that an expression, or a list of them, was computed? */
extern bool leaves_trace(Unseen *unseen, const void *expression);
/* Can rows of a plan be read that nobody asked for, and nobody can tell? */
extern bool reads_unseen(Unseen *unseen, const Plan *plan);
/* The same where the target list moves to a batch scan above. */
extern bool reads_unseen_below(Unseen *unseen, const Plan *plan);
/* A node's children but for the outer and the inner one; of other extensions' nodes, too. */
extern List *other_children(const Plan *plan);

#endif							/* AREAD_SERVE_BATCH_UNSEEN_H */
