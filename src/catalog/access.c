/*
 * access.c
 *	  SQL on the catalog's tables, as the extension's owner.
 *
 * SPI checks the rights of the current user, and users have none on the
 * catalog.  As the triggers of foreign keys do, we become the owner for our
 * own statements.  That is safe because every statement is a constant of this
 * extension, names its tables with their schema, and runs under a search_path
 * that no user can write to; LOCAL_USERID_CHANGE keeps SET ROLE from being
 * used inside.
 */
#include "postgres.h"

#include "catalog/access.h"

#include "access/genam.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "fault.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

static Oid
extension_owner(void)
{
	Relation	extensions = table_open(ExtensionRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	Oid			owner = InvalidOid;

	ScanKeyInit(&key, Anum_pg_extension_extname, BTEqualStrategyNumber, F_NAMEEQ,
				CStringGetDatum("aread"));
	scan = systable_beginscan(extensions, ExtensionNameIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		owner = ((Form_pg_extension) GETSTRUCT(tuple))->extowner;
	systable_endscan(scan);
	table_close(extensions, AccessShareLock);
	if (!OidIsValid(owner))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("extension \"aread\" is not installed in this database"),
				 errhint("Use CREATE EXTENSION aread.")));
	return owner;
}

void
catalog_enter(CatalogAccess *access)
{
	Oid			owner = extension_owner();

	GetUserIdAndSecContext(&access->user, &access->security_context);
	access->guc_level = NewGUCNestLevel();
	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	SetUserIdAndSecContext(owner, access->security_context | SECURITY_LOCAL_USERID_CHANGE);
	SPI_connect();
}

void
catalog_leave(CatalogAccess *access)
{
	SPI_finish();
	AtEOXact_GUC(true, access->guc_level);
	SetUserIdAndSecContext(access->user, access->security_context);
}

uint64
catalog_query(const char *sql, bool read_only, int n, Oid *types, Datum *values,
			  const char *nulls)
{
	int			result;

	if (!read_only && fault_hit("store"))
		ereport(ERROR, (errcode(ERRCODE_DISK_FULL), errmsg("could not write: fault")));
	result = SPI_execute_with_args(sql, n, types, values, nulls, read_only, 0);
	if (result < 0)
		elog(ERROR, "catalog statement failed: %s", SPI_result_code_string(result));
	return SPI_processed;
}

uint64
catalog_query_id(const char *sql, int64 id)
{
	Oid			type = INT8OID;
	Datum		value = Int64GetDatum(id);

	return catalog_query(sql, true, 1, &type, &value, NULL);
}

uint64
catalog_query_now(const char *sql, int n, Oid *types, Datum *values)
{
	uint64		rows;

	PushActiveSnapshot(GetLatestSnapshot());
	rows = catalog_query(sql, true, n, types, values, NULL);
	PopActiveSnapshot();
	return rows;
}

Datum
catalog_value(uint64 row, int column, bool *isnull)
{
	bool		is_null;
	Datum		value = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column,
									  &is_null);

	if (isnull)
		*isnull = is_null;
	else if (is_null)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("stored model is corrupt"),
				 errdetail("Column \"%s\" is NULL.", SPI_fname(SPI_tuptable->tupdesc, column))));
	return value;
}

char *
catalog_text(int column, MemoryContext context)
{
	bool		isnull;
	Datum		value = catalog_value(0, column, &isnull);

	return isnull ? NULL : MemoryContextStrdup(context, TextDatumGetCString(value));
}
