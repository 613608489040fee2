/*
 * roles.c
 *	  Which columns play which parts, in words.
 *
 * A column gets its part by its name alone, so a name that is nearly right gets
 * none, and nothing fails: the user is then a feature like any other.
 */
#include "postgres.h"

#include "source/roles.h"

#include "engine/base/edit_distance.h"
#include "lib/stringinfo.h"
#include "source/read/relation.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* Of a role's name and a column's; longer ones are alike to none. */
#define MAX_STEM 32

static bool
has_role(const ColumnRoles *roles, const char *column)
{
	const char *const filled[] = {
		roles->label, roles->domain, roles->user_id, roles->item_id, roles->split, roles->weight
	};

	for (int i = 0; i < lengthof(filled); i++)
		if (filled[i] && strcmp(filled[i], column) == 0)
			return true;
	return false;
}

void
roles_check(const ColumnRoles *roles)
{
	const struct
	{
		const char *name;
		const char *role;
	}			named[] = {
		{roles->label, "label"}, {roles->domain, "domain"}, {roles->user_id, "user"},
		{roles->item_id, "item"}, {roles->split, "split"}, {roles->weight, "weight"}
	};
	ListCell   *cell;

	for (int i = 0; i < lengthof(named); i++)
		if (named[i].name && !OidIsValid(source_column_type(roles->relation, named[i].name)))
			source_missing_column(roles->relation, named[i].name, named[i].role);
	for (int i = 1; roles->label && i < lengthof(named); i++)
		if (named[i].name && strcmp(roles->label, named[i].name) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("column \"%s\" cannot be both label and %s", roles->label,
							named[i].role)));
	if (roles->user_id && roles->item_id && strcmp(roles->user_id, roles->item_id) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("column \"%s\" cannot be both user and item", roles->user_id),
				 errhint("Say by arguments \"user_id\" and \"item_id\" which columns they are.")));
	foreach(cell, roles->features)
		if (!OidIsValid(source_column_type(roles->relation, lfirst(cell))))
			source_missing_column(roles->relation, lfirst(cell), "feature");
}

/* Letters and digits of ASCII in lower case, without an "id" at the end. */
static void
stem_of(const char *name, char stem[MAX_STEM])
{
	int			n = 0;

	for (; *name && n < MAX_STEM - 1; name++)
		if (isalnum((unsigned char) *name) && !IS_HIGHBIT_SET(*name))
			stem[n++] = pg_ascii_tolower((unsigned char) *name);
	stem[n] = '\0';
	if (n > 2 && strcmp(stem + n - 2, "id") == 0)
		stem[n - 2] = '\0';
}

char *
roles_near(const ColumnRoles *roles, const char *role)
{
	char		wanted[MAX_STEM];
	ListCell   *lc;

	stem_of(role, wanted);
	foreach(lc, source_column_names(roles->relation))
	{
		char	   *name = lfirst(lc);
		char		stem[MAX_STEM];

		/* one of just that name was declined, and a list is no user */
		if (has_role(roles, name) || strcmp(name, role) == 0 ||
			OidIsValid(get_element_type(getBaseType(source_column_type(roles->relation, name)))))
			continue;
		stem_of(name, stem);
		if (edit_distance(wanted, stem) <= 1)
			return name;
	}
	return NULL;
}

static void
add_role(StringInfo text, const char *role, const char *column)
{
	if (!column)
		return;
	appendStringInfo(text, "%s%s", text->len > 0 ? ", " : "", role);
	if (strcmp(role, column) != 0)
		appendStringInfo(text, " = %s", column);
}

static char *
roles_text(const ColumnRoles *roles)
{
	StringInfoData text;

	initStringInfo(&text);
	add_role(&text, "label", roles->label);
	add_role(&text, "domain", roles->domain);
	add_role(&text, "user_id", roles->user_id);
	add_role(&text, "item_id", roles->item_id);
	add_role(&text, "split", roles->split);
	add_role(&text, "weight", roles->weight);
	if (!roles->label)
		appendStringInfoString(&text, "; no label: every row counts as positive");
	return text.data;
}

static void
add_hint(StringInfo text, const ColumnRoles *roles, const char *role, const char *column)
{
	char	   *name = column ? NULL : roles_near(roles, role);

	if (!name)
		return;
	appendStringInfo(text, "%sColumn \"%s\" looks like \"%s\": pass %s => %s if it is that.",
					 text->len > 0 ? " " : "", name, role, role, quote_literal_cstr(name));
	for (; *name; name++)
		if (IS_HIGHBIT_SET(*name))
		{
			appendStringInfoString(text, " Its name has characters beyond ASCII, which may not show.");
			break;
		}
}

static char *
hint_text(const ColumnRoles *roles)
{
	StringInfoData text;

	initStringInfo(&text);
	add_hint(&text, roles, "label", roles->label);
	add_hint(&text, roles, "user_id", roles->user_id);
	add_hint(&text, roles, "item_id", roles->item_id);
	add_hint(&text, roles, "split", roles->split);
	return text.len > 0 ? text.data : NULL;
}

void
roles_tell(const ColumnRoles *roles, const char *features, const char *left_out)
{
	char	   *parts = roles_text(roles);
	char	   *hint = hint_text(roles);

	ereport(NOTICE,
			(features ? errmsg("features: %s; roles: %s", features, parts) :
			 errmsg("roles: %s", parts),
			 left_out ? errdetail("Left out, for their types or collations: %s.", left_out) : 0,
			 hint ? errhint("%s", hint) : 0));
}
