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
 * read and then not asked for must leave no trace (batch_unseen.c).
 *
 * What a row might not have come to stays where it is: calls under CASE, AND,
 * OR, COALESCE and the like.
 */
#ifndef AREAD_SERVE_BATCH_SCAN_H
#define AREAD_SERVE_BATCH_SCAN_H

#include "nodes/plannodes.h"
#include "serve/call.h"

/* A function whose calls can be batched, told by its planner support function. */
extern void batch_scan_note(Oid function, FeaturesKind kind);
/* Hook and node; once for each server process. */
extern void batch_plan_init(void);
extern void batch_scan_init(void);

/* Does the statement depend on a function that was noted? */
extern bool calls_mentioned(const PlannedStmt *statement);

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

/* Is there a call in the expression?  As a walker; context is not used. */
extern bool contains_call(Node *node, void *context);
/* Calls, as FuncExprs, each once, that evaluating the expression always comes to. */
extern List *calls_always_made(Node *expression, Unseen *unseen);
/* The same of the arguments of its aggregates and window functions. */
extern List *calls_in_aggregates(Node *expression, Unseen *unseen);
extern FeaturesKind call_kind(const FuncExpr *call);
/* Features that a call lacks, as char *, as far as the plan says which model and what row. */
extern List *call_missing(const FuncExpr *call, FeaturesKind kind);

/* How expressions change that move to the batch scan above a node. */
typedef struct Rise
{
	List	   *calls;			/* its columns 1 .. */
	List	   *columns;		/* those that follow: what it needs of the node below */
	bool		in_place;		/* the calls are over the node below as they are */
} Rise;

/* An expression of the node, above it; columns gain what it needs. */
extern Node *rise_above(Rise *rise, Node *expression);
/* Columns of the batch scan's own tuple: calls and columns, over the node below. */
extern List *rise_tuple(Rise *rise);
/* Columns as a target list of the node below. */
extern List *rise_below(const Rise *rise);
/*
 * Calls in the arguments of aggregates and window functions become columns of
 * the node below, from number "first" on.
 */
extern Node *replace_in_aggregates(Node *expression, List *calls, AttrNumber first);

/*
 * The batch scan of some calls above a node, without target list and quals;
 * all: it will be asked for all rows.
 */
extern CustomScan *batch_scan_make(Plan *below, const Plan *like, Rise *rise, bool all);
extern bool is_batch_scan(const Plan *plan);

#endif							/* AREAD_SERVE_BATCH_SCAN_H */
