/*
 * role_arguments.c
 *	  Column roles out of a call's arguments.
 */
#include "postgres.h"

#include "api/role_arguments.h"

#include "catalog/pg_type.h"
#include "source/roles.h"
#include "utils/array.h"
#include "utils/builtins.h"

static char *
text_argument(FunctionCallInfo fcinfo, int argument)
{
	if (argument < 0 || PG_ARGISNULL(argument))
		return NULL;
	return text_to_cstring(PG_GETARG_TEXT_PP(argument));
}

/*
 * A role that need not be filled: its default name counts if there is such a
 * column, and it is not the label, or "taken" by another role (NULL: none).  The
 * label itself is one: logs may hold positives only.
 */
static char *
optional_role(FunctionCallInfo fcinfo, int argument, char *known, const ColumnRoles *roles,
			  const char *taken, const char *default_name)
{
	char	   *given = text_argument(fcinfo, argument);

	if (given)
		return given;
	if (known)
		return known;
	if ((roles->label && strcmp(roles->label, default_name) == 0) ||
		(taken && strcmp(taken, default_name) == 0) ||
		!OidIsValid(source_column_type(roles->relation, default_name)))
		return NULL;
	return pstrdup(default_name);
}

/*
 * An empty name declines the label, for logs of positives only that have a
 * column called like one; so does a registration without a label.
 */
static char *
label_role(FunctionCallInfo fcinfo, int argument, const ColumnRoles *known,
		   const ColumnRoles *roles)
{
	char	   *given = text_argument(fcinfo, argument);

	if (given)
		return given[0] == '\0' ? NULL : given;
	if (known)
		return known->label;
	return optional_role(fcinfo, -1, NULL, roles, NULL, "label");
}

static char *
required_role(FunctionCallInfo fcinfo, int argument, char *known, const char *default_name)
{
	char	   *given = text_argument(fcinfo, argument);

	if (given)
		return given;
	return known ? known : pstrdup(default_name);
}

static List *
feature_list(FunctionCallInfo fcinfo, int argument)
{
	List	   *features = NIL;
	Datum	   *values;
	bool	   *nulls;
	int			n;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(argument), TEXTOID, -1, false, TYPALIGN_INT,
					  &values, &nulls, &n);
	if (n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the list of features is empty"),
				 errhint("Leave the argument out to use every column but label, split and weight.")));
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("the list of features contains NULL")));
		features = lappend(features, TextDatumGetCString(values[i]));
	}
	return features;
}

ColumnRoles *
roles_resolve(FunctionCallInfo fcinfo, const SourceRelation *relation,
			  const RoleArguments *arguments, const ColumnRoles *known)
{
	static const ColumnRoles nothing = {0};
	ColumnRoles *roles = palloc0(sizeof(ColumnRoles));

	roles->relation = relation;
	roles->label = label_role(fcinfo, arguments->label, known, roles);
	if (!known)
		known = &nothing;
	roles->domain = required_role(fcinfo, arguments->domain, known->domain, "domain");
	roles->user_id = optional_role(fcinfo, arguments->user_id, known->user_id, roles,
								   text_argument(fcinfo, arguments->item_id), "user_id");
	roles->item_id = optional_role(fcinfo, arguments->item_id, known->item_id, roles,
								   roles->user_id, "item_id");
	roles->split = optional_role(fcinfo, arguments->split, known->split, roles, NULL, "split");
	roles->weight = text_argument(fcinfo, arguments->weight);
	if (!roles->weight)
		roles->weight = known->weight;
	roles->features = PG_ARGISNULL(arguments->features) ? known->features :
		feature_list(fcinfo, arguments->features);
	return roles;
}

void
roles_require_label(const ColumnRoles *roles, bool negatives)
{
	char	   *near;

	if (negatives || roles->label)
		return;
	near = roles_near(roles, "label");
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("relation \"%s\" has no label column", roles->relation->name),
			 errdetail("A label says which rows are positive; where no argument names it, it is the column \"label\"."),
			 near ? errhint("Perhaps it is the column \"%s\": pass label => %s.", near,
							quote_literal_cstr(near)) :
			 errhint("Name it by argument \"label\"; if every row is positive, set option \"negatives\".")));
}
