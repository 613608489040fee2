/*
 * batch_plan.c
 *	  Where a plan gets batch scans: when the executor starts, in a copy.
 *
 * Not by the planner's hook: the library is loaded by the planner support
 * function of aread_predict(), when the first plan is already under way.
 *
 * A copy has a memory context of its own, which goes when the executor ends:
 * the query's descriptor may lie in the memory of a function that is called a
 * million times.  After an error it goes with the descriptor's context.
 */
#include "postgres.h"

#include "serve/batch_plan.h"

#include <math.h>

#include "access/parallel.h"
#include "executor/executor.h"
#include "lib/ilist.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "serve/batch_scan.h"
#include "settings.h"
#include "utils/memutils.h"

/* For fewer rows than this the planner expects a batch scan is not worth a copy of the plan. */
#define FEW_ROWS 10

/* What is asked of a node by those above it. */
typedef struct Demand
{
	bool		moves;			/* it may be asked to go backwards, or back to a mark */
	bool		all;			/* it will be asked for all rows */
	double		rows;			/* no more than these are wanted */
	Plan	  **limit;			/* the LIMIT just above it */
} Demand;

/* The plan of a query that is running. */
typedef struct PlanCopy
{
	dlist_node	node;
	MemoryContext context;		/* of all of it, and of this */
	MemoryContextCallback end;
	QueryDesc  *query;
	PlannedStmt *original;
} PlanCopy;

static dlist_head copies = DLIST_STATIC_INIT(copies);	/* started last first */
static ExecutorStart_hook_type next_start = NULL;
static ExecutorEnd_hook_type next_end = NULL;

/* A statement that gets batch scans. */
typedef struct Planning
{
	int			last_id;		/* of a node */
	Unseen		unseen;
} Planning;

static void add_scans(Plan **slot, Demand demand, Planning *planning);

static Demand
child_demand(const Plan *plan, bool inner, Demand demand)
{
	demand.limit = NULL;
	switch (nodeTag(plan))
	{
		case T_Limit:
			demand.rows = Min(demand.rows, plan->plan_rows);
			demand.all = false;
			return demand;
		case T_Result:
		case T_SubqueryScan:
			if (plan->qual)
				demand.rows = INFINITY;
			return demand;
		case T_Append:
		case T_MergeAppend:
		case T_LockRows:
			return demand;
		case T_Sort:
		case T_Hash:
		case T_ModifyTable:
			return (Demand) {.all = true,.rows = INFINITY};
		case T_Agg:
			/* groups that come in order are read one by one */
			if (((const Agg *) plan)->aggstrategy == AGG_PLAIN ||
				((const Agg *) plan)->aggstrategy == AGG_HASHED)
				demand.all = true;
			return (Demand) {.all = demand.all,.rows = INFINITY};
		case T_IncrementalSort:
		case T_Material:
			return (Demand) {.all = demand.all,.rows = INFINITY};
		default:
			if (IsA(plan, MergeJoin) && inner)
				demand.moves = true;
			demand.all = false;
			demand.rows = INFINITY;
			return demand;
	}
}

/* Does anybody want enough rows?  A look at the plan before it is copied. */
static bool
wants_rows(const Plan *plan, Demand demand)
{
	ListCell   *lc;

	if (!plan)
		return false;
	if (Min(plan->plan_rows, plan->qual ? INFINITY : demand.rows) >= FEW_ROWS)
		return true;
	foreach(lc, other_children(plan))
		if (wants_rows(lfirst(lc), child_demand(plan, false, demand)))
			return true;
	return wants_rows(outerPlan(plan), child_demand(plan, false, demand)) ||
		wants_rows(innerPlan(plan), child_demand(plan, true, demand));
}

/* A batch scan above *below that gives what "like" gave; "like" is *below or below it. */
static CustomScan *
scan_above(Plan *below, Plan *like, List *quals, List *calls, bool all, Planning *planning)
{
	Rise		rise = {.calls = calls};
	List	   *targets = (List *) rise_above(&rise, (Node *) like->targetlist);
	CustomScan *scan;

	quals = (List *) rise_above(&rise, (Node *) quals);
	scan = batch_scan_make(below, like, &rise, all);
	scan->scan.plan.plan_node_id = ++planning->last_id;
	scan->scan.plan.targetlist = targets;
	scan->scan.plan.qual = quals;
	/* they are computed once, when they are needed first, wherever they hang */
	scan->scan.plan.initPlan = like->initPlan;
	like->initPlan = NIL;
	like->targetlist = rise_below(&rise);
	return scan;
}

/* The quals from the first one on that always makes a call; its calls. */
static List *
take_quals(List **quals, List **calls, Unseen *unseen)
{
	ListCell   *lc;

	foreach(lc, *quals)
	{
		int			first = foreach_current_index(lc);
		List	   *taken;

		*calls = calls_always_made(lfirst(lc), unseen);
		if (*calls == NIL)
			continue;
		taken = list_copy_tail(*quals, first);
		*quals = list_truncate(list_copy(*quals), first);
		return taken;
	}
	return NIL;
}

/* The quals that can be moved above a node, as above. */
static List *
take_node_quals(Plan *plan, List **calls, Unseen *unseen)
{
	List	   *taken;

	if (IsA(plan, NestLoop) || IsA(plan, MergeJoin) || IsA(plan, HashJoin))
	{
		Join	   *join = (Join *) plan;

		/* without another row to fall back on nothing depends on what the join itself drops */
		if (join->jointype == JOIN_INNER && !join->inner_unique &&
			(taken = take_quals(&join->joinqual, calls, unseen)) != NIL)
		{
			taken = list_concat(taken, plan->qual);
			plan->qual = NIL;
			return taken;
		}
	}
	return take_quals(&plan->qual, calls, unseen);
}

/* What a node gives as target list of one above it that changes nothing. */
static List *
targets_of(const Plan *plan)
{
	List	   *targets = NIL;
	ListCell   *lc;

	foreach(lc, plan->targetlist)
	{
		TargetEntry *target = flatCopyTargetEntry(lfirst(lc));

		target->expr = (Expr *) makeVarFromTargetEntry(OUTER_VAR, lfirst(lc));
		targets = lappend(targets, target);
	}
	return targets;
}

/* Does a node make calls at all?  A quick look. */
static bool
makes_calls(const Plan *plan)
{
	bool		joins = IsA(plan, NestLoop) || IsA(plan, MergeJoin) || IsA(plan, HashJoin);

	return contains_call((Node *) plan->targetlist, NULL) ||
		contains_call((Node *) plan->qual, NULL) ||
		(joins && contains_call((Node *) ((const Join *) plan)->joinqual, NULL));
}

/* Rows that an OFFSET leaves out are computed all the same: would one miss it? */
static bool
skips_traces(Planning *planning, const Plan *limit, const Plan *plan)
{
	return ((const Limit *) limit)->limitOffset &&
		leaves_trace(&planning->unseen, plan->targetlist);
}

/*
 * Each qual that makes calls gets a scan of its own, so that rows that it drops
 * are not scored for the next; then the target list.
 */
static void
scan_own_calls(Plan **slot, Demand demand, Planning *planning)
{
	Plan	   *plan = *slot;
	List	   *calls = NIL;
	List	   *quals;

	if (plan->plan_rows < FEW_ROWS || plan->async_capable || !makes_calls(plan) ||
		!reads_unseen_below(&planning->unseen, plan))
		return;
	while ((quals = take_node_quals(plan, &calls, &planning->unseen)) != NIL)
		*slot = plan = (Plan *) scan_above(plan, plan, quals, calls, demand.all, planning);
	calls = calls_always_made((Node *) plan->targetlist, &planning->unseen);
	if (calls == NIL || Min(plan->plan_rows, demand.rows) < FEW_ROWS)
		return;
	if (demand.limit && !skips_traces(planning, *demand.limit, plan))
	{
		/* above the LIMIT nothing is read that is not wanted, and a sort below it stays bounded */
		Plan	   *limit = *demand.limit;
		CustomScan *scan = scan_above(limit, plan, NIL, calls, true, planning);

		limit->targetlist = targets_of(plan);
		scan->scan.plan.plan_rows = limit->plan_rows;
		*demand.limit = (Plan *) scan;
		return;
	}
	*slot = (Plan *) scan_above(plan, plan, NIL, calls, demand.all, planning);
}

/* Arguments of aggregates and window functions are columns of the node below. */
static void
scan_aggregated_calls(Plan *plan, Demand demand, Planning *planning)
{
	Plan	   *below = outerPlan(plan);
	List	   *both = list_make2(plan->targetlist, plan->qual);
	Rise		rise = {.calls = calls_in_aggregates((Node *) both, &planning->unseen),.in_place = true};
	int			n_calls = list_length(rise.calls);
	CustomScan *scan;
	List	   *columns = NIL;
	ListCell   *lc;

	demand = child_demand(plan, false, demand);
	if (n_calls == 0 || below->plan_rows < FEW_ROWS || below->async_capable ||
		!reads_unseen(&planning->unseen, below))
		return;
	foreach(lc, below->targetlist)
	{
		TargetEntry *target = lfirst(lc);

		rise.columns = lappend(rise.columns, makeVarFromTargetEntry(OUTER_VAR, target));
		columns = lappend(columns, flatCopyTargetEntry(target));
		((TargetEntry *) llast(columns))->expr = (Expr *) makeVarFromTargetEntry(INDEX_VAR, target);
		((Var *) ((TargetEntry *) llast(columns))->expr)->varattno += n_calls;
	}
	foreach(lc, rise.calls)
	{
		Var		   *var = makeVar(INDEX_VAR, foreach_current_index(lc) + 1, exprType(lfirst(lc)), -1,
								  InvalidOid, 0);

		columns = lappend(columns, makeTargetEntry((Expr *) var, list_length(columns) + 1, NULL, false));
	}
	scan = batch_scan_make(below, below, &rise, demand.all);
	scan->scan.plan.plan_node_id = ++planning->last_id;
	scan->scan.plan.targetlist = columns;
	outerPlan(plan) = (Plan *) scan;
	both = (List *) replace_in_aggregates((Node *) both, rise.calls, list_length(columns) - n_calls + 1);
	plan->targetlist = linitial(both);
	plan->qual = lsecond(both);
}

static void
add_in_list(List *plans, Demand demand, Planning *planning)
{
	ListCell   *lc;

	foreach(lc, plans)
		add_scans((Plan **) &lfirst(lc), demand, planning);
}

static void
add_below(Plan **slot, Demand demand, Planning *planning)
{
	Plan	   *plan = *slot;
	Demand		below = child_demand(plan, false, demand);

	if (IsA(plan, Limit) && ((Limit *) plan)->limitOption == LIMIT_OPTION_COUNT)
		below.limit = slot;
	if (IsA(plan, Append))
		add_in_list(((Append *) plan)->appendplans, below, planning);
	if (IsA(plan, MergeAppend))
		add_in_list(((MergeAppend *) plan)->mergeplans, below, planning);
	if (IsA(plan, SubqueryScan))
		add_scans(&((SubqueryScan *) plan)->subplan, below, planning);
	if (IsA(plan, CustomScan) || IsA(plan, ForeignScan))
		return;
	if (outerPlan(plan))
		add_scans(&outerPlan(plan), below, planning);
	if (innerPlan(plan))
		add_scans(&innerPlan(plan), child_demand(plan, true, demand), planning);
}

/* Scans for a node and all below it; the node in *slot may become another. */
static void
add_scans(Plan **slot, Demand demand, Planning *planning)
{
	Plan	   *plan = *slot;

	check_stack_depth();
	add_below(slot, demand, planning);
	if ((IsA(plan, Agg) || IsA(plan, WindowAgg)) && outerPlan(plan))
		scan_aggregated_calls(plan, demand, planning);
	if (demand.moves || IsA(plan, Limit) || IsA(plan, ProjectSet) || IsA(plan, ModifyTable) ||
		(IsA(plan, CustomScan) && !is_batch_scan(plan)))
		return;
	/* its run condition refers to its own targets */
	if (IsA(plan, WindowAgg) && ((WindowAgg *) plan)->runCondition)
		return;
	scan_own_calls(slot, demand, planning);
}

/* The largest number of a node; batch scans get numbers beyond it. */
static void
raise_last_id(const Plan *plan, Planning *planning)
{
	ListCell   *lc;

	if (!plan)
		return;
	planning->last_id = Max(planning->last_id, plan->plan_node_id);
	foreach(lc, other_children(plan))
		raise_last_id(lfirst(lc), planning);
	raise_last_id(outerPlan(plan), planning);
	raise_last_id(innerPlan(plan), planning);
}

/* A statement with batch scans; the original if it gets none. */
static PlannedStmt *
batch_statement(PlannedStmt *statement, int eflags)
{
	PlannedStmt *copy = makeNode(PlannedStmt);
	Demand		top = {.moves = (eflags & (EXEC_FLAG_BACKWARD | EXEC_FLAG_MARK)) != 0,.rows = INFINITY};
	Planning	planning = {.last_id = 0};
	int			first_id;
	ListCell   *lc;

	memcpy(copy, statement, sizeof(PlannedStmt));
	copy->planTree = copyObject(statement->planTree);
	copy->subplans = copyObject(statement->subplans);
	raise_last_id(copy->planTree, &planning);
	foreach(lc, copy->subplans)
		raise_last_id(lfirst(lc), &planning);
	first_id = planning.last_id;
	unseen_init(&planning.unseen, statement);
	add_scans(&copy->planTree, top, &planning);
	foreach(lc, copy->subplans)
		if (lfirst(lc))
			add_scans((Plan **) &lfirst(lc), (Demand) {.rows = INFINITY}, &planning);
	return planning.last_id > first_id ? copy : statement;
}

static bool
any_rows_wanted(const PlannedStmt *statement)
{
	Demand		top = {.rows = INFINITY};
	ListCell   *lc;

	if (wants_rows(statement->planTree, top))
		return true;
	foreach(lc, statement->subplans)
		if (wants_rows(lfirst(lc), top))
			return true;
	return false;
}

static void
forget_copy(void *copy)
{
	dlist_delete(&((PlanCopy *) copy)->node);
}

/* The query's plan, from now on a copy with batch scans; the original if it gets none. */
static void
copy_plan(QueryDesc *query, int eflags)
{
	PlannedStmt *original = query->plannedstmt;
	MemoryContext context = AllocSetContextCreate(GetMemoryChunkContext(query), "aread plan",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	PlannedStmt *statement = batch_statement(original, eflags);
	PlanCopy   *copy;

	if (statement == original)
	{
		MemoryContextSwitchTo(old);
		MemoryContextDelete(context);
		return;
	}
	copy = palloc0(sizeof(PlanCopy));
	*copy = (PlanCopy) {
		.context = context,.query = query,.original = original,
		.end = {.func = forget_copy,.arg = copy}
	};
	MemoryContextRegisterResetCallback(context, &copy->end);
	dlist_push_head(&copies, &copy->node);
	query->plannedstmt = statement;
	MemoryContextSwitchTo(old);
}

static void
start_executor(QueryDesc *query, int eflags)
{
	if (setting_batch_scan && !IsParallelWorker() && calls_mentioned(query->plannedstmt) &&
		any_rows_wanted(query->plannedstmt))
		copy_plan(query, eflags);
	if (next_start)
		next_start(query, eflags);
	else
		standard_ExecutorStart(query, eflags);
}

static void
end_executor(QueryDesc *query)
{
	dlist_iter	iter;

	if (next_end)
		next_end(query);
	else
		standard_ExecutorEnd(query);
	dlist_foreach(iter, &copies)
	{
		PlanCopy   *copy = dlist_container(PlanCopy, node, iter.cur);

		if (copy->query != query)
			continue;
		query->plannedstmt = copy->original;
		MemoryContextDelete(copy->context);
		break;
	}
}

void
batch_plan_init(void)
{
	next_start = ExecutorStart_hook;
	ExecutorStart_hook = start_executor;
	next_end = ExecutorEnd_hook;
	ExecutorEnd_hook = end_executor;
}
