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

/* What the call says of a role, else what is known. */
static char *
said_role(FunctionCallInfo fcinfo, int argument, char *known)
{
	char	   *given = text_argument(fcinfo, argument);

	return given ? given : known;
}

/* Is a column said to be the label, user, item, split or weight? */
static bool
has_part(const ColumnRoles *said, const char *column)
{
	const char *const parts[] = {
		said->label, said->user_id, said->item_id, said->split, said->weight
	};

	for (int i = 0; i < lengthof(parts); i++)
		if (parts[i] && strcmp(parts[i], column) == 0)
			return true;
	return false;
}

/*
 * A role that need not be filled: its default name counts if there is such a column,
 * and it is not said to be something else.  The label itself is one: logs may hold
 * positives only.
 */
static char *
optional_role(const ColumnRoles *said, char *column, const char *default_name)
{
	if (column)
		return column;
	if (has_part(said, default_name) ||
		!OidIsValid(source_column_type(said->relation, default_name)))
		return NULL;
	return pstrdup(default_name);
}

/*
 * An empty name declines the label, for logs of positives only that have a
 * column called like one; so does a registration without a label.
 */
static char *
label_role(const ColumnRoles *said, bool is_registered)
{
	if (said->label)
		return said->label[0] == '\0' ? NULL : said->label;
	if (is_registered || (said->domain && strcmp(said->domain, "label") == 0))
		return NULL;
	return optional_role(said, NULL, "label");
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
	const ColumnRoles *or_known = known ? known : &nothing;
	ColumnRoles *roles = palloc0(sizeof(ColumnRoles));
	ColumnRoles said = {.relation = relation};

	said.label = said_role(fcinfo, arguments->label, or_known->label);
	said.domain = said_role(fcinfo, arguments->domain, or_known->domain);
	said.user_id = said_role(fcinfo, arguments->user_id, or_known->user_id);
	said.item_id = said_role(fcinfo, arguments->item_id, or_known->item_id);
	said.split = said_role(fcinfo, arguments->split, or_known->split);
	said.weight = said_role(fcinfo, arguments->weight, or_known->weight);
	roles->relation = relation;
	roles->label = label_role(&said, known != NULL);
	roles->domain = said.domain ? said.domain : pstrdup("domain");
	roles->user_id = optional_role(&said, said.user_id, "user_id");
	roles->item_id = optional_role(&said, said.item_id, "item_id");
	roles->split = optional_role(&said, said.split, "split");
	roles->weight = said.weight;
	roles->features = PG_ARGISNULL(arguments->features) ? or_known->features :
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
