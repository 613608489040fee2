/*
 * reader.c
 *	  Rows of a relation through the executor.
 *
 * The query runs under SPI with a DestReceiver of our own, so that no row is
 * copied into a tuple table.
 */
#include "postgres.h"

#include "source/reader.h"

#include "access/relation.h"
#include "executor/spi.h"
#include "fault.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/rel.h"

typedef struct RowReceiver
{
	DestReceiver pub;
	const SourceRelation *relation;
	List	   *columns;
	RowFunction function;
	void	   *context;
	MemoryContext row_context;
} RowReceiver;

static bool
receive_row(TupleTableSlot *slot, DestReceiver *self)
{
	RowReceiver *receiver = (RowReceiver *) self;
	MemoryContext old = MemoryContextSwitchTo(receiver->row_context);

	slot_getallattrs(slot);
	receiver->function(receiver->context, slot->tts_values, slot->tts_isnull);
	MemoryContextSwitchTo(old);
	MemoryContextReset(receiver->row_context);
	return true;
}

/* What is decided about the columns was decided by these types: values of others are never read. */
static void
receiver_startup(DestReceiver *self, int operation, TupleDesc typeinfo)
{
	const RowReceiver *receiver = (const RowReceiver *) self;
	ListCell   *cell;

	if (typeinfo->natts != list_length(receiver->columns))
		source_has_changed(receiver->relation);
	foreach(cell, receiver->columns)
		if (TupleDescAttr(typeinfo, foreach_current_index(cell))->atttypid !=
			source_column_type(receiver->relation, lfirst(cell)))
			source_has_changed(receiver->relation);
}

static void
receiver_end(DestReceiver *self)
{
}

static char *
select_text(const SourceRelation *relation, List *columns)
{
	StringInfoData query;
	ListCell   *cell;

	initStringInfo(&query);
	appendStringInfoString(&query, "SELECT ");
	foreach(cell, columns)
		appendStringInfo(&query, "%s%s", foreach_current_index(cell) > 0 ? ", " : "",
						 quote_identifier(lfirst(cell)));
	appendStringInfo(&query, " FROM %s", relation->full_name);
	return query.data;
}

/*
 * Open it for as long as it is read.  The lock keeps other sessions from
 * altering it, a relation in use the functions that this session calls.
 */
static Relation
hold(const SourceRelation *relation)
{
	Relation	held = relation_open(relation->id, NoLock);

	if (!source_has_columns(relation, RelationGetDescr(held)))
		source_has_changed(relation);
	return held;
}

/* The name must still mean the relation: its schema is not locked. */
static SPIPlanPtr
prepare(const SourceRelation *relation, List *columns)
{
	SPIPlanPtr	plan = SPI_prepare(select_text(relation, columns), 0, NULL);
	CachedPlanSource *source;

	if (!plan)
		elog(ERROR, "reading the source failed: %s", SPI_result_code_string(SPI_result));
	source = linitial(SPI_plan_get_plan_sources(plan));
	if (!list_member_oid(source->relationOids, relation->id))
		source_has_changed(relation);
	return plan;
}

void
reader_run(const SourceRelation *relation, List *columns, ReadSnapshot snapshot,
		   RowFunction function, void *context)
{
	/* SPI takes a SELECT into DestNone for a utility statement */
	RowReceiver receiver = {
		.pub = {receive_row, receiver_startup, receiver_end, receiver_end, DestTuplestore},
		.relation = relation,
		.columns = columns,
		.function = function,
		.context = context
	};
	SPIExecuteOptions options = {.read_only = snapshot == READ_AS_CALLER,.dest = &receiver.pub};
	Relation	held;
	int			result;

	/* what is to be read has been looked up */
	fault_wait("source");
	held = hold(relation);
	receiver.row_context = AllocSetContextCreate(CurrentMemoryContext, "aread source row",
												 ALLOCSET_DEFAULT_SIZES);
	SPI_connect();
	result = SPI_execute_plan_extended(prepare(relation, columns), &options);
	if (result != SPI_OK_SELECT)
		elog(ERROR, "reading the source failed: %s", SPI_result_code_string(result));
	SPI_finish();
	MemoryContextDelete(receiver.row_context);
	relation_close(held, NoLock);
}
