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
#include "access/table.h"
#include "catalog/pg_class.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nearest.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

typedef struct RowReceiver
{
	DestReceiver pub;
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

static void
receiver_startup(DestReceiver *self, int operation, TupleDesc typeinfo)
{
}

static void
receiver_end(DestReceiver *self)
{
}

static char *
select_text(Oid relation, List *columns)
{
	StringInfoData query;
	ListCell   *cell;

	initStringInfo(&query);
	appendStringInfoString(&query, "SELECT ");
	foreach(cell, columns)
		appendStringInfo(&query, "%s%s", foreach_current_index(cell) > 0 ? ", " : "",
						 quote_identifier(lfirst(cell)));
	appendStringInfo(&query, " FROM %s",
					 quote_qualified_identifier(get_namespace_name(get_rel_namespace(relation)),
												get_rel_name(relation)));
	return query.data;
}

void
reader_run(Oid relation, List *columns, ReadSnapshot snapshot, RowFunction function,
		   void *context)
{
	/* SPI takes a SELECT into DestNone for a utility statement */
	RowReceiver receiver = {
		.pub = {receive_row, receiver_startup, receiver_end, receiver_end, DestTuplestore},
		.function = function,
		.context = context
	};
	SPIExecuteOptions options = {.read_only = snapshot == READ_AS_CALLER,.dest = &receiver.pub};
	Relation	locked = relation_open(relation, AccessShareLock);
	char	   *query = select_text(relation, columns);
	int			result;

	/* The lock keeps name and columns as they were checked until the query has its own. */
	receiver.row_context = AllocSetContextCreate(CurrentMemoryContext, "aread source row",
												 ALLOCSET_DEFAULT_SIZES);
	SPI_connect();
	result = SPI_execute_extended(query, &options);
	if (result != SPI_OK_SELECT)
		elog(ERROR, "reading the source failed: %s", SPI_result_code_string(result));
	SPI_finish();
	MemoryContextDelete(receiver.row_context);
	relation_close(locked, NoLock);
}

Oid
column_type(Oid relation, const char *name)
{
	AttrNumber	number = get_attnum(relation, name);

	return number > 0 ? get_atttype(relation, number) : InvalidOid;
}

List *
column_names(Oid relation)
{
	Relation	opened = relation_open(relation, AccessShareLock);
	TupleDesc	descriptor = RelationGetDescr(opened);
	List	   *names = NIL;

	for (int i = 0; i < descriptor->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(descriptor, i);

		if (!attribute->attisdropped)
			names = lappend(names, pstrdup(NameStr(attribute->attname)));
	}
	relation_close(opened, AccessShareLock);
	return names;
}

void
check_relation(Oid relation)
{
	char	   *name = get_rel_name(relation);

	if (!name)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relation)));
	switch (get_rel_relkind(relation))
	{
		case RELKIND_RELATION:
		case RELKIND_PARTITIONED_TABLE:
		case RELKIND_VIEW:
		case RELKIND_MATVIEW:
		case RELKIND_FOREIGN_TABLE:
			return;
		default:
			ereport(ERROR,
					(errcode(ERRCODE_WRONG_OBJECT_TYPE),
					 errmsg("cannot read interactions from \"%s\"", name),
					 errdetail_relkind_not_supported(get_rel_relkind(relation)),
					 errhint("Use a table, view, materialized view, partitioned table or foreign table.")));
	}
}

void
missing_column(Oid relation, const char *name, const char *role)
{
	List	   *names = column_names(relation);
	NearestName nearest;
	ListCell   *cell;

	nearest_start(&nearest, name);
	foreach(cell, names)
		nearest_offer(&nearest, lfirst(cell));
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("column \"%s\" of relation \"%s\" does not exist", name,
					get_rel_name(relation)),
			 errdetail("It is to be the %s column.", role),
			 nearest.name ? errhint("Perhaps you mean the column \"%s\".", nearest.name) :
			 errhint("Name the column that plays this part, or keep it with aread_register.")));
}
