/*
 * reader.c
 *	  Rows of a relation through the executor.
 *
 * The query runs under SPI with a DestReceiver of our own, so that no row is
 * copied into a tuple table.  That of a key is planned when its reader is made,
 * and the plan is kept as long as the reader's memory.
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
#include "catalog/pg_operator.h"
#include "executor/spi.h"
#include "fault.h"
#include "storage/bufmgr.h"
#include "syscache_state.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

typedef struct RowReceiver
{
	DestReceiver pub;
	const SourceRelation *relation;
	List	   *columns;
	SPIPlanPtr	plan;
	RowFunction function;
	void	   *context;
	MemoryContext row_context;
	bool		enough;			/* no more rows are wanted */
	uint64		seen;			/* relcache_state() of the last check that nothing was rewritten */
} RowReceiver;

struct KeyReader
{
	RowReceiver receiver;
	ParamListInfo key;
	MemoryContextCallback end;	/* of the plan */
};

static bool
receive_row(TupleTableSlot *slot, DestReceiver *self)
{
	RowReceiver *receiver = (RowReceiver *) self;
	MemoryContext old = MemoryContextSwitchTo(receiver->row_context);

	slot_getallattrs(slot);
	receiver->function(receiver->context, slot->tts_values, slot->tts_isnull);
	MemoryContextSwitchTo(old);
	MemoryContextReset(receiver->row_context);
	return !receiver->enough;
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

/* OIDs of all that a plan reads as it is now, but for partitions. */
static List *
plan_relations(SPIPlanPtr plan)
{
	CachedPlanSource *source = linitial(SPI_plan_get_plan_sources(plan));

	return source->relationOids;
}

/*
 * What ALTER TABLE has rewritten, or TRUNCATE emptied, looks empty to a snapshot
 * of before, and so does a partition that took another one's place: no result to
 * give.  VACUUM FULL and CLUSTER look alike.
 */
static void
check_seen(const SourceRelation *relation, SPIPlanPtr plan)
{
	ListCell   *cell;

	foreach(cell, plan_relations(plan))
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

/*
 * The name must still mean the relation: its schema is not locked, and a plan that is kept is
 * made again after this session has given the name away.
 */
static void
check_name(const RowReceiver *receiver)
{
	if (!list_member_oid(plan_relations(receiver->plan), receiver->relation->id))
		source_has_changed(receiver->relation);
}

/* What is decided about the columns was decided by these types: values of others are never read. */
static void
receiver_startup(DestReceiver *self, int operation, TupleDesc typeinfo)
{
	RowReceiver *receiver = (RowReceiver *) self;
	uint64		now = relcache_state();
	ListCell   *cell;

	check_name(receiver);
	if (typeinfo->natts != list_length(receiver->columns))
		source_has_changed(receiver->relation);
	foreach(cell, receiver->columns)
		if (TupleDescAttr(typeinfo, foreach_current_index(cell))->atttypid !=
			source_column_type(receiver->relation, lfirst(cell)))
			source_has_changed(receiver->relation);
	/* by now all that is read is locked, partitions too, and stays so */
	if (receiver->seen != now)
		check_seen(receiver->relation, receiver->plan);
	receiver->seen = now;
}

static void
receiver_end(DestReceiver *self)
{
}

static void
append_select(StringInfo query, const SourceRelation *relation, List *columns)
{
	ListCell   *cell;

	initStringInfo(query);
	appendStringInfoString(query, "SELECT ");
	foreach(cell, columns)
		appendStringInfo(query, "%s%s", foreach_current_index(cell) > 0 ? ", " : "",
						 quote_identifier(lfirst(cell)));
	appendStringInfo(query, " FROM %s", relation->full_name);
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

static void
take_plan(RowReceiver *receiver, SPIPlanPtr plan)
{
	if (!plan)
		elog(ERROR, "reading the source failed: %s", SPI_result_code_string(SPI_result));
	receiver->plan = plan;
	check_name(receiver);
}

static void
execute(RowReceiver *receiver, ParamListInfo params, bool read_only)
{
	SPIExecuteOptions options = {.params = params,.read_only = read_only,.dest = &receiver->pub};
	int			result = SPI_execute_plan_extended(receiver->plan, &options);

	if (result != SPI_OK_SELECT)
		elog(ERROR, "reading the source failed: %s", SPI_result_code_string(result));
}

/* SPI takes a SELECT into DestNone for a utility statement. */
static RowReceiver
row_receiver(const SourceRelation *relation, List *columns)
{
	return (RowReceiver) {
		.pub = {receive_row, receiver_startup, receiver_end, receiver_end, DestTuplestore},
		.relation = relation,.columns = columns,
		.row_context = AllocSetContextCreate(CurrentMemoryContext, "aread source row",
											 ALLOCSET_DEFAULT_SIZES)
	};
}

void
reader_run(const SourceRelation *relation, List *columns, ReadSnapshot snapshot,
		   RowFunction function, void *context)
{
	RowReceiver receiver = row_receiver(relation, columns);
	StringInfoData query;
	Relation	held;

	receiver.function = function;
	receiver.context = context;
	/* what is to be read has been looked up */
	fault_wait("source");
	held = hold(relation);
	SPI_connect();
	append_select(&query, relation, columns);
	take_plan(&receiver, SPI_prepare(query.data, 0, NULL));
	execute(&receiver, NULL, snapshot == READ_AS_CALLER);
	SPI_finish();
	MemoryContextDelete(receiver.row_context);
	relation_close(held, NoLock);
}

/* Where rows have that key, the last in order first; NULLs are in no order. */
static void
append_key(StringInfo query, const KeyQuery *wanted, Oid type)
{
	TypeCacheEntry *entry = lookup_type_cache(type, TYPECACHE_EQ_OPR);
	HeapTuple	tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(entry->eq_opr));
	Form_pg_operator operator;

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("rows cannot be looked up by column \"%s\" of type %s", wanted->key,
						format_type_be(type)),
				 errdetail("Its values have no equality operator."),
				 errhint("Pass a view that has this column as a type of numbers or text.")));
	operator = (Form_pg_operator) GETSTRUCT(tuple);
	appendStringInfo(query, " WHERE %s OPERATOR(%s.%s) $1", quote_identifier(wanted->key),
					 quote_identifier(get_namespace_name(operator->oprnamespace)),
					 NameStr(operator->oprname));
	ReleaseSysCache(tuple);
	if (wanted->order)
		appendStringInfo(query, " AND %s IS NOT NULL ORDER BY %s DESC",
						 quote_identifier(wanted->order), quote_identifier(wanted->order));
}

static void
free_plan(void *plan)
{
	SPI_freeplan(plan);
}

/* Planned once, whatever the key. */
static void
keep_plan(KeyReader *reader, const char *query, Oid type, bool all)
{
	int			options = CURSOR_OPT_GENERIC_PLAN | (all ? 0 : CURSOR_OPT_FAST_PLAN);

	SPI_connect();
	take_plan(&reader->receiver, SPI_prepare_cursor(query, 1, &type, options));
	if (SPI_keepplan(reader->receiver.plan) != 0)
		elog(ERROR, "a plan could not be kept");
	reader->end = (MemoryContextCallback) {.func = free_plan,.arg = reader->receiver.plan};
	MemoryContextRegisterResetCallback(GetMemoryChunkContext(reader), &reader->end);
	SPI_finish();
}

KeyReader *
reader_by_key(const SourceRelation *relation, List *columns, const KeyQuery *wanted)
{
	KeyReader  *reader = palloc0(sizeof(KeyReader));
	Oid			type = getBaseType(source_column_type(relation, wanted->key));
	StringInfoData query;
	Relation	held;

	reader->receiver = row_receiver(relation, columns);
	reader->key = makeParamList(1);
	reader->key->params[0] = (ParamExternData) {.pflags = PARAM_FLAG_CONST,.ptype = type};
	append_select(&query, relation, columns);
	append_key(&query, wanted, type);
	/* what is to be read has been looked up */
	fault_wait("source");
	held = hold(relation);
	keep_plan(reader, query.data, type, wanted->all);
	relation_close(held, NoLock);
	return reader;
}

void
reader_run_key(KeyReader *reader, Datum key, RowFunction function, void *context)
{
	RowReceiver *receiver = &reader->receiver;
	Relation	held = hold(receiver->relation);

	receiver->function = function;
	receiver->context = context;
	receiver->enough = false;
	reader->key->params[0].value = key;
	SPI_connect();
	execute(receiver, reader->key, true);
	SPI_finish();
	relation_close(held, NoLock);
}

void
reader_enough(KeyReader *reader)
{
	reader->receiver.enough = true;
}
