/*
 * batch_calls.c
 *	  Calls of aread_predict() in expressions of a finished plan, and how these
 *	  expressions look above the node that they belonged to.
 *
 * Calls are known by their functions, which predict_support noted when a query with
 * them was planned.  Only calls that are always made, whose arguments leave no
 * trace, are taken out of an expression.  Above the node an expression refers to
 * columns of the batch scan: calls first, then what else it needs of the node below.
 */
#include "postgres.h"

#include "serve/batch_calls.h"

#include "catalog/needed.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "serve/missing.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

/* A function that was planned in this session. */
typedef struct NotedFunction
{
	Oid			function;
	FeaturesKind kind;
	PGFunction	address;		/* an Oid may come to mean another function */
	uint32		hash;			/* of its row in pg_proc, as PlanInvalItem has it */
} NotedFunction;

static NotedFunction *noted = NULL;
static int	n_noted = 0;
static int	max_noted = 0;

static PGFunction
function_address(Oid function)
{
	FmgrInfo	info;

	fmgr_info(function, &info);
	return info.fn_addr;
}

/* Those of an extension that was dropped. */
static void
forget_dropped(void)
{
	int			n = 0;

	for (int i = 0; i < n_noted; i++)
		if (SearchSysCacheExists1(PROCOID, ObjectIdGetDatum(noted[i].function)))
			noted[n++] = noted[i];
	n_noted = n;
}

void
batch_scan_note(Oid function, FeaturesKind kind)
{
	for (int i = 0; i < n_noted; i++)
		if (noted[i].function == function)
			return;
	if (n_noted == max_noted)
		forget_dropped();
	if (n_noted == max_noted)
	{
		max_noted = Max(16, 2 * max_noted);
		noted = noted ? repalloc(noted, max_noted * sizeof(NotedFunction)) :
			MemoryContextAlloc(TopMemoryContext, max_noted * sizeof(NotedFunction));
	}
	noted[n_noted++] = (NotedFunction) {
		.function = function,.kind = kind,.address = function_address(function),
		.hash = GetSysCacheHashValue1(PROCOID, ObjectIdGetDatum(function))
	};
}

bool
calls_mentioned(const PlannedStmt *statement)
{
	ListCell   *lc;

	if (n_noted == 0)
		return false;
	foreach(lc, statement->invalItems)
	{
		const PlanInvalItem *item = lfirst(lc);

		if (item->cacheId != PROCOID)
			continue;
		for (int i = 0; i < n_noted; i++)
			if (noted[i].hash == item->hashValue)
				return true;
	}
	return false;
}

static const NotedFunction *
noted_function(const Node *node)
{
	Oid			function;

	if (!IsA(node, FuncExpr))
		return NULL;
	function = ((const FuncExpr *) node)->funcid;
	for (int i = 0; i < n_noted; i++)
		if (noted[i].function == function && function_address(function) == noted[i].address)
			return &noted[i];
	return NULL;
}

FeaturesKind
call_kind(const FuncExpr *call)
{
	return noted_function((const Node *) call)->kind;
}

List *
call_missing(const FuncExpr *call, FeaturesKind kind)
{
	const Const *model = linitial(call->args);
	bool		with_domain = list_length(call->args) < 3;
	TupleDesc	descriptor;

	if (kind != FEATURES_RECORD || !IsA(model, Const) || model->constisnull)
		return NIL;
	descriptor = get_expr_result_tupdesc(lsecond(call->args), true);
	if (!descriptor)
		return NIL;
	return missing_names(catalog_needed(TextDatumGetCString(model->constvalue), with_domain),
						 missing_columns(descriptor));
}

bool
contains_call(Node *node, void *context)
{
	if (!node)
		return false;
	if (noted_function(node))
		return true;
	return expression_tree_walker(node, contains_call, context);
}

typedef struct FoundCalls
{
	List	   *calls;
	Unseen	   *unseen;
} FoundCalls;

/* Nodes listed here evaluate all of their arguments, whatever their values. */
static bool
add_calls(Node *node, FoundCalls *found)
{
	if (!node)
		return false;
	if (noted_function(node) && !expression_tree_walker(node, contains_call, NULL) &&
		!leaves_trace(found->unseen, ((FuncExpr *) node)->args))
	{
		found->calls = list_append_unique(found->calls, node);
		return false;
	}
	switch (nodeTag(node))
	{
		case T_List:
		case T_TargetEntry:
		case T_FuncExpr:
		case T_OpExpr:
		case T_DistinctExpr:
		case T_NullIfExpr:
		case T_ScalarArrayOpExpr:
		case T_MinMaxExpr:
		case T_ArrayExpr:
		case T_RowExpr:
		case T_NamedArgExpr:
		case T_RelabelType:
		case T_CoerceViaIO:
		case T_CoerceToDomain:
		case T_CollateExpr:
		case T_FieldSelect:
		case T_NullTest:
		case T_BooleanTest:
			return expression_tree_walker(node, add_calls, found);
		default:
			return false;
	}
}

List *
calls_always_made(Node *expression, Unseen *unseen)
{
	FoundCalls	found = {.unseen = unseen};

	add_calls(expression, &found);
	return found.calls;
}

/* Arguments of an aggregate or window function that takes all rows; NULL: it is none. */
static List *
aggregate_arguments(Node *node)
{
	if (IsA(node, Aggref) && !((Aggref *) node)->aggfilter)
		return ((Aggref *) node)->args;
	if (IsA(node, WindowFunc) && !((WindowFunc *) node)->aggfilter)
		return ((WindowFunc *) node)->args;
	return NIL;
}

static bool
add_aggregate_calls(Node *node, FoundCalls *found)
{
	if (!node)
		return false;
	add_calls((Node *) aggregate_arguments(node), found);
	return expression_tree_walker(node, add_aggregate_calls, found);
}

List *
calls_in_aggregates(Node *expression, Unseen *unseen)
{
	FoundCalls	found = {.unseen = unseen};

	add_aggregate_calls(expression, &found);
	return found.calls;
}

/* The number of an equal member, from 1; 0: there is none. */
static int
member_number(const List *list, const Node *node)
{
	ListCell   *lc;

	foreach(lc, list)
		if (equal(lfirst(lc), node))
			return foreach_current_index(lc) + 1;
	return 0;
}

/* What only the node itself can compute. */
static bool
is_column(const Node *node)
{
	return IsA(node, Var) || IsA(node, Aggref) || IsA(node, WindowFunc) || IsA(node, GroupingFunc);
}

static Var *
column_var(Index varno, AttrNumber number, const Node *column)
{
	return makeVar(varno, number, exprType(column), exprTypmod(column), exprCollation(column), 0);
}

static Node *
rise_mutator(Node *node, Rise *rise)
{
	int			number;

	if (!node)
		return NULL;
	if (IsA(node, FuncExpr) && (number = member_number(rise->calls, node)) > 0)
		return (Node *) column_var(INDEX_VAR, number, node);
	if (!is_column(node))
		return expression_tree_mutator(node, rise_mutator, rise);
	rise->columns = list_append_unique(rise->columns, node);
	number = list_length(rise->calls) + member_number(rise->columns, node);
	return (Node *) column_var(INDEX_VAR, number, node);
}

Node *
rise_above(Rise *rise, Node *expression)
{
	return rise_mutator(expression, rise);
}

/* A call's arguments over the node below. */
static Node *
argument_mutator(Node *node, Rise *rise)
{
	if (!node)
		return NULL;
	if (!is_column(node))
		return expression_tree_mutator(node, argument_mutator, rise);
	rise->columns = list_append_unique(rise->columns, node);
	return (Node *) column_var(OUTER_VAR, member_number(rise->columns, node), node);
}

List *
rise_tuple(Rise *rise)
{
	List	   *tuple = NIL;
	ListCell   *lc;
	AttrNumber	number = 1;

	foreach(lc, rise->calls)
	{
		Node	   *call = rise->in_place ? copyObject(lfirst(lc)) : argument_mutator(lfirst(lc), rise);

		tuple = lappend(tuple, makeTargetEntry((Expr *) call, number++, NULL, false));
	}
	foreach(lc, rise->columns)
	{
		Var		   *var = column_var(OUTER_VAR, foreach_current_index(lc) + 1, lfirst(lc));

		tuple = lappend(tuple, makeTargetEntry((Expr *) var, number++, NULL, false));
	}
	return tuple;
}

List *
rise_below(const Rise *rise)
{
	List	   *targets = NIL;
	ListCell   *lc;

	foreach(lc, rise->columns)
		targets = lappend(targets, makeTargetEntry(copyObject(lfirst(lc)),
												   foreach_current_index(lc) + 1, NULL, false));
	return targets;
}

typedef struct AggregateCalls
{
	List	   *calls;
	AttrNumber	first;
	bool		inside;			/* an aggregate's arguments */
} AggregateCalls;

static Node *
aggregate_mutator(Node *node, AggregateCalls *context)
{
	AggregateCalls inner = *context;
	int			number;

	if (!node)
		return NULL;
	if (context->inside && IsA(node, FuncExpr) &&
		(number = member_number(context->calls, node)) > 0)
		return (Node *) column_var(OUTER_VAR, context->first + number - 1, node);
	inner.inside = context->inside || aggregate_arguments(node);
	return expression_tree_mutator(node, aggregate_mutator, &inner);
}

Node *
replace_in_aggregates(Node *expression, List *calls, AttrNumber first)
{
	AggregateCalls context = {.calls = calls,.first = first};

	return aggregate_mutator(expression, &context);
}
