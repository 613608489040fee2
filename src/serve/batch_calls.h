/*
 * batch_calls.h
 *	  Calls of aread_predict() in expressions of a finished plan, and how these
 *	  expressions look above the node that they belonged to.
 */
#ifndef AREAD_SERVE_BATCH_CALLS_H
#define AREAD_SERVE_BATCH_CALLS_H

#include "serve/batch_unseen.h"
#include "serve/call.h"

/* A function whose calls can be batched, told by its planner support function. */
extern void batch_scan_note(Oid function, FeaturesKind kind);
/* Does the statement depend on a function that was noted? */
extern bool calls_mentioned(const PlannedStmt *statement);

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

#endif							/* AREAD_SERVE_BATCH_CALLS_H */
