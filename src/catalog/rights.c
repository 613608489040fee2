/*
 * rights.c
 *	  What a model's name means, and who may do what with it.
 */
#include "postgres.h"

#include "catalog/rights.h"

#include "catalog/access.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"

#define MAX_NAME 200
#define MAX_VERSION_DIGITS 9

/* Where a pin begins, at its '@'; NULL: there is none. */
static const char *
find_pin(const char *text)
{
	const char *pin = strrchr(text, '@');
	size_t		digits = pin ? strspn(pin + 1, "0123456789") : 0;

	return digits > 0 && digits <= MAX_VERSION_DIGITS && pin[1 + digits] == '\0' && pin[1] != '0' ?
		pin : NULL;
}

ModelName
model_name_parse(const char *text)
{
	const char *pin = find_pin(text);

	if (!pin)
		return (ModelName) {.name = pstrdup(text)};
	return (ModelName) {.name = pnstrdup(text, pin - text),.version = pg_strtoint32(pin + 1)};
}

void
model_name_check(const char *name)
{
	if (name[0] == '\0' || strlen(name) > MAX_NAME)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("model name must have between 1 and %d bytes", MAX_NAME)));
	if (find_pin(name))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("model name must not end with @ and a number"),
				 errdetail("\"%s\" means a version of a model.", name)));
}

bool
has_noted_role(Oid user, Oid role, const char *role_name)
{
	char	   *present = GetUserNameFromId(role, true);

	return present && strcmp(present, role_name) == 0 && has_privs_of_role(user, role);
}

bool
row_is_owned(Oid user, uint64 row)
{
	return superuser_arg(user) ||
		has_noted_role(user, DatumGetObjectId(catalog_value(row, 2, NULL)),
					   NameStr(*DatumGetName(catalog_value(row, 3, NULL))));
}

bool
is_granted(Oid user, int64 model_id)
{
	Oid			type = INT8OID;
	Datum		value = Int64GetDatum(model_id);
	uint64		n = catalog_query("SELECT grantee, grantee_name FROM aread.stored_grant"
								  " WHERE model_id = $1", true, 1, &type, &value, NULL);

	for (uint64 row = 0; row < n; row++)
	{
		Oid			grantee = DatumGetObjectId(catalog_value(row, 1, NULL));

		/* 0 is PUBLIC */
		if (!OidIsValid(grantee) ||
			has_noted_role(user, grantee, NameStr(*DatumGetName(catalog_value(row, 2, NULL)))))
			return true;
	}
	return false;
}

void
no_right(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied for model \"%s\"", name),
			 errdetail("It belongs to another role."),
			 errhint("Its owner can grant you to score with it: aread_grant. All else is for members of the owning role.")));
}

void
catalog_require_owner(const char *name)
{
	Oid			user = GetUserId();
	Oid			type = TEXTOID;
	Datum		value = CStringGetTextDatum(model_name_parse(name).name);
	CatalogAccess access;
	bool		allowed = true;

	catalog_enter(&access);
	if (catalog_query("SELECT name, owner, owner_name FROM aread.stored_model WHERE name = $1", true,
					  1, &type, &value, NULL) == 1)
		allowed = row_is_owned(user, 0);
	catalog_leave(&access);
	if (!allowed)
		no_right(model_name_parse(name).name);
}
