/*
 * spec.c
 *	  Features by name, and as the engine sees them.
 */
#include "postgres.h"

#include "source/spec.h"

#include "lib/stringinfo.h"

static const struct
{
	const char *name;
	const char *meaning;		/* as a choice of option "features"; NULL: it is none */
}			kinds[] = {
	[FEATURE_CATEGORICAL] = {"categorical", "an id for each value"},
	[FEATURE_BINNED] = {"binned", "an id for each of a number's bins"},
	[FEATURE_LIST] = {"list", "of categorical values"},
	[FEATURE_ROWS] = {"rows", NULL},
	[FEATURE_DENSE] = {"dense", "a vector of numbers"},
	[FEATURE_PIECEWISE] = {"piecewise", "a number as a vector, with a component for each of its bins"},
	[FEATURE_CROSS] = {"cross", NULL}
};

const char *
feature_kind_name(FeatureKind kind)
{
	return kinds[kind].name;
}

char *
feature_kinds_text(void)
{
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i < lengthof(kinds); i++)
		if (kinds[i].meaning)
			appendStringInfo(&text, "%s%s (%s)", text.len > 0 ? ", " : "", kinds[i].name,
							 kinds[i].meaning);
	return text.data;
}

bool
feature_kind_of_name(const char *name, FeatureKind *kind)
{
	for (int i = 0; i < lengthof(kinds); i++)
		if (strcmp(kinds[i].name, name) == 0)
		{
			*kind = (FeatureKind) i;
			return true;
		}
	return false;
}

int
spec_find(const FeatureSpec *spec, const char *name)
{
	for (int f = 0; f < spec->n_columns; f++)
		if (strcmp(spec->features[f].name, name) == 0)
			return f;
	return -1;
}

void
spec_add_history(FeatureSpec *spec, uint32 length)
{
	const Feature *item = &spec->features[spec->item_feature];

	spec->history_length = length;
	spec->has_history = spec_find(spec, HISTORY_COLUMN) < 0;
	spec->features[spec->n_features] = (Feature) {.name = HISTORY_COLUMN,.kind = FEATURE_LIST,
		.type_name = item->type_name,.type = item->type,.vocabulary = item->vocabulary};
}

void
spec_set_sides(FeatureSpec *spec, const NameList *names)
{
	spec->n_sides = 0;
	for (int f = 0; f < spec->n_columns; f++)
		for (int i = 0; i < names->n; i++)
			if (strcmp(spec->features[f].name, names->value[i]) == 0)
				spec->sides[spec->n_sides++] = f;
}

int
spec_find_named(const FeatureSpec *spec, const char *name)
{
	int			f = spec_find(spec, name);

	return f < 0 && spec->has_history && strcmp(name, HISTORY_COLUMN) == 0 ? spec->n_features : f;
}

bool
spec_has_keys(const FeatureSpec *spec, int feature)
{
	return spec->features[feature].kind == FEATURE_CATEGORICAL &&
		spec->vocabularies[spec->features[feature].vocabulary].buckets == 0;
}

bool
spec_shares_vocabulary(const FeatureSpec *spec, int feature)
{
	for (int f = 0; f < spec->n_features; f++)
		if (f != feature && spec->features[f].vocabulary == spec->features[feature].vocabulary)
			return true;
	return false;
}

/* Those of the spec; returns how many. */
static int
shape_crosses(const FeatureSpec *spec, FieldCross *crosses)
{
	int			n = 0;

	for (int f = spec->n_columns; f < spec->n_features; f++)
		if (spec->features[f].kind == FEATURE_CROSS)
		{
			crosses[n].field = f;
			crosses[n].n_parts = spec->features[f].n_edges;
			for (int i = 0; i < spec->features[f].n_edges; i++)
				crosses[n].parts[i] = (uint32) spec->features[f].edges[i];
			n++;
		}
	return n;
}

void
spec_shape(const FeatureSpec *spec, Shape *shape)
{
	FieldCross *crosses = palloc(spec->n_features * sizeof(FieldCross));
	uint32_t   *table_rows = palloc(spec->n_vocabularies * sizeof(uint32_t));
	uint32_t   *field_table = palloc(spec->n_features * sizeof(uint32_t));
	bool	   *field_is_list = palloc(spec->n_features * sizeof(bool));
	bool	   *field_is_dense = palloc(spec->n_features * sizeof(bool));

	for (int v = 0; v < spec->n_vocabularies; v++)
		table_rows[v] = spec->vocabularies[v].n_rows;
	for (int f = 0; f < spec->n_features; f++)
	{
		field_table[f] = spec->features[f].vocabulary;
		field_is_list[f] = kind_has_list(spec->features[f].kind);
		field_is_dense[f] = kind_is_vector(spec->features[f].kind);
	}
	*shape = (Shape) {
		.n_tables = spec->n_vocabularies,
		.table_rows = table_rows,
		.n_fields = spec->n_features,
		.field_table = field_table,
		.field_is_list = field_is_list,
		.field_is_dense = field_is_dense,
		.domain_field = spec->domain_feature,
		.user_field = spec->user_feature,
		.item_field = spec->item_feature,
		.users_are_hashed = spec->user_feature >= 0 &&
			spec->vocabularies[spec->features[spec->user_feature].vocabulary].buckets > 0,
		.n_crosses = shape_crosses(spec, crosses),
		.crosses = crosses,
		.n_sides = spec->n_sides
	};
	memcpy(shape->sides, spec->sides, sizeof(shape->sides));
}
