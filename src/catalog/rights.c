/*
 * rights.c
 *	  What a model's name means, and who may do what with it.
 *
 * Owner and grants are read from rows as the extension's owner, for callers have no
 * rights on these tables.  Rights are looked up under the active snapshot, and
 * nothing of them is kept here.
 */
#include "postgres.h"

#include "catalog/rights.h"

#include "catalog/access.h"
#include "catalog/pg_type.h"
#include "catalog/stored_role.h"
#include "miscadmin.h"
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

static void
bad_length(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_NAME),
			 errmsg("model name must have between 1 and %d bytes", MAX_NAME)));
}

ModelName
model_name_parse(const char *text)
{
	const char *pin = find_pin(text);

	/* no model has such a name, and no message need carry it */
	if (strlen(text) > MAX_NAME + 1 + MAX_VERSION_DIGITS)
		bad_length();
	if (!pin)
		return (ModelName) {.name = pstrdup(text)};
	return (ModelName) {.name = pnstrdup(text, pin - text),.version = pg_strtoint32(pin + 1)};
}

void
model_name_check(const char *name)
{
	if (name[0] == '\0' || strlen(name) > MAX_NAME)
		bad_length();
	if (find_pin(name))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("model name must not end with @ and a number"),
				 errdetail("\"%s\" means a version of a model.", name)));
}

bool
row_is_owned(Oid user, uint64 row)
{
	return superuser_arg(user) || stored_role_is_held(user, catalog_value(row, 2, NULL));
}

static const char *const right_names[] = {"predict", "explain"};

StaticAssertDecl(lengthof(right_names) == N_RIGHTS, "each right has a name");

const char *
right_name(ModelRight right)
{
	return right_names[right];
}

ModelRight
right_of_name(const char *name)
{
	for (int right = 0; right < N_RIGHTS; right++)
		if (strcmp(right_names[right], name) == 0)
			return right;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("there is no right \"%s\"", name),
			 errhint("Rights to a model are \"predict\" and \"explain\".")));
}

bool
is_granted(Oid user, int64 model_id, ModelRight right)
{
	Oid			types[] = {INT8OID, TEXTOID};
	Datum		values[] = {Int64GetDatum(model_id),
	right == ANY_RIGHT ? (Datum) 0 : CStringGetTextDatum(right_name(right))};
	/* scores go on where the extension is still to be updated from 0.3.0, which has no such column */
	uint64		n = catalog_query("SELECT grantee FROM aread.stored_grant g WHERE model_id = $1"
								  " AND ($2 IS NULL OR COALESCE(pg_catalog.to_jsonb(g) ->> 'privilege', 'predict') = $2)",
								  true, 2, types, values, right == ANY_RIGHT ? " n" : NULL);

	for (uint64 row = 0; row < n; row++)
		if (stored_role_is_held(user, catalog_value(row, 1, NULL)))
			return true;
	return false;
}

void
no_right(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied for model \"%s\"", name),
			 errdetail("It belongs to another role."),
			 errhint("Its owner can grant you to score with it, or to have scores explained: aread_grant. All else is for members of the owning role.")));
}

/* Select the model of a version as row_is_owned() wants it, and its id; false: it is gone. */
static bool
select_model(int64 version_id)
{
	return catalog_query_id("SELECT m.name, m.owner, m.model_id FROM aread.stored_model m"
							" JOIN aread.stored_version v ON v.model_id = m.model_id"
							" WHERE v.version_id = $1", version_id) == 1;
}

bool
catalog_may_use(int64 version_id)
{
	Oid			user = GetUserId();
	CatalogAccess access;
	bool		allowed;

	catalog_enter(&access);
	allowed = select_model(version_id) &&
		(row_is_owned(user, 0) || is_granted(user, DatumGetInt64(catalog_value(0, 3, NULL)), RIGHT_TO_PREDICT));
	catalog_leave(&access);
	return allowed;
}

void
catalog_require_owner(int64 version_id, const char *name)
{
	Oid			user = GetUserId();
	CatalogAccess access;
	bool		allowed;

	catalog_enter(&access);
	allowed = select_model(version_id) && row_is_owned(user, 0);
	catalog_leave(&access);
	if (!allowed)
		no_right(model_name_parse(name).name);
}
