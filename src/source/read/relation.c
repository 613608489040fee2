/*
 * relation.c
 *	  A relation that rows are to be read from, opened and locked once.
 *
 * Whoever may not read the relation gets an error before it is locked.  Then it is
 * opened by its OID, and name and columns are copied from the open relation.  The
 * lock (AccessShareLock) stays until the transaction ends; the copy lies in the
 * memory context of the caller.
 */
#include "postgres.h"

#include "source/read/relation.h"

#include "access/relation.h"
#include "catalog/objectaddress.h"
#include "miscadmin.h"
#include "nearest.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

static void
check_kind(Relation opened)
{
	char		kind = opened->rd_rel->relkind;

	switch (kind)
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
					 errmsg("cannot read interactions from \"%s\"", RelationGetRelationName(opened)),
					 errdetail_relkind_not_supported(kind),
					 errhint("Use a table, view, materialized view, partitioned table or foreign table.")));
	}
}

/* A schema is not locked with its relations: it may have been renamed, but is there. */
static char *
full_name(Relation opened)
{
	return quote_qualified_identifier(get_namespace_name(RelationGetNamespace(opened)),
									  RelationGetRelationName(opened));
}

/*
 * Who may read nothing of a relation shall not hold up others by a lock on it.
 * What is read of it is checked when it is read.
 */
static void
check_rights(Oid relation)
{
	Oid			user = GetUserId();
	bool		missing = false;
	char	   *name;

	if (pg_class_aclcheck_ext(relation, user, ACL_SELECT, &missing) == ACLCHECK_OK || missing ||
		pg_attribute_aclcheck_all(relation, user, ACL_SELECT, ACLMASK_ANY) == ACLCHECK_OK ||
		relation_is_owned(relation, user))
		return;
	name = get_rel_name(relation);
	aclcheck_error(ACLCHECK_NO_PRIV, get_relkind_objtype(get_rel_relkind(relation)),
				   name ? name : "");
}

SourceRelation *
source_open(Oid relation)
{
	SourceRelation *source = palloc(sizeof(SourceRelation));
	Relation	opened;

	check_rights(relation);
	opened = try_relation_open(relation, AccessShareLock);
	if (!opened)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relation)));
	check_kind(opened);
	*source = (SourceRelation) {
		.id = relation,
		.row_type = opened->rd_rel->reltype,
		.owner = opened->rd_rel->relowner,
		.kind = opened->rd_rel->relkind,
		.name = pstrdup(RelationGetRelationName(opened)),
		.full_name = full_name(opened),
		.columns = CreateTupleDescCopy(RelationGetDescr(opened))
	};
	/* the lock stays */
	relation_close(opened, NoLock);
	return source;
}

AttrNumber
source_column_number(const SourceRelation *relation, const char *name)
{
	for (int i = 0; i < relation->columns->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(relation->columns, i);

		if (!attribute->attisdropped && strcmp(NameStr(attribute->attname), name) == 0)
			return attribute->attnum;
	}
	return 0;
}

bool
source_may_read(const SourceRelation *relation, const char *column)
{
	return pg_class_aclcheck(relation->id, GetUserId(), ACL_SELECT) == ACLCHECK_OK ||
		pg_attribute_aclcheck(relation->id, source_column_number(relation, column), GetUserId(),
							  ACL_SELECT) == ACLCHECK_OK;
}

Oid
source_column_type(const SourceRelation *relation, const char *name)
{
	AttrNumber	number = source_column_number(relation, name);

	return number > 0 ? TupleDescAttr(relation->columns, number - 1)->atttypid : InvalidOid;
}

Oid
source_column_collation(const SourceRelation *relation, const char *name)
{
	AttrNumber	number = source_column_number(relation, name);

	return number > 0 ? TupleDescAttr(relation->columns, number - 1)->attcollation : InvalidOid;
}

List *
source_column_names(const SourceRelation *relation)
{
	List	   *names = NIL;

	for (int i = 0; i < relation->columns->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(relation->columns, i);

		if (!attribute->attisdropped)
			names = lappend(names, pstrdup(NameStr(attribute->attname)));
	}
	return names;
}

bool
source_has_columns(const SourceRelation *relation, TupleDesc columns)
{
	if (columns->natts != relation->columns->natts)
		return false;
	for (int i = 0; i < columns->natts; i++)
	{
		Form_pg_attribute own = TupleDescAttr(relation->columns, i);
		Form_pg_attribute other = TupleDescAttr(columns, i);

		if (own->attisdropped != other->attisdropped || own->atttypid != other->atttypid ||
			strcmp(NameStr(own->attname), NameStr(other->attname)) != 0)
			return false;
	}
	return true;
}

void
source_has_changed(const SourceRelation *relation)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("relation \"%s\" has changed since it was opened", relation->name),
			 errhint("Call the function again.")));
}

pg_noreturn static void
missing_column(const SourceRelation *relation, const char *name, const char *role,
			   const char *hint)
{
	NearestName nearest;
	ListCell   *cell;

	nearest_start(&nearest, name);
	foreach(cell, source_column_names(relation))
		nearest_offer(&nearest, lfirst(cell));
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("column \"%s\" of relation \"%s\" does not exist", name, relation->name),
			 errdetail("It is to be the %s column.", role),
			 nearest.name ? errhint("Perhaps you mean the column \"%s\".", nearest.name) :
			 errhint("%s", hint)));
}

void
source_missing_column(const SourceRelation *relation, const char *name, const char *role)
{
	missing_column(relation, name, role,
				   "Name the column that plays this part, or keep it with aread_register.");
}

void
source_missing_model_column(const SourceRelation *relation, const char *name, const char *role)
{
	missing_column(relation, name, role,
				   "Models read columns by the names that they were trained with: pass a view that has this one.");
}
