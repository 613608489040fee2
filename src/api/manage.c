/*
 * manage.c
 *	  aread_drop(), aread_register(), aread_unregister(): models and sources as
 *	  things to keep in order.
 */
#include "postgres.h"

#include "api/roles.h"
#include "catalog/models.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_class.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "source/reader.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

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

/*
 * What is registered holds for everyone who reads the relation, so it is for
 * those to say who own it; reading is checked when reading is done.
 */
static void
check_owner(Oid relation)
{
#if PG_VERSION_NUM >= 160000
	bool		owner = object_ownercheck(RelationRelationId, relation, GetUserId());
#else
	bool		owner = pg_class_ownercheck(relation, GetUserId());
#endif

	if (!owner)
		aclcheck_error(ACLCHECK_NOT_OWNER, get_relkind_objtype(get_rel_relkind(relation)),
					   get_rel_name(relation));
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
	roles = roles_resolve(fcinfo, PG_GETARG_OID(0), &arguments, NULL);
	check_owner(roles->relation);
	source_check_roles(roles);
	roles_report_no_label(roles);
	catalog_register(roles);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(aread_unregister);
/* aread_unregister(source) */
Datum
aread_unregister(PG_FUNCTION_ARGS)
{
	Oid			relation = PG_GETARG_OID(0);

	PreventCommandIfReadOnly("aread_unregister()");
	check_relation(relation);
	check_owner(relation);
	PG_RETURN_BOOL(catalog_unregister(relation));
}
