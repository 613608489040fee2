/*
 * crosses.c
 *	  Features that are combinations of columns' values.
 */
#include "postgres.h"

#include "source/crosses.h"

#include <math.h>

#include "compat.h"
#include "engine/data/crosses.h"
#include "lib/stringinfo.h"
#include "source/keys/vocabulary.h"
#include "source/row_counts.h"

/* Kinds whose value is one id. */
static bool
can_be_part(const Feature *feature)
{
	return feature->kind == FEATURE_CATEGORICAL || feature->kind == FEATURE_BINNED;
}

int
crosses_asked(const SourceOptions *options)
{
	return options->crosses ? JB_ROOT_COUNT(options->crosses) : 0;
}

pg_noreturn static void
refuse(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("option \"crosses\" must be an array of arrays of column names"),
			 errdetail("%s", detail),
			 errhint("For example [[\"user_id\", \"category\"], [\"hour\", \"device\"]].")));
}

/* The place of a part by its name. */
static int
find_part(const FeatureSpec *spec, FeaturePlan *plans, const JsonbValue *value)
{
	char	   *name;
	int			f;

	if (value->type != jbvString)
		refuse("A part of a cross is no string.");
	name = pnstrdup(value->val.string.val, value->val.string.len);
	f = spec_find(spec, name);
	if (f < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"crosses\" names \"%s\", which is not a feature", name),
				 errhint("Add it to the features, or leave the cross out.")));
	if (!can_be_part(&spec->features[f]))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("feature \"%s\" is %s and cannot be part of a cross", name,
						feature_kind_name(spec->features[f].kind)),
				 errhint("Parts are \"categorical\" or \"binned\": numbers may be either, by option \"features\".")));
	plans[f].has_options = true;
	return f;
}

/* Parts ascend; false: it is there already. */
static bool
insert_part(Feature *cross, int part)
{
	int			at = cross->n_edges;

	for (int i = 0; i < cross->n_edges; i++)
		if (cross->edges[i] == part)
			return false;
	for (; at > 0 && cross->edges[at - 1] > part; at--)
		cross->edges[at] = cross->edges[at - 1];
	cross->edges[at] = part;
	cross->n_edges++;
	return true;
}

/* One array of names; the feature has its name and parts. */
static void
read_cross(const FeatureSpec *spec, FeaturePlan *plans, JsonbContainer *names, Feature *cross)
{
	JsonbIterator *iterator = JsonbIteratorInit(names);
	JsonbValue	value;
	JsonbIteratorToken token;
	StringInfoData name;

	initStringInfo(&name);
	cross->edges = palloc(CROSS_PARTS * sizeof(double));
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		int			part;

		if (token != WJB_ELEM)
			continue;
		if (cross->n_edges == CROSS_PARTS)
			refuse(psprintf("A cross has more than %d parts.", CROSS_PARTS));
		part = find_part(spec, plans, &value);
		if (!insert_part(cross, part))
			refuse(psprintf("A cross has column \"%s\" twice.", spec->features[part].name));
		appendStringInfo(&name, "%s%s", name.len > 0 ? " x " : "", spec->features[part].name);
	}
	if (cross->n_edges < 2)
		refuse("A cross has fewer than two parts.");
	cross->name = name.data;
}

static bool
has_same_parts(const Feature *a, const Feature *b)
{
	return a->kind == FEATURE_CROSS && a->n_edges == b->n_edges &&
		memcmp(a->edges, b->edges, a->n_edges * sizeof(double)) == 0;
}

static void
append(FeatureSpec *spec, FeaturePlan *plans, JsonbContainer *names, int buckets)
{
	Feature    *cross = &spec->features[spec->n_features];
	Vocabulary *vocabulary = &spec->vocabularies[spec->n_vocabularies];

	*cross = (Feature) {.kind = FEATURE_CROSS,.type_name = "pg_catalog.int8",.min_count = 1,
		.vocabulary = spec->n_vocabularies,.bond = BOND_ROW};
	read_cross(spec, plans, names, cross);
	for (int f = spec->n_columns; f < spec->n_features; f++)
		if (has_same_parts(&spec->features[f], cross))
			refuse(psprintf("Cross \"%s\" stands there twice.", cross->name));
	if (spec_find(spec, cross->name) >= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a cross and a column are both called \"%s\"", cross->name),
				 errhint("Leave one of them out, or give the column another name in a view.")));
	vocabulary->name = cross->name;
	vocabulary_build_hashed(vocabulary, buckets);
	spec->n_vocabularies++;
	spec->n_features++;
}

void
crosses_append(FeatureSpec *spec, FeaturePlan *plans, const SourceOptions *options)
{
	JsonbIterator *iterator;
	JsonbValue	value;
	JsonbIteratorToken token;

	if (!options->crosses)
		return;
	iterator = JsonbIteratorInit(&options->crosses->root);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token != WJB_ELEM)
			continue;
		if (value.type != jbvBinary || !JsonContainerIsArray(value.val.binary.data))
			refuse("An element is no array.");
		append(spec, plans, value.val.binary.data, options->cross_buckets);
	}
}

bool
cross_is_sound(const FeatureSpec *spec, const Feature *feature)
{
	if (feature->n_edges < 2 || feature->n_edges > CROSS_PARTS ||
		spec->vocabularies[feature->vocabulary].buckets == 0)
		return false;
	for (int i = 0; i < feature->n_edges; i++)
	{
		double		part = feature->edges[i];

		if (!(part >= 0 && part < spec->n_columns) || part != rint(part) ||
			!can_be_part(&spec->features[(int) part]))
			return false;
	}
	return true;
}

void
crosses_encode(const FeatureSpec *spec, uint32 *ids)
{
	for (int f = spec->n_columns; f < spec->n_features; f++)
	{
		const Feature *feature = &spec->features[f];
		uint32		parts[CROSS_PARTS];

		if (feature->kind != FEATURE_CROSS)
			continue;
		for (int i = 0; i < feature->n_edges; i++)
			parts[i] = (uint32) feature->edges[i];
		ids[f] = cross_id(ids, parts, feature->n_edges,
						  spec->vocabularies[feature->vocabulary].buckets);
	}
}

void
derived_encode(const FeatureSpec *spec, uint32 *ids)
{
	row_counts_encode(spec, ids);
	crosses_encode(spec, ids);
}
