/*
 * batch_unseen.c
 *	  What a plan does for rows that a batch scan reads and nobody asked for.
 *
 * They must leave no trace: below a batch scan nothing is computed by volatile
 * functions, be it in a filter, a join's conditions, a table function or the
 * plan of a subquery.  Kinds of nodes that are not listed here leave one.
 */
#include "postgres.h"

#include "serve/batch_unseen.h"

#include "nodes/extensible.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"

/* The plan of a subquery: not looked at yet, or what was found. */
enum
{
	UNKNOWN, NO_TRACE, TRACE
};

bool
is_batch_scan(const Plan *plan)
{
	return IsA(plan, CustomScan) &&
		strcmp(((const CustomScan *) plan)->methods->CustomName, BATCH_SCAN_NAME) == 0;
}

List *
other_children(const Plan *plan)
{
	switch (nodeTag(plan))
	{
		case T_Append:
			return ((const Append *) plan)->appendplans;
		case T_MergeAppend:
			return ((const MergeAppend *) plan)->mergeplans;
		case T_BitmapAnd:
			return ((const BitmapAnd *) plan)->bitmapplans;
		case T_BitmapOr:
			return ((const BitmapOr *) plan)->bitmapplans;
		case T_SubqueryScan:
			return list_make1(((const SubqueryScan *) plan)->subplan);
		case T_CustomScan:
			return ((const CustomScan *) plan)->custom_plans;
		default:
			return NIL;
	}
}

static bool subplan_traces(Unseen *unseen, int number);

static bool
subplan_walker(Node *node, Unseen *unseen)
{
	if (!node)
		return false;
	if (IsA(node, SubPlan) && subplan_traces(unseen, ((SubPlan *) node)->plan_id))
		return true;
	if (IsA(node, Param) && ((Param *) node)->paramkind == PARAM_EXEC &&
		bms_is_member(((Param *) node)->paramid, unseen->params))
		return true;
	return expression_tree_walker(node, subplan_walker, unseen);
}

bool
leaves_trace(Unseen *unseen, const void *expression)
{
	return contain_volatile_functions((Node *) expression) ||
		subplan_walker((Node *) expression, unseen);
}

static List *
parameters_of(const NestLoop *join)
{
	List	   *values = NIL;
	ListCell   *lc;

	foreach(lc, join->nestParams)
		values = lappend(values, ((const NestLoopParam *) lfirst(lc))->paramval);
	return values;
}

static List *
join_expressions(const Plan *plan)
{
	const Join *join = (const Join *) plan;

	if (IsA(plan, NestLoop))
		return list_make2(join->joinqual, parameters_of((const NestLoop *) plan));
	if (IsA(plan, MergeJoin))
		return list_make2(join->joinqual, ((const MergeJoin *) plan)->mergeclauses);
	return list_make3(join->joinqual, ((const HashJoin *) plan)->hashclauses,
					  ((const HashJoin *) plan)->hashkeys);
}

static List *
index_expressions(const Plan *plan)
{
	const IndexScan *scan = (const IndexScan *) plan;
	const IndexOnlyScan *only = (const IndexOnlyScan *) plan;

	if (IsA(plan, IndexScan))
		return list_make4(scan->indexqual, scan->indexqualorig, scan->indexorderby,
						  scan->indexorderbyorig);
	return list_make3(only->indexqual, only->recheckqual, only->indexorderby);
}

/* Nodes with a target list and a filter and nothing else to compute. */
static bool
is_plain(const Plan *plan)
{
	switch (nodeTag(plan))
	{
		case T_ProjectSet:
		case T_Append:
		case T_MergeAppend:
		case T_RecursiveUnion:
		case T_BitmapAnd:
		case T_BitmapOr:
		case T_SeqScan:
		case T_SubqueryScan:
		case T_CteScan:
		case T_NamedTuplestoreScan:
		case T_WorkTableScan:
		case T_Material:
		case T_Sort:
		case T_IncrementalSort:
		case T_Group:
		case T_Agg:
		case T_Unique:
		case T_Gather:
		case T_GatherMerge:
		case T_SetOp:
			return true;
		default:
			return false;
	}
}

/* What a scan computes beside target list and filter; NIL: it is of no kind that is known. */
static List *
scan_expressions(const Plan *plan)
{
	const CustomScan *custom = (const CustomScan *) plan;

	switch (nodeTag(plan))
	{
		case T_SampleScan:
			return list_make1(((const SampleScan *) plan)->tablesample);
		case T_IndexScan:
		case T_IndexOnlyScan:
			return index_expressions(plan);
		case T_BitmapIndexScan:
			return list_make2(((const BitmapIndexScan *) plan)->indexqual,
							  ((const BitmapIndexScan *) plan)->indexqualorig);
		case T_BitmapHeapScan:
			return list_make1(((const BitmapHeapScan *) plan)->bitmapqualorig);
		case T_TidScan:
			return list_make1(((const TidScan *) plan)->tidquals);
		case T_TidRangeScan:
			return list_make1(((const TidRangeScan *) plan)->tidrangequals);
		case T_FunctionScan:
			return list_make1(((const FunctionScan *) plan)->functions);
		case T_ValuesScan:
			return list_make1(((const ValuesScan *) plan)->values_lists);
		case T_TableFuncScan:
			return list_make1(((const TableFuncScan *) plan)->tablefunc);
		case T_ForeignScan:
			return list_make2(((const ForeignScan *) plan)->fdw_exprs,
							  ((const ForeignScan *) plan)->fdw_recheck_quals);
		case T_CustomScan:
			return list_make2(custom->custom_exprs,
							  is_batch_scan(plan) ? custom->custom_scan_tlist : NIL);
		default:
			return NIL;
	}
}

/* The same of all nodes that are known and not plain. */
static List *
more_expressions(const Plan *plan)
{
	const WindowAgg *window = (const WindowAgg *) plan;
	const Limit *limit = (const Limit *) plan;

	switch (nodeTag(plan))
	{
		case T_Result:
			return list_make1(((const Result *) plan)->resconstantqual);
		case T_NestLoop:
		case T_MergeJoin:
		case T_HashJoin:
			return join_expressions(plan);
		case T_Memoize:
			return list_make1(((const Memoize *) plan)->param_exprs);
		case T_Hash:
			return list_make1(((const Hash *) plan)->hashkeys);
		case T_WindowAgg:
			return list_make3(window->startOffset, window->endOffset, window->runCondition);
		case T_Limit:
			return list_make2(limit->limitOffset, limit->limitCount);
		default:
			return scan_expressions(plan);
	}
}

/*
 * own: what the node computes for its rows is no matter; asked: its first row
 * is asked for with the first one of the batch scan, and it is run once.
 */
static bool
node_reads_unseen(Unseen *unseen, const Plan *plan, bool own, bool asked)
{
	List	   *expressions;
	ListCell   *lc;

	if (!plan)
		return true;
	/* with its first row it has read all */
	if (IsA(plan, Sort) && asked)
		return true;
	expressions = is_plain(plan) ? NIL : more_expressions(plan);
	if ((expressions == NIL && !is_plain(plan)) || leaves_trace(unseen, expressions) ||
		leaves_trace(unseen, plan->qual) || (!own && leaves_trace(unseen, plan->targetlist)))
		return false;
	if (IsA(plan, CteScan) && subplan_traces(unseen, ((const CteScan *) plan)->ctePlanId))
		return false;
	foreach(lc, other_children(plan))
		if (!node_reads_unseen(unseen, lfirst(lc), false, asked && IsA(plan, SubqueryScan)))
			return false;
	return node_reads_unseen(unseen, outerPlan(plan), false, asked) &&
		node_reads_unseen(unseen, innerPlan(plan), false, false);
}

/* A subquery may be run for each row. */
static bool
subplan_traces(Unseen *unseen, int number)
{
	char	   *known = &unseen->subplans[number - 1];

	if (*known == UNKNOWN)
		*known = node_reads_unseen(unseen, list_nth(unseen->statement->subplans, number - 1),
								   false, false) ? NO_TRACE : TRACE;
	return *known == TRACE;
}

bool
reads_unseen(Unseen *unseen, const Plan *plan)
{
	return node_reads_unseen(unseen, plan, false, true);
}

bool
reads_unseen_below(Unseen *unseen, const Plan *plan)
{
	/* aggregates and window functions stay where they are */
	return node_reads_unseen(unseen, plan, !IsA(plan, Agg) && !IsA(plan, WindowAgg), true);
}

/* Parameters that are computed, once, by a subquery that leaves a trace. */
static void
add_parameters(Unseen *unseen, const Plan *plan)
{
	ListCell   *lc;

	if (!plan)
		return;
	foreach(lc, plan->initPlan)
	{
		const SubPlan *query = lfirst(lc);
		ListCell   *parameter;

		if (!subplan_traces(unseen, query->plan_id))
			continue;
		foreach(parameter, query->setParam)
			unseen->params = bms_add_member(unseen->params, lfirst_int(parameter));
	}
	foreach(lc, other_children(plan))
		add_parameters(unseen, lfirst(lc));
	add_parameters(unseen, outerPlan(plan));
	add_parameters(unseen, innerPlan(plan));
}

void
unseen_init(Unseen *unseen, const PlannedStmt *statement)
{
	int			n_subplans = list_length(statement->subplans);
	int			n_params;
	ListCell   *lc;

	*unseen = (Unseen) {.statement = statement,.subplans = palloc(n_subplans + 1)};
	if (n_subplans == 0)
		return;
	/* what refers to a parameter was perhaps looked at before that was found */
	do
	{
		n_params = bms_num_members(unseen->params);
		memset(unseen->subplans, UNKNOWN, n_subplans);
		add_parameters(unseen, statement->planTree);
		foreach(lc, statement->subplans)
			add_parameters(unseen, lfirst(lc));
	} while (bms_num_members(unseen->params) > n_params);
}
