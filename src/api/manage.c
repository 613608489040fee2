/*
 * manage.c
 *	  aread_drop(), aread_deploy(), aread_grant(), aread_register() and others:
 *	  models and sources as things to keep in order.
 *
 * The functions check what kind of transaction they are in and turn arguments into
 * those of the catalog; rights and locks are the catalog's to check and take
 * (catalog/versions.h).
 */
#include "postgres.h"

#include "api/role_arguments.h"
#include "catalog/models.h"
#include "catalog/objectaddress.h"
#include "catalog/transfer.h"
#include "catalog/versions.h"
#include "compat.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "source/roles.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(aread_drop);
/* aread_drop(model, if_exists) */
Datum
aread_drop(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	bool		found;

	PreventCommandIfReadOnly("aread_drop()");
	found = catalog_drop(name);
	if (!found && !PG_GETARG_BOOL(1))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("model \"%s\" does not exist", name),
				 errhint("The view aread.model lists the models that you can drop.")));
	PG_RETURN_BOOL(found);
}

static char *
text_argument(FunctionCallInfo fcinfo, int argument)
{
	return text_to_cstring(PG_GETARG_TEXT_PP(argument));
}

PG_FUNCTION_INFO_V1(aread_deploy);
/* aread_deploy(model, version [, reason]): the version that was deployed before */
Datum
aread_deploy(PG_FUNCTION_ARGS)
{
	int32		before;

	PreventCommandIfReadOnly("aread_deploy()");
	before = catalog_deploy(text_argument(fcinfo, 0), PG_GETARG_INT32(1),
							PG_NARGS() > 2 ? text_argument(fcinfo, 2) : NULL);
	if (before == 0)
		PG_RETURN_NULL();
	PG_RETURN_INT32(before);
}

PG_FUNCTION_INFO_V1(aread_rollback);
/* aread_rollback(model [, reason]): the version that is deployed now */
Datum
aread_rollback(PG_FUNCTION_ARGS)
{
	PreventCommandIfReadOnly("aread_rollback()");
	PG_RETURN_INT32(catalog_roll_back(text_argument(fcinfo, 0),
									  PG_NARGS() > 1 ? text_argument(fcinfo, 1) : NULL));
}

PG_FUNCTION_INFO_V1(aread_pin);
/* aread_pin(model@version, pinned): false if it was so already */
Datum
aread_pin(PG_FUNCTION_ARGS)
{
	PreventCommandIfReadOnly("aread_pin()");
	PG_RETURN_BOOL(catalog_keep_version(text_argument(fcinfo, 0), PG_GETARG_BOOL(1)));
}

PG_FUNCTION_INFO_V1(aread_drop_version);
/* aread_drop_version(model, version) */
Datum
aread_drop_version(PG_FUNCTION_ARGS)
{
	PreventCommandIfReadOnly("aread_drop_version()");
	catalog_drop_version(text_argument(fcinfo, 0), PG_GETARG_INT32(1));
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(aread_rename);
/* aread_rename(model, new_name) */
Datum
aread_rename(PG_FUNCTION_ARGS)
{
	PreventCommandIfReadOnly("aread_rename()");
	catalog_rename(text_argument(fcinfo, 0), text_argument(fcinfo, 1));
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(aread_comment);
/* aread_comment(model, comment); NULL takes the comment away */
Datum
aread_comment(PG_FUNCTION_ARGS)
{
	PreventCommandIfReadOnly("aread_comment()");
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("model must not be NULL")));
	catalog_comment(text_argument(fcinfo, 0),
					PG_ARGISNULL(1) ? NULL : text_argument(fcinfo, 1));
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(aread_set_owner);
/* aread_set_owner(model, role) */
Datum
aread_set_owner(PG_FUNCTION_ARGS)
{
	PreventCommandIfReadOnly("aread_set_owner()");
	catalog_set_owner(text_argument(fcinfo, 0),
					  get_role_oid(NameStr(*PG_GETARG_NAME(1)), false));
	PG_RETURN_VOID();
}

/* A role by its name; "public" is every role. */
static Oid
grantee_argument(FunctionCallInfo fcinfo, int argument)
{
	const char *name = NameStr(*PG_GETARG_NAME(argument));

	return strcmp(name, "public") == 0 ? InvalidOid : get_role_oid(name, false);
}

/* A right by its name, if the call has that argument. */
static ModelRight
right_argument(FunctionCallInfo fcinfo, int argument, ModelRight otherwise)
{
	return PG_NARGS() > argument ? right_of_name(text_argument(fcinfo, argument)) : otherwise;
}

PG_FUNCTION_INFO_V1(aread_grant);
/* aread_grant(model, role [, privilege]): false if it had the right already */
Datum
aread_grant(PG_FUNCTION_ARGS)
{
	PreventCommandIfReadOnly("aread_grant()");
	PG_RETURN_BOOL(catalog_grant(text_argument(fcinfo, 0), grantee_argument(fcinfo, 1),
								 right_argument(fcinfo, 2, RIGHT_TO_PREDICT)));
}

PG_FUNCTION_INFO_V1(aread_revoke);
/* aread_revoke(model, role [, privilege]): false if it had not the right, or none */
Datum
aread_revoke(PG_FUNCTION_ARGS)
{
	PreventCommandIfReadOnly("aread_revoke()");
	PG_RETURN_BOOL(catalog_revoke(text_argument(fcinfo, 0), grantee_argument(fcinfo, 1),
								  right_argument(fcinfo, 2, ANY_RIGHT)));
}

PG_FUNCTION_INFO_V1(aread_export);
/* aread_export(model) */
Datum
aread_export(PG_FUNCTION_ARGS)
{
	PG_RETURN_BYTEA_P(catalog_export(text_argument(fcinfo, 0)));
}

PG_FUNCTION_INFO_V1(aread_import);
/* aread_import(data, model, deploy): the new version's number */
Datum
aread_import(PG_FUNCTION_ARGS)
{
	PreventCommandIfReadOnly("aread_import()");
	PreventCommandIfParallelMode("aread_import()");
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_INT32(catalog_import(PG_GETARG_BYTEA_PP(0),
								   PG_ARGISNULL(1) ? NULL : text_argument(fcinfo, 1),
								   PG_ARGISNULL(2) || PG_GETARG_BOOL(2)));
}

/*
 * What is registered holds for everyone who reads the relation, so it is for
 * those to say who own it; reading is checked when reading is done.
 */
static void
check_owner(const SourceRelation *relation)
{
	if (!relation_is_owned(relation->id, GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER, get_relkind_objtype(relation->kind), relation->name);
}

PG_FUNCTION_INFO_V1(aread_register);
/* aread_register(source, label, domain, user_id, item_id, features, split,
 * weight) */
Datum
aread_register(PG_FUNCTION_ARGS)
{
	static const RoleArguments arguments = {
		.label = 1,.domain = 2,.user_id = 3,.item_id = 4,.features = 5,.split = 6,
		.weight = 7
	};
	ColumnRoles *roles;

	PreventCommandIfReadOnly("aread_register()");
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("source must not be NULL")));
	roles = roles_resolve(fcinfo, source_open(PG_GETARG_OID(0)), &arguments, NULL);
	check_owner(roles->relation);
	roles_check(roles);
	roles_tell(roles, NULL, NULL);
	catalog_register(roles);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(aread_unregister);
/* aread_unregister(source) */
Datum
aread_unregister(PG_FUNCTION_ARGS)
{
	const SourceRelation *relation;

	PreventCommandIfReadOnly("aread_unregister()");
	relation = source_open(PG_GETARG_OID(0));
	check_owner(relation);
	PG_RETURN_BOOL(catalog_unregister(relation->id));
}
