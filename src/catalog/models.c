/*
 * models.c
 *	  Finding and dropping models by name; registered sources.
 *
 * A name is parsed, its row looked up as the extension's owner, and the caller's
 * right to it checked by the row's owner and grants (rights.h).  Finding locks
 * nothing: a version that is found may be gone a moment later, and loading it then
 * is an error.
 *
 * Registered sources are found by a relation's OID, whose owner alone registers it
 * (api/manage.c).
 */
#include "postgres.h"

#include "catalog/models.h"

#include "access/xact.h"
#include "catalog/access.h"
#include "catalog/namespace.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_type.h"
#include "catalog/rights.h"
#include "miscadmin.h"
#include "nearest.h"
#include "source/read/relation.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

static uint64
select_model(const char *sql, const char *name)
{
	Oid			type = TEXTOID;
	Datum		value = CStringGetTextDatum(name);

	return catalog_query(sql, true, 1, &type, &value, NULL);
}

/* Offer the names that the user may use. */
static void
offer_names(Oid user, NearestName *nearest)
{
	uint64		n = catalog_query("SELECT name, owner FROM aread.stored_model"
								  " ORDER BY name", true, 0, NULL, NULL, NULL);

	for (uint64 row = 0; row < n; row++)
		if (row_is_owned(user, row))
			nearest_offer(nearest, TextDatumGetCString(catalog_value(row, 1, NULL)));
}

void
catalog_check_name(const char *name)
{
	Oid			user = GetUserId();
	CatalogAccess access;
	bool		allowed = true;

	model_name_check(name);
	catalog_enter(&access);
	if (select_model("SELECT name, owner FROM aread.stored_model WHERE name = $1",
					 name) == 1)
		allowed = row_is_owned(user, 0);
	catalog_leave(&access);
	if (!allowed)
		no_right(name);
}

Oid
catalog_relation(void)
{
	return get_relname_relid("stored_version", get_namespace_oid("aread", false));
}

#define VERSION_COLUMNS \
	"m.name, m.owner, m.model_id, v.version_id, v.version, v.crc, v.best_evaluation, v.xmin"

/* Of a row of VERSION_COLUMNS; "name" is as the call has it. */
static void
take_version(ModelVersion *version, const char *name, MemoryContext context)
{
	version->id = DatumGetInt64(catalog_value(0, 4, NULL));
	version->version = DatumGetInt32(catalog_value(0, 5, NULL));
	version->crc = (uint32) DatumGetInt64(catalog_value(0, 6, NULL));
	version->best_evaluation = DatumGetInt32(catalog_value(0, 7, NULL));
	version->uncommitted =
		TransactionIdIsCurrentTransactionId(DatumGetTransactionId(catalog_value(0, 8, NULL)));
	version->name = MemoryContextStrdup(context, name);
	version->catalog = catalog_relation();
}

/* There is a model of that name, but not the version that is asked for. */
static void
no_version(const ModelName *name)
{
	if (name->version > 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("model \"%s\" has no version %d", name->name, name->version),
				 errhint("The view aread.model lists its versions.")));
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("no version of model \"%s\" is deployed", name->name),
			 errhint("Deploy one with aread_deploy, or name one: \"%s@1\".", name->name)));
}

void
catalog_find(const char *name, ModelRight right, ModelVersion *version)
{
	MemoryContext context = CurrentMemoryContext;
	Oid			user = GetUserId();
	ModelName	parsed = model_name_parse(name);
	Oid			types[] = {TEXTOID, INT4OID};
	Datum		values[] = {CStringGetTextDatum(parsed.name), Int32GetDatum(parsed.version)};
	CatalogAccess access;
	bool		found;
	bool		allowed = false;
	bool		missing = false;
	NearestName nearest;

	nearest_start(&nearest, parsed.name);
	catalog_enter(&access);
	found = catalog_query("SELECT " VERSION_COLUMNS
						  " FROM aread.stored_model m LEFT JOIN aread.stored_version v"
						  " ON v.model_id = m.model_id"
						  " AND v.version = COALESCE(NULLIF($2, 0), m.deployed_version)"
						  " WHERE m.name = $1", true, 2, types, values, NULL) == 1;
	if (found)
	{
		int64		model_id = DatumGetInt64(catalog_value(0, 3, NULL));

		(void) catalog_value(0, 4, &missing);
		if (!missing)
			take_version(version, name, context);
		allowed = row_is_owned(user, 0) || is_granted(user, model_id, right);
	}
	else
		offer_names(user, &nearest);
	catalog_leave(&access);
	if (!found)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("model \"%s\" does not exist", parsed.name),
				 nearest.name ? errhint("Perhaps you mean the model \"%s\".", nearest.name) :
				 errhint("Train it with aread_train; the view aread.model lists the models that you can use.")));
	if (!allowed)
		no_right(parsed.name);
	if (missing)
		no_version(&parsed);
}

void
catalog_find_new(int64 version_id, const char *name, ModelVersion *version)
{
	MemoryContext context = CurrentMemoryContext;
	Oid			type = INT8OID;
	Datum		value = Int64GetDatum(version_id);
	CatalogAccess access;

	catalog_enter(&access);
	CommandCounterIncrement();
	if (catalog_query_now("SELECT " VERSION_COLUMNS " FROM aread.stored_version v"
						  " JOIN aread.stored_model m ON m.model_id = v.model_id"
						  " WHERE v.version_id = $1", 1, &type, &value) != 1)
		elog(ERROR, "version " INT64_FORMAT " is gone", version_id);
	take_version(version, name, context);
	catalog_leave(&access);
}

void
catalog_find_owned(const char *name, ModelVersion *version)
{
	catalog_find(name, ANY_RIGHT, version);
	catalog_require_owner(version->id, version->name);
}

bool
catalog_find_deployed(const char *name, ModelVersion *version)
{
	MemoryContext context = CurrentMemoryContext;
	Oid			user = GetUserId();
	Oid			type = TEXTOID;
	Datum		value = CStringGetTextDatum(name);
	CatalogAccess access;
	bool		found;

	catalog_enter(&access);
	found = catalog_query("SELECT " VERSION_COLUMNS " FROM aread.stored_model m"
						  " JOIN aread.stored_version v ON v.model_id = m.model_id"
						  " AND v.version = m.deployed_version WHERE m.name = $1",
						  true, 1, &type, &value, NULL) == 1 && row_is_owned(user, 0);
	if (found)
		take_version(version, name, context);
	catalog_leave(&access);
	return found;
}

char *
catalog_pin(const ModelVersion *version)
{
	return psprintf("%s@%d", model_name_parse(version->name).name, version->version);
}

char *
catalog_pinned(const char *name)
{
	ModelVersion version;

	catalog_find(name, ANY_RIGHT, &version);
	return catalog_pin(&version);
}

static List *
name_list(Datum array, MemoryContext context)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	List	   *names = NIL;
	Datum	   *values;
	bool	   *nulls;
	int			n;

	deconstruct_array(DatumGetArrayTypeP(array), TEXTOID, -1, false, TYPALIGN_INT, &values,
					  &nulls, &n);
	for (int i = 0; i < n; i++)
		if (!nulls[i])
			names = lappend(names, TextDatumGetCString(values[i]));
	MemoryContextSwitchTo(old);
	return names;
}

ColumnRoles *
catalog_take_roles(MemoryContext context)
{
	ColumnRoles *roles = MemoryContextAllocZero(context, sizeof(ColumnRoles));
	bool		isnull;
	Datum		features = catalog_value(0, 7, &isnull);

	roles->label = catalog_text(1, context);
	roles->domain = catalog_text(2, context);
	roles->user_id = catalog_text(3, context);
	roles->item_id = catalog_text(4, context);
	roles->split = catalog_text(5, context);
	roles->weight = catalog_text(6, context);
	roles->features = isnull ? NIL : name_list(features, context);
	return roles;
}

ColumnRoles *
catalog_roles(Oid relation)
{
	MemoryContext context = CurrentMemoryContext;
	ColumnRoles *roles = NULL;
	Oid			type = OIDOID;
	Datum		value = ObjectIdGetDatum(relation);
	CatalogAccess access;

	catalog_enter(&access);
	if (catalog_query("SELECT label, domain, user_id, item_id, split, weight, features"
					  " FROM aread.stored_source WHERE relation = $1", true, 1, &type, &value,
					  NULL) == 1)
		roles = catalog_take_roles(context);
	catalog_leave(&access);
	return roles;
}

void
catalog_add_roles(Arguments *arguments, const ColumnRoles *roles)
{
	add_text(arguments, roles->label);
	add_text(arguments, roles->domain);
	add_text(arguments, roles->user_id);
	add_text(arguments, roles->item_id);
	add_text(arguments, roles->split);
	add_text(arguments, roles->weight);
	add_argument(arguments, TEXTARRAYOID, PointerGetDatum(strlist_to_textarray(roles->features)),
				 roles->features == NIL);
}

void
catalog_register(const ColumnRoles *roles)
{
	Arguments	arguments = {0};
	CatalogAccess access;

	add_oid(&arguments, roles->relation->id);
	catalog_add_roles(&arguments, roles);
	add_oid(&arguments, GetUserId());
	add_text(&arguments, GetUserNameFromId(GetUserId(), false));
	catalog_enter(&access);
	/*
	 * A dropped table's OID can become another table's: its registration must be
	 * gone by then.  Of those that another transaction is about to delete none is
	 * waited for but, below, this relation's.
	 */
	catalog_query("DELETE FROM aread.stored_source WHERE relation IN"
				  " (SELECT s.relation FROM aread.stored_source s WHERE NOT EXISTS"
				  "  (SELECT FROM pg_class c WHERE c.oid = s.relation) FOR UPDATE OF s SKIP LOCKED)",
				  false, 0, NULL, NULL, NULL);
	run_statement("INSERT INTO aread.stored_source AS s VALUES"
				  " ($1::regclass, $2, $3, $4, $5, $6, $7, $8, aread.as_role($9), $10)"
				  " ON CONFLICT (relation) DO UPDATE SET label = excluded.label,"
				  " domain = excluded.domain, user_id = excluded.user_id,"
				  " item_id = excluded.item_id, split = excluded.split,"
				  " weight = excluded.weight,"
				  " features = excluded.features, registered_by = excluded.registered_by,"
				  " registered_by_name = excluded.registered_by_name", &arguments);
	catalog_leave(&access);
}

bool
catalog_unregister(Oid relation)
{
	Oid			type = OIDOID;
	Datum		value = ObjectIdGetDatum(relation);
	CatalogAccess access;
	bool		found;

	catalog_enter(&access);
	found = catalog_query("DELETE FROM aread.stored_source WHERE relation = $1", false, 1, &type,
						  &value, NULL) > 0;
	if (!found && catalog_query_now("SELECT FROM aread.stored_source WHERE relation = $1", 1, &type,
									&value) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("the registration is newer than the transaction's snapshot"),
				 errhint("Try again in a new transaction.")));
	catalog_leave(&access);
	return found;
}
