/*
 * reader.c
 *	  Rows of a relation through the executor.
 *
 * The query runs under SPI with a DestReceiver of our own, so that no row is
 * copied into a tuple table.
 *
 * The relation was opened, and all about it decided, before: it is locked since,
 * and open while it is read, so that neither other sessions nor the functions
 * that reading calls alter it.  What the lock does not hold is compared: its
 * columns as they are now, that its name still means it, the types of what the
 * executor is about to give.  Rows that the caller's snapshot cannot see, because
 * the table was rewritten after it, are an error, not an empty table.
 */
#include "postgres.h"

#include "source/read/reader.h"

#include "access/genam.h"
#include "access/relation.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "executor/spi.h"
#include "fault.h"
#include "storage/bufmgr.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

typedef struct RowReceiver
{
	DestReceiver pub;
	const SourceRelation *relation;
	List	   *columns;
	List	   *relations;		/* OIDs of all that the query reads, but for partitions */
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

/*
 * The file that holds a relation's rows, as a snapshot sees it (NULL: now); 0:
 * it has none.  False: it does not see the relation.
 */
static bool
file_of(Oid relation, Snapshot snapshot, Oid *file)
{
	Relation	classes = table_open(RelationRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	*file = InvalidOid;
	ScanKeyInit(&key, Anum_pg_class_oid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(relation));
	scan = systable_beginscan(classes, ClassOidIndexId, true, snapshot, 1, &key);
	tuple = systable_getnext(scan);
	/* a materialized view's rows are seen by all, however new they are */
	if (HeapTupleIsValid(tuple) &&
		((Form_pg_class) GETSTRUCT(tuple))->relkind != RELKIND_MATVIEW)
		*file = ((Form_pg_class) GETSTRUCT(tuple))->relfilenode;
	systable_endscan(scan);
	table_close(classes, AccessShareLock);
	return HeapTupleIsValid(tuple);
}

static bool
has_rows(Oid relation)
{
	Relation	opened = relation_open(relation, NoLock);
	bool		has = RELKIND_HAS_STORAGE(opened->rd_rel->relkind) &&
		RelationGetNumberOfBlocks(opened) > 0;

	relation_close(opened, NoLock);
	return has;
}

static bool
was_rewritten(Oid relation, bool is_part)
{
	Oid			before;
	Oid			now;

	/* what is in a new partition may have been in another one before */
	if (!file_of(relation, GetActiveSnapshot(), &before) && is_part)
		return has_rows(relation);
	(void) file_of(relation, NULL, &now);
	return before != now;
}

/*
 * What ALTER TABLE has rewritten, or TRUNCATE emptied, looks empty to a snapshot
 * of before, and so does a partition that took another one's place: no result to
 * give.  VACUUM FULL and CLUSTER look alike.
 */
static void
check_seen(const SourceRelation *relation, List *relations)
{
	ListCell   *cell;

	foreach(cell, relations)
	{
		List	   *parts = find_all_inheritors(lfirst_oid(cell), NoLock, NULL);
		ListCell   *part;

		foreach(part, parts)
			if (was_rewritten(lfirst_oid(part), lfirst_oid(part) != lfirst_oid(cell)))
				ereport(ERROR,
						(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
						 errmsg("relation \"%s\" was rewritten after the query began",
								relation->name),
						 errhint("Run the query again; within a transaction of higher isolation, the transaction.")));
	}
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
	/* by now all that is read is locked, partitions too */
	check_seen(receiver->relation, receiver->relations);
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
prepare(const SourceRelation *relation, List *columns, List **relations)
{
	SPIPlanPtr	plan = SPI_prepare(select_text(relation, columns), 0, NULL);
	CachedPlanSource *source;

	if (!plan)
		elog(ERROR, "reading the source failed: %s", SPI_result_code_string(SPI_result));
	source = linitial(SPI_plan_get_plan_sources(plan));
	if (!list_member_oid(source->relationOids, relation->id))
		source_has_changed(relation);
	*relations = source->relationOids;
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
	SPIPlanPtr	plan;
	int			result;

	/* what is to be read has been looked up */
	fault_wait("source");
	held = hold(relation);
	receiver.row_context = AllocSetContextCreate(CurrentMemoryContext, "aread source row",
												 ALLOCSET_DEFAULT_SIZES);
	SPI_connect();
	plan = prepare(relation, columns, &receiver.relations);
	result = SPI_execute_plan_extended(plan, &options);
	if (result != SPI_OK_SELECT)
		elog(ERROR, "reading the source failed: %s", SPI_result_code_string(result));
	SPI_finish();
	MemoryContextDelete(receiver.row_context);
	relation_close(held, NoLock);
}
