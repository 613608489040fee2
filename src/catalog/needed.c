/*
 * needed.c
 *	  The columns that a model needs, without loading it.
 */
#include "postgres.h"

#include "catalog/needed.h"

#include "catalog/access.h"
#include "catalog/pg_type.h"
#include "catalog/rights.h"
#include "miscadmin.h"
#include "utils/builtins.h"

List *
catalog_needed(const char *name, bool with_domain)
{
	MemoryContext context = CurrentMemoryContext;
	Oid			user = GetUserId();
	ModelName	parsed = model_name_parse(name);
	Oid			types[] = {TEXTOID, INT4OID, BOOLOID};
	Datum		values[] = {CStringGetTextDatum(parsed.name), Int32GetDatum(parsed.version),
	BoolGetDatum(with_domain)};
	CatalogAccess access;
	List	   *needed = NIL;
	uint64		n;

	catalog_enter(&access);
	n = catalog_query("SELECT m.name, m.owner, m.model_id, f.name"
					  " FROM aread.stored_model m JOIN aread.stored_version v"
					  " ON v.model_id = m.model_id"
					  " AND v.version = COALESCE(NULLIF($2, 0), m.deployed_version)"
					  " JOIN aread.stored_feature f ON f.version_id = v.version_id"
					  " WHERE m.name = $1 AND f.kind NOT IN ('rows', 'cross')"
					  " AND ($3 OR f.position <> v.domain_feature) ORDER BY f.position",
					  true, 3, types, values, NULL);
	for (uint64 row = 0; row < n; row++)
	{
		char	   *column = TextDatumGetCString(catalog_value(row, 4, NULL));
		MemoryContext old = MemoryContextSwitchTo(context);

		needed = lappend(needed, pstrdup(column));
		MemoryContextSwitchTo(old);
	}
	if (n > 0 && !row_is_owned(user, 0) &&
		!is_granted(user, DatumGetInt64(catalog_value(0, 3, NULL)), RIGHT_TO_PREDICT))
		needed = NIL;
	catalog_leave(&access);
	return needed;
}
