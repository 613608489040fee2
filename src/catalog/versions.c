/*
 * versions.c
 *	  Models as things to keep in order.
 *
 * Each function enters the catalog, locks the model by its name (model_lock.h),
 * which checks that the user owns it, and writes by the model's id.  Two are for
 * callers that have done so: catalog_new_version() and catalog_keep().  The lock
 * stays until the transaction ends, so that what was checked about versions still
 * holds when it commits.  What decides which version scores is added to the history.
 */
#include "postgres.h"

#include "catalog/versions.h"

#include "catalog/access.h"
#include "catalog/arguments.h"
#include "catalog/history.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "miscadmin.h"
#include "utils/builtins.h"

/* Bytes of a comment or a reason: views show it to all who may score. */
#define MAX_COMMENT 65536
#define GRANTED_TO " WHERE model_id = $1 AND aread.role_oid(grantee) = $2::oid"

/* Versions that a condition about "v" says, with all that belongs to them; a row of the result each. */
#define DELETE_VERSIONS(condition) \
	"WITH v AS (DELETE FROM aread.stored_version v WHERE " condition " RETURNING v.version_id)," \
	" f AS (DELETE FROM aread.stored_feature x USING v WHERE x.version_id = v.version_id)," \
	" d AS (DELETE FROM aread.stored_domain x USING v WHERE x.version_id = v.version_id)," \
	" c AS (DELETE FROM aread.stored_chunk x USING v WHERE x.version_id = v.version_id)," \
	" e AS (DELETE FROM aread.stored_evaluation x USING v WHERE x.version_id = v.version_id)," \
	" m AS (DELETE FROM aread.stored_mask_update x USING v WHERE x.version_id = v.version_id)" \
	" SELECT version_id FROM v"

/* Runs a statement whose parameters are a model's id, a number and a text (NULL: NULL). */
static uint64
run(const char *sql, int64 id, int64 number, const char *text)
{
	Oid			types[] = {INT8OID, INT8OID, TEXTOID};
	Datum		values[] = {Int64GetDatum(id), Int64GetDatum(number),
	text ? CStringGetTextDatum(text) : (Datum) 0};
	char		nulls[] = {' ', ' ', text ? ' ' : 'n'};

	return catalog_query(sql, false, 3, types, values, nulls);
}

/* Enter the catalog with a lock on a model that must exist, and be the user's. */
static LockedModel
enter_owned(CatalogAccess *access, const char *name)
{
	Oid			user = GetUserId();
	LockedModel model;

	catalog_enter(access);
	lock_model(user, name, MISSING_IS_ERROR, &model);
	return model;
}

static void
require_version(const LockedModel *model, int32 version)
{
	if (run("SELECT FROM aread.stored_version WHERE model_id = $1 AND version = $2",
			model->id, version, NULL) == 1)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("model \"%s\" has no version %d", model->name, version),
			 errhint("The view aread.model lists its versions.")));
}

/* previous 0: none */
static void
set_deployed(const LockedModel *model, int32 version, int32 previous)
{
	Arguments	arguments = {0};

	add_int8(&arguments, model->id);
	add_int4(&arguments, version);
	add_int4(&arguments, previous);
	run_statement("UPDATE aread.stored_model SET deployed_version = $2,"
				  " previous_version = NULLIF($3, 0) WHERE model_id = $1", &arguments);
}

static void
check_text(const char *what, const char *text)
{
	if (text && strlen(text) > MAX_COMMENT)
		ereport(ERROR,
				(errcode(ERRCODE_STRING_DATA_RIGHT_TRUNCATION),
				 errmsg("%s has more than %d bytes", what, MAX_COMMENT),
				 errhint("It is shown to everyone who may score with the model.")));
}

int32
catalog_new_version(const LockedModel *model, bool deploy)
{
	Arguments	arguments = {0};
	int32		version;

	add_int8(&arguments, model->id);
	run_statement("UPDATE aread.stored_model m SET last_version = 1 + GREATEST(m.last_version,"
				  " (SELECT COALESCE(pg_catalog.max(v.version), 0) FROM aread.stored_version v"
				  " WHERE v.model_id = m.model_id)) WHERE m.model_id = $1 RETURNING m.last_version",
				  &arguments);
	version = DatumGetInt32(catalog_value(0, 1, NULL));
	add_int4(&arguments, version);
	if (deploy)
		run_statement("UPDATE aread.stored_model SET deployed_version = $2,"
			" previous_version = NULLIF(deployed_version, 0) WHERE model_id = $1", &arguments);
	return version;
}

int32
catalog_deploy(const char *name, int32 version, const char *reason)
{
	CatalogAccess access;
	LockedModel model;

	check_text("reason", reason);
	model = enter_owned(&access, name);
	require_version(&model, version);
	if (version != model.deployed)
	{
		set_deployed(&model, version, model.deployed);
		history_add(&model, &(HistoryEvent) {"deploy", version, true, reason});
	}
	catalog_leave(&access);
	return model.deployed;
}

int32
catalog_roll_back(const char *name, const char *reason)
{
	CatalogAccess access;
	LockedModel model;
	WayBack		back;

	check_text("reason", reason);
	model = enter_owned(&access, name);
	back = history_way_back(&model);
	if (back.version == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("there is no version of model \"%s\" to roll back to", name),
				 back.gone == 0 ? errdetail("No other version was deployed before.") :
				 errdetail("Version %d, which was deployed before, is gone.", back.gone),
				 errhint("aread_deploy chooses a version.")));
	/* what keep_versions is to spare: where the next call goes */
	set_deployed(&model, back.version, back.next);
	history_add(&model, &(HistoryEvent) {"rollback", back.version, true, reason});
	catalog_leave(&access);
	return back.version;
}

/* Pinned in the sense of aread_pin(). */
static bool
is_kept(const LockedModel *model, int32 version)
{
	return run("SELECT FROM aread.stored_model WHERE model_id = $1"
			   " AND $2::int4 = ANY (pinned_versions)", model->id, version, NULL) == 1;
}

bool
catalog_keep_version(const char *name, bool keep)
{
	ModelName	parsed = model_name_parse(name);
	CatalogAccess access;
	LockedModel model;
	bool		changed;

	if (parsed.version == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" names no version", name),
				 errhint("Name the version to be pinned: \"%s@1\".", name)));
	model = enter_owned(&access, parsed.name);
	require_version(&model, parsed.version);
	changed = is_kept(&model, parsed.version) != keep;
	if (changed)
		run(keep ?
			"UPDATE aread.stored_model SET pinned_versions ="
			" pg_catalog.array_append(pinned_versions, $2::int4) WHERE model_id = $1" :
			"UPDATE aread.stored_model SET pinned_versions ="
			" pg_catalog.array_remove(pinned_versions, $2::int4) WHERE model_id = $1",
			model.id, parsed.version, NULL);
	catalog_leave(&access);
	return changed;
}

void
catalog_drop_version(const char *name, int32 version)
{
	CatalogAccess access;
	LockedModel model;

	model = enter_owned(&access, name);
	require_version(&model, version);
	if (version == model.deployed)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("version %d of model \"%s\" is deployed", version, name),
				 errhint("Deploy another version first, or drop the model with aread_drop.")));
	if (is_kept(&model, version))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("version %d of model \"%s\" is pinned", version, name),
				 errhint("Unpin it first: aread_pin('%s@%d', pinned => false).", name, version)));
	history_add(&model, &(HistoryEvent) {"drop_version", version, false, NULL});
	run(DELETE_VERSIONS("v.model_id = $1 AND v.version = $2"), model.id, version, NULL);
	catalog_leave(&access);
}

static void
check_none_kept(const LockedModel *model)
{
	if (run("SELECT pg_catalog.array_to_string(pinned_versions, ', ') FROM aread.stored_model"
			" WHERE model_id = $1 AND pg_catalog.cardinality(pinned_versions) > 0", model->id, 0,
			NULL) == 1)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("model \"%s\" has versions that are pinned", model->name),
				 errdetail("These are: %s.", TextDatumGetCString(catalog_value(0, 1, NULL))),
				 errhint("Unpin each first, with aread_pin(..., pinned => false).")));
}

bool
catalog_drop(const char *name)
{
	Oid			user = GetUserId();
	CatalogAccess access;
	LockedModel model;
	bool		found;

	catalog_enter(&access);
	found = lock_model(user, name, MISSING_IS_FALSE, &model);
	if (found)
	{
		check_none_kept(&model);
		history_drop(&model);
		run(DELETE_VERSIONS("v.model_id = $1"), model.id, 0, NULL);
		run("DELETE FROM aread.stored_grant WHERE model_id = $1", model.id, 0, NULL);
		run("DELETE FROM aread.stored_model WHERE model_id = $1", model.id, 0, NULL);
	}
	catalog_leave(&access);
	return found;
}

void
catalog_keep(const LockedModel *model, int32 versions)
{
	run(DELETE_VERSIONS("v.model_id = $1 AND NOT EXISTS (SELECT FROM aread.stored_model m"
						" WHERE m.model_id = $1"
						" AND v.version = ANY (m.pinned_versions || m.deployed_version || m.previous_version))"
						" AND v.version NOT IN (SELECT n.version FROM aread.stored_version n"
						" WHERE n.model_id = $1 ORDER BY n.version DESC LIMIT $2)"),
		model->id, versions, NULL);
}

void
catalog_rename(const char *name, const char *new_name)
{
	Oid			user = GetUserId();
	CatalogAccess access;
	LockedModel model;

	catalog_enter(&access);
	model = lock_model_to_rename(user, name, new_name);
	run("UPDATE aread.stored_model SET name = $3 WHERE model_id = $1", model.id, 0, new_name);
	catalog_leave(&access);
}

void
catalog_comment(const char *name, const char *comment)
{
	ModelName	parsed = model_name_parse(name);
	CatalogAccess access;
	LockedModel model;

	check_text("comment", comment);
	model = enter_owned(&access, parsed.name);
	if (parsed.version > 0)
	{
		require_version(&model, parsed.version);
		run("UPDATE aread.stored_version SET comment = $3 WHERE model_id = $1 AND version = $2",
			model.id, parsed.version, comment);
	}
	else
		run("UPDATE aread.stored_model SET comment = $3 WHERE model_id = $1", model.id, 0,
			comment);
	catalog_leave(&access);
}

void
catalog_set_owner(const char *name, Oid owner)
{
	CatalogAccess access;
	LockedModel model;

	model = enter_owned(&access, name);
	/* as with tables: one must be able to become the new owner */
	if (!superuser_arg(model.user))
		check_can_become(model.user, owner);
	run("UPDATE aread.stored_model SET owner = aread.as_role($2::oid), owner_name = $3 WHERE model_id = $1",
		model.id, owner, GetUserNameFromId(owner, false));
	catalog_leave(&access);
}

bool
catalog_grant(const char *name, Oid role, ModelRight right)
{
	const char *role_name = OidIsValid(role) ? GetUserNameFromId(role, false) : "public";
	Arguments	arguments = {0};
	CatalogAccess access;
	LockedModel model;
	bool		granted;

	model = enter_owned(&access, name);
	add_int8(&arguments, model.id);
	add_oid(&arguments, role);
	add_text(&arguments, role_name);
	add_text(&arguments, right_name(right));
	granted = run_statement("INSERT INTO aread.stored_grant (model_id, grantee, grantee_name, privilege)"
							" SELECT $1, aread.as_role($2), $3, $4 WHERE NOT EXISTS"
							" (SELECT FROM aread.stored_grant" GRANTED_TO " AND privilege = $4)",
							&arguments) > 0;
	catalog_leave(&access);
	return granted;
}

bool
catalog_revoke(const char *name, Oid role, ModelRight right)
{
	CatalogAccess access;
	LockedModel model;
	bool		revoked;

	model = enter_owned(&access, name);
	revoked = run("DELETE FROM aread.stored_grant" GRANTED_TO " AND privilege = COALESCE($3, privilege)",
				  model.id, role, right == ANY_RIGHT ? NULL : right_name(right)) > 0;
	catalog_leave(&access);
	return revoked;
}
