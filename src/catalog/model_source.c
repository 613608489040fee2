/*
 * model_source.c
 *	  The source that a model is of.
 */
#include "postgres.h"

#include "catalog/model_source.h"

#include "access/xact.h"
#include "catalog/access.h"
#include "catalog/pg_type.h"
#include "catalog/rights.h"
#include "miscadmin.h"
#include "source/read/relation.h"
#include "utils/builtins.h"
#include "utils/varlena.h"

/* Temporary tables of one name are each other's successors: every session has a schema of its own. */
static const char *
schema_of(const char *name)
{
	return strncmp(name, "pg_temp", strlen("pg_temp")) == 0 ? "pg_temp" : name;
}

/* Two qualified names, which may be quoted for other keywords or settings. */
static bool
is_same(const char *name, const char *other)
{
	List	   *parts;
	List	   *others;

	if (strcmp(name, other) == 0)
		return true;
	return SplitIdentifierString(pstrdup(name), '.', &parts) && list_length(parts) == 2 &&
		SplitIdentifierString(pstrdup(other), '.', &others) && list_length(others) == 2 &&
		strcmp(schema_of(linitial(parts)), schema_of(linitial(others))) == 0 &&
		strcmp(lsecond(parts), lsecond(others)) == 0;
}

/* What the user's model of that name is of, if that is another source; NULL: nothing is in the way. */
static char *
other_source(const char *name, const char *full_name, Oid user, MemoryContext context)
{
	Oid			type = TEXTOID;
	Datum		value = CStringGetTextDatum(name);
	char	   *source;

	CommandCounterIncrement();
	if (catalog_query_now("SELECT m.name, m.owner, v.source_name FROM aread.stored_model m"
						  " JOIN aread.stored_version v ON v.model_id = m.model_id WHERE m.name = $1"
						  " ORDER BY v.version = m.deployed_version DESC, v.version DESC LIMIT 1",
						  1, &type, &value) == 0 || !row_is_owned(user, 0))
		return NULL;
	source = catalog_text(3, context);
	return is_same(source, full_name) ? NULL : source;
}

static void
is_of_other(const NewModel *new, const char *source)
{
	const char *full_name = new->roles->relation->full_name;

	ereport(ERROR,
			(errcode(ERRCODE_DUPLICATE_OBJECT),
			 errmsg("model \"%s\" is of another source, %s", new->name, source),
			 errdetail("The training reads %s, and no argument names its model.", full_name),
			 errhint("Name it by argument \"model\": a new name keeps the two apart, \"%s\" replaces that model.",
					 new->name)));
}

void
model_source_check(const NewModel *new, bool tell)
{
	MemoryContext context = CurrentMemoryContext;
	Oid			user = GetUserId();
	CatalogAccess access;
	char	   *source;

	catalog_enter(&access);
	source = other_source(new->name, new->roles->relation->full_name, user, context);
	catalog_leave(&access);
	if (source && !new->name_given)
		is_of_other(new, source);
	if (source && tell)
		ereport(NOTICE,
				(errmsg("model \"%s\" was of another source, %s", new->name, source),
				 errdetail("Its new version is of %s.", new->roles->relation->full_name)));
}

void
model_source_require(Oid user, const NewModel *new)
{
	char	   *source;

	if (new->name_given)
		return;
	source = other_source(new->name, new->roles->relation->full_name, user, CurrentMemoryContext);
	if (source)
		is_of_other(new, source);
}

void
model_source_require_import(Oid user, const char *name, const char *source)
{
	char	   *other = other_source(name, source, user, CurrentMemoryContext);

	if (other)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("model \"%s\" is of another source, %s", name, other),
				 errdetail("The version to import is of %s, and no argument names its model.", source),
				 errhint("Name it by argument \"model\": a new name keeps the two apart, \"%s\" replaces that model.",
						 name)));
}
