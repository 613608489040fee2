/*
 * batch_scan.c
 *	  The executor's node that scores many rows of the node below at once.
 *
 * A batch's rows wait as tuples of the scan: scores first, then the columns of
 * the node below.  Unless all rows will be wanted, batches grow, so that a LIMIT
 * pays for few rows more than it wants.  What rows keep until they are returned
 * is bounded by work_mem, but for the row that goes beyond it.
 */
#include "postgres.h"

#include "serve/batch_scan.h"

#include "catalog/objectaccess.h"
#include "catalog/pg_type.h"
#include "commands/explain.h"
#if PG_VERSION_NUM >= 180000
#include "commands/explain_format.h"
#endif
#include "compat.h"
#include "executor/executor.h"
#include "host.h"
#include "miscadmin.h"
#include "nodes/extensible.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "serve/missing.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#define MAX_ROWS 256			/* more gain little */

typedef struct ScanCall
{
	ExprState  *model;
	ExprState  *features;
	ExprState  *domain;			/* NULL: among the features */
	ExprState  *history;		/* NULL: none was passed */
	FeaturesKind kind;
	Oid			domain_type;
	List	   *missing;		/* features that the row lacks, as far as the plan tells; for EXPLAIN */
	CallSite   *site;			/* with the rows of the batch that wait for their score */
} ScanCall;

typedef struct BatchScan
{
	CustomScanState css;		/* must be first */
	int			n_calls;
	ScanCall   *calls;
	ExprContext *input;			/* of their arguments */
	int			n_columns;		/* of the scan's tuple */
	int			n_below;		/* columns of the node below up to the last one kept */
	bool	   *kept;			/* [n_columns] is it asked for above? */
	MemoryContext context;		/* of the batch's values */
	Size		list_bytes;		/* of the batch's lists */
	Datum	   *values;			/* [MAX_ROWS, n_columns] */
	bool	   *nulls;
	int			n_rows;
	int			next;			/* row to return */
	int			first_size;
	int			size;			/* of the next batch */
	bool		ended;			/* no more rows below */
	List	   *models;			/* names and versions that scored */
} BatchScan;

static Node *create_state(CustomScan *plan);
static void begin_scan(CustomScanState *node, EState *estate, int eflags);
static TupleTableSlot *next_row(CustomScanState *node);
static void end_scan(CustomScanState *node);
static void rescan(CustomScanState *node);
static void explain_scan(CustomScanState *node, List *ancestors, ExplainState *es);

static const CustomScanMethods scan_methods = {
	.CustomName = BATCH_SCAN_NAME,
	.CreateCustomScanState = create_state
};

static const CustomExecMethods exec_methods = {
	.CustomName = BATCH_SCAN_NAME,
	.BeginCustomScan = begin_scan,
	.ExecCustomScan = next_row,
	.EndCustomScan = end_scan,
	.ReScanCustomScan = rescan,
	.ExplainCustomScan = explain_scan
};

void
batch_scan_init(void)
{
	RegisterCustomScanMethods(&scan_methods);
}

CustomScan *
batch_scan_make(Plan *below, const Plan *like, Rise *rise, bool all)
{
	CustomScan *scan = makeNode(CustomScan);
	Plan	   *plan = &scan->scan.plan;
	List	   *kinds = NIL;
	ListCell   *lc;

	memcpy(plan, like, sizeof(Plan));
	plan->type = T_CustomScan;
	plan->parallel_aware = false;
	plan->targetlist = plan->qual = plan->initPlan = NIL;
	plan->lefttree = below;
	plan->righttree = NULL;
	plan->extParam = bms_copy(below->extParam);
	plan->allParam = bms_copy(below->allParam);
	scan->custom_scan_tlist = rise_tuple(rise);
	/* what functions are may not be known where the plan is run */
	foreach(lc, rise->calls)
		kinds = lappend_int(kinds, call_kind(lfirst(lc)));
	scan->custom_private = list_make2(kinds, makeBoolean(all));
	scan->methods = &scan_methods;
	return scan;
}

static Node *
create_state(CustomScan *plan)
{
	BatchScan  *scan = palloc0(sizeof(BatchScan));

	NodeSetTag(scan, T_CustomScanState);
	scan->css.methods = &exec_methods;
	return (Node *) scan;
}

static void
check_execute(Oid function)
{
	AclResult	result = function_aclcheck(function, GetUserId());

	if (result != ACLCHECK_OK)
		aclcheck_error(result, OBJECT_FUNCTION, get_func_name(function));
	InvokeFunctionExecuteHook(function);
}

static void
begin_call(BatchScan *scan, ScanCall *call, FuncExpr *function, FeaturesKind kind, bool explain)
{
	PlanState  *parent = &scan->css.ss.ps;

	check_execute(function->funcid);
	call->kind = kind;
	call->model = ExecInitExpr(linitial(function->args), parent);
	call->features = ExecInitExpr(lsecond(function->args), parent);
	if (list_length(function->args) > 2)
	{
		call->domain = ExecInitExpr(lthird(function->args), parent);
		call->domain_type = exprType(lthird(function->args));
	}
	if (list_length(function->args) > 3)
		call->history = ExecInitExpr(lfourth(function->args), parent);
	call->site = call_site(MAX_ROWS, FRESH_QUERY, CurrentMemoryContext);
	if (explain)
		call->missing = call_missing(function, kind);
}

static bool
mark_kept(Node *node, BatchScan *scan)
{
	if (!node)
		return false;
	if (IsA(node, Var) && ((Var *) node)->varno == INDEX_VAR)
	{
		int			number = ((Var *) node)->varattno;

		scan->kept[number - 1] = true;
		scan->n_below = Max(scan->n_below, number - scan->n_calls);
	}
	return expression_tree_walker(node, mark_kept, scan);
}

static void
begin_scan(CustomScanState *node, EState *estate, int eflags)
{
	BatchScan  *scan = (BatchScan *) node;
	CustomScan *plan = (CustomScan *) node->ss.ps.plan;
	bool		explain = (eflags & EXEC_FLAG_EXPLAIN_ONLY) != 0 || estate->es_instrument != 0;
	ListCell   *lc;

	outerPlanState(node) = ExecInitNode(outerPlan(plan), estate,
										eflags & ~(EXEC_FLAG_BACKWARD | EXEC_FLAG_MARK));
	scan->n_calls = list_length(linitial(plan->custom_private));
	scan->calls = palloc0(scan->n_calls * sizeof(ScanCall));
	foreach(lc, linitial(plan->custom_private))
	{
		TargetEntry *target = list_nth(plan->custom_scan_tlist, foreach_current_index(lc));

		begin_call(scan, &scan->calls[foreach_current_index(lc)], castNode(FuncExpr, target->expr),
				   (FeaturesKind) lfirst_int(lc), explain);
	}
	scan->input = CreateExprContext(estate);
	scan->context = AllocSetContextCreate(CurrentMemoryContext, "aread batch",
										  ALLOCSET_DEFAULT_SIZES);
	scan->n_columns = list_length(plan->custom_scan_tlist);
	scan->kept = palloc0(scan->n_columns * sizeof(bool));
	mark_kept((Node *) plan->scan.plan.targetlist, scan);
	mark_kept((Node *) plan->scan.plan.qual, scan);
	scan->first_size = boolVal(lsecond(plan->custom_private)) ? MAX_ROWS : 1;
	scan->size = scan->first_size;
}

/* Score the rows of a model that wait. */
static void
score_rows(BatchScan *scan, ScoreCall *call, int column)
{
	double		probabilities[MAX_ROWS];
	ScoreRows	rows = input_rows(&call->rows);
	Scorer	   *scorer = call->served->scorer;
	uint64		shared = scorer_shared(scorer);
	EngineError error;

	if (!scorer_score(scorer, &rows, probabilities, &error))
		host_raise(&error);
	for (int i = 0; i < rows.n_rows; i++)
		scan->values[call->at[i] * scan->n_columns + column] = Float8GetDatum(probabilities[i]);
	input_clear(&call->rows);
	InstrCountTuples2(scan, 1);
	InstrCountFiltered2(scan, scorer_shared(scorer) - shared);
}

/* Score all rows that wait at a call of the query. */
static void
score_waiting(BatchScan *scan, ScanCall *call)
{
	for (int i = 0; i < call->site->n_calls; i++)
		if (call->site->calls[i]->rows.n_rows > 0)
			score_rows(scan, call->site->calls[i], call - scan->calls);
}

static void
note_model(BatchScan *scan, const ServedModel *served)
{
	MemoryContext old = MemoryContextSwitchTo(scan->css.ss.ps.state->es_query_cxt);
	char	   *name = psprintf("%s (version %d)", served->loaded->version.name,
								served->loaded->version.version);
	ListCell   *lc;

	foreach(lc, scan->models)
		if (strcmp(lfirst(lc), name) == 0)
			break;
	if (!lc)
		scan->models = lappend(scan->models, name);
	MemoryContextSwitchTo(old);
}

static ScoreCall *
find_model(BatchScan *scan, ScanCall *call, Datum model)
{
	text	   *name = DatumGetTextPP(model);
	const ServedModel *served = cache_find(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name), RIGHT_TO_PREDICT);
	ScoreCall  *found = call_find(call->site, served);

	if (found)
		return found;
	if (call_site_full(call->site))
		score_waiting(scan, call);
	if (scan->css.ss.ps.instrument)
		note_model(scan, served);
	return call_open(call->site, served);
}

/* The call's arguments for the batch's row number "at", from the node below's row. */
static void
add_row(BatchScan *scan, ScanCall *call, int at)
{
	int			column = call - scan->calls;
	CallRow		row = {.kind = call->kind};
	Datum		model;
	bool		no_model;
	bool		no_features;
	bool		no_history;
	ScoreCall  *found;

	model = ExecEvalExpr(call->model, scan->input, &no_model);
	row.features = ExecEvalExpr(call->features, scan->input, &no_features);
	if (call->domain)
	{
		row.has_domain = true;
		row.domain_type = call->domain_type;
		row.domain = ExecEvalExpr(call->domain, scan->input, &row.domain_null);
	}
	if (call->history)
	{
		Datum		history = ExecEvalExpr(call->history, scan->input, &no_history);

		row.history = no_history ? InvalidOid : DatumGetObjectId(history);
	}
	scan->nulls[at * scan->n_columns + column] = no_model || no_features;
	scan->values[at * scan->n_columns + column] = (Datum) 0;
	if (no_model || no_features)
		return;
	found = find_model(scan, call, model);
	found->at[found->rows.n_rows] = at;
	call_add(found, &row);
	scan->list_bytes += input_list_bytes(&found->rows);
}

/* Copy what is asked for above; the node below reuses its row. */
static void
keep_row(BatchScan *scan, TupleTableSlot *below, int at)
{
	Datum	   *values = scan->values + at * scan->n_columns + scan->n_calls;
	bool	   *nulls = scan->nulls + at * scan->n_columns + scan->n_calls;
	TupleDesc	tuple = scan->css.ss.ss_ScanTupleSlot->tts_tupleDescriptor;

	slot_getsomeattrs(below, scan->n_below);
	for (int i = 0; i < scan->n_columns - scan->n_calls; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(tuple, scan->n_calls + i);

		nulls[i] = !scan->kept[scan->n_calls + i] || below->tts_isnull[i];
		values[i] = nulls[i] ? (Datum) 0 :
			datumCopy(below->tts_values[i], attribute->attbyval, attribute->attlen);
	}
}

/* Of a thousand partitions few may be read: there is memory for rows when the first one comes. */
static void
start_batch(BatchScan *scan)
{
	MemoryContext query = scan->css.ss.ps.state->es_query_cxt;

	if (!scan->values)
	{
		scan->values = MemoryContextAlloc(query, MAX_ROWS * scan->n_columns * sizeof(Datum));
		scan->nulls = MemoryContextAlloc(query, MAX_ROWS * scan->n_columns * sizeof(bool));
	}
	scan->n_rows = scan->next = 0;
	scan->list_bytes = 0;
	MemoryContextReset(scan->context);
}

static bool
has_room(const BatchScan *scan)
{
	return scan->n_rows < scan->size &&
		MemoryContextMemAllocated(scan->context, false) + scan->list_bytes < work_mem * (Size) 1024;
}

static void
fill_batch(BatchScan *scan)
{
	PlanState  *outer = outerPlanState(scan);
	MemoryContext old = CurrentMemoryContext;

	start_batch(scan);
	do
	{
		TupleTableSlot *below = ExecProcNode(outer);

		if (TupIsNull(below))
		{
			scan->ended = true;
			break;
		}
		ResetExprContext(scan->input);
		scan->input->ecxt_outertuple = below;
		MemoryContextSwitchTo(scan->input->ecxt_per_tuple_memory);
		for (int i = 0; i < scan->n_calls; i++)
			add_row(scan, &scan->calls[i], scan->n_rows);
		MemoryContextSwitchTo(scan->context);
		keep_row(scan, below, scan->n_rows++);
		MemoryContextSwitchTo(old);
	} while (has_room(scan));
	for (int i = 0; i < scan->n_calls; i++)
		score_waiting(scan, &scan->calls[i]);
	/* the last row's arguments may be large */
	ResetExprContext(scan->input);
	scan->size = scan->size == 1 ? 16 : Min(4 * scan->size, MAX_ROWS);
}

static TupleTableSlot *
next_row(CustomScanState *node)
{
	BatchScan  *scan = (BatchScan *) node;
	TupleTableSlot *slot = node->ss.ss_ScanTupleSlot;
	ExprContext *econtext = node->ss.ps.ps_ExprContext;

	for (;;)
	{
		ResetExprContext(econtext);
		ExecClearTuple(slot);
		if (scan->next == scan->n_rows && !scan->ended)
			fill_batch(scan);
		if (scan->next == scan->n_rows)
			return NULL;
		memcpy(slot->tts_values, scan->values + scan->next * scan->n_columns,
			   scan->n_columns * sizeof(Datum));
		memcpy(slot->tts_isnull, scan->nulls + scan->next * scan->n_columns,
			   scan->n_columns * sizeof(bool));
		ExecStoreVirtualTuple(slot);
		scan->next++;
		econtext->ecxt_scantuple = slot;
		if (ExecQual(node->ss.ps.qual, econtext))
			break;
		InstrCountFiltered1(node, 1);
	}
	return node->ss.ps.ps_ProjInfo ? ExecProject(node->ss.ps.ps_ProjInfo) : slot;
}

static void
rescan(CustomScanState *node)
{
	BatchScan  *scan = (BatchScan *) node;

	scan->n_rows = scan->next = 0;
	scan->size = scan->first_size;
	scan->ended = false;
	if (!outerPlanState(node)->chgParam)
		ExecReScan(outerPlanState(node));
}

static void
end_scan(CustomScanState *node)
{
	ExecEndNode(outerPlanState(node));
}

/* Models that the plan itself names. */
static List *
named_models(const CustomScan *plan)
{
	List	   *names = NIL;

	for (int i = 0; i < list_length(linitial(plan->custom_private)); i++)
	{
		TargetEntry *target = list_nth(plan->custom_scan_tlist, i);
		Const	   *model = linitial(castNode(FuncExpr, target->expr)->args);

		if (IsA(model, Const) && !model->constisnull)
			names = lappend(names, TextDatumGetCString(model->constvalue));
	}
	return names;
}

/* Features that rows lacked, or that they will lack. */
static List *
missing_features(const BatchScan *scan)
{
	List	   *missing = NIL;

	for (int i = 0; i < scan->n_calls; i++)
	{
		const ScanCall *call = &scan->calls[i];

		missing = list_concat(missing, missing_names(call->missing, missing));
		for (int j = 0; j < call->site->n_calls; j++)
			missing = list_concat(missing, missing_names(call->site->calls[j]->missing, missing));
	}
	return missing;
}

static void
explain_scan(CustomScanState *node, List *ancestors, ExplainState *es)
{
	BatchScan  *scan = (BatchScan *) node;
	List	   *missing = missing_features(scan);
	List	   *models = scan->models ? scan->models : named_models((CustomScan *) node->ss.ps.plan);

	if (models)
		ExplainPropertyList("Models", models, es);
	if (missing)
		ExplainPropertyList("Missing Features", missing, es);
	if (!es->analyze || !node->ss.ps.instrument)
		return;
	ExplainPropertyFloat("Batches", NULL, node->ss.ps.instrument->ntuples2, 0, es);
	ExplainPropertyFloat("Shared Values", NULL, node->ss.ps.instrument->nfiltered2, 0, es);
}
