/*
 * feature_choice.c
 *	  Which columns are features: those that are listed, or all that can be.
 */
#include "postgres.h"

#include "source/feature_choice.h"

#include "lib/stringinfo.h"
#include "source/keys/dense.h"
#include "source/keys/key.h"
#include "source/roles.h"
#include "utils/lsyscache.h"

bool
feature_is_among(List *names, const char *name)
{
	ListCell   *cell;

	foreach(cell, names)
		if (strcmp(lfirst(cell), name) == 0)
			return true;
	return false;
}

Oid
feature_value_type(Oid type, bool *is_list)
{
	Oid			element = get_element_type(getBaseType(type));

	*is_list = OidIsValid(element);
	return *is_list ? element : type;
}

bool
feature_has_spellings(const SourceRelation *relation, const char *column)
{
	Oid			collation = source_column_collation(relation, column);

	return OidIsValid(collation) && !get_collation_isdeterministic(collation);
}

static bool
is_supported(const SourceRelation *relation, const char *column)
{
	Oid			type = source_column_type(relation, column);
	bool		is_list;

	return vector_by_default(type) || (!feature_has_spellings(relation, column) &&
									   key_kind(feature_value_type(type, &is_list)) != KEY_UNSUPPORTED);
}

/* Columns of these parts are no features, unless they are listed. */
static bool
plays_other_part(const ColumnRoles *roles, const char *name)
{
	return (roles->label && strcmp(name, roles->label) == 0) ||
		(roles->split && strcmp(name, roles->split) == 0) ||
		(roles->weight && strcmp(name, roles->weight) == 0);
}

/* Every column but label, split and weight, and types of no use. */
static List *
default_features(const ColumnRoles *roles)
{
	List	   *features = NIL;
	ListCell   *cell;

	foreach(cell, source_column_names(roles->relation))
	{
		char	   *name = lfirst(cell);

		if (!plays_other_part(roles, name) && is_supported(roles->relation, name))
			features = lappend(features, name);
	}
	return features;
}

void
features_tell(const ColumnRoles *roles, const FeatureSpec *spec)
{
	StringInfoData used;
	StringInfoData left_out;
	ListCell   *cell;

	if (roles->features != NIL)
	{
		roles_tell(roles, NULL, NULL);
		return;
	}
	initStringInfo(&used);
	initStringInfo(&left_out);
	for (int f = 0; f < spec->n_columns; f++)
		appendStringInfo(&used, "%s%s", f > 0 ? ", " : "", spec->features[f].name);
	foreach(cell, source_column_names(roles->relation))
		if (!plays_other_part(roles, lfirst(cell)) &&
			!is_supported(roles->relation, lfirst(cell)))
			appendStringInfo(&left_out, "%s%s", left_out.len > 0 ? ", " : "",
							 (char *) lfirst(cell));
	roles_tell(roles, used.data, left_out.len > 0 ? left_out.data : NULL);
}

List *
feature_names(const ColumnRoles *roles)
{
	List	   *features = NIL;
	const char *always[] = {roles->domain, roles->user_id, roles->item_id};
	ListCell   *cell;

	if (roles->features == NIL)
		features = default_features(roles);
	foreach(cell, roles->features)
	{
		char	   *name = lfirst(cell);

		if (roles->label && strcmp(name, roles->label) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("label column \"%s\" cannot be a feature", name)));
		if (feature_is_among(features, name))
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_COLUMN),
					 errmsg("feature \"%s\" is listed twice", name)));
		features = lappend(features, name);
	}
	for (int i = 0; i < lengthof(always); i++)
		if (always[i] && !feature_is_among(features, always[i]))
			features = lappend(features, (char *) always[i]);
	return features;
}
