/*
 * features.c
 *	  Of what kind features are: from the columns' types, overruled by options.
 *
 * A spec is made in this order: the features' names (feature_choice.h), the kind and
 * type of each column, what option "features" says of it, then vocabularies, which
 * features may share.  At last roles and bonds are checked.
 *
 * No row is read, and nothing is locked beyond the relation, which is open already.
 * Everything lies in the current memory context.
 */
#include "postgres.h"

#include "source/features.h"

#include "catalog/pg_type.h"
#include "source/crosses.h"
#include "source/feature_choice.h"
#include "source/keys/dense.h"
#include "source/keys/key.h"
#include "source/keys/vocabulary.h"
#include "source/read/reader.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"

#define MAX_BINS 65536
#define MAX_BUCKETS 100000000

/* Does option "features" say something of a column? */
static bool
has_options(const SourceOptions *options, const char *name)
{
	JsonbValue	key = {.type = jbvString};

	key.val.string.val = (char *) name;
	key.val.string.len = strlen(name);
	return options->features &&
		findJsonbValueFromContainer(&options->features->root, JB_FOBJECT, &key);
}

static char *
qualified_type_name(Oid type)
{
	return format_type_extended(type, -1, FORMAT_TYPE_FORCE_QUALIFY);
}

/* A feature of values that have keys, or of lists of such. */
static void
make_values(Feature *feature, const FeaturePlan *plan)
{
	bool		is_list;

	feature->type = getBaseType(feature_value_type(plan->column_type, &is_list));
	feature->type_name = qualified_type_name(feature->type);
	feature->kind = is_list ? FEATURE_LIST : FEATURE_CATEGORICAL;
}

static void
make_dense(Feature *feature, const FeaturePlan *plan)
{
	feature->type = plan->column_type;
	feature->type_name = qualified_type_name(feature->type);
	feature->kind = FEATURE_DENSE;
}

static void
infer_feature(Feature *feature, FeaturePlan *plan, const ColumnRoles *roles, char *name,
			  const SourceOptions *options)
{
	Oid			column = source_column_type(roles->relation, name);
	KeyKind		kind;

	if (!OidIsValid(column))
		source_missing_column(roles->relation, name, "feature");
	feature->name = name;
	feature->min_count = options->default_min_count;
	plan->is_listed = feature_is_among(roles->features, name);
	plan->has_options = has_options(options, name);
	plan->column_type = getBaseType(column);
	if (vector_by_default(column))
	{
		make_dense(feature, plan);
		return;
	}
	make_values(feature, plan);
	kind = key_kind(feature->type);
	if (kind == KEY_UNSUPPORTED)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of type %s cannot be a feature", name,
						format_type_be(column)),
				 errhint("List the features without it, or read from a view that casts it.")));
	if (feature_has_spellings(roles->relation, name))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("column \"%s\" with collation \"%s\" cannot be a feature", name,
						get_collation_name(source_column_collation(roles->relation, name))),
				 errdetail("The collation is nondeterministic: values that are equal are spelt differently, and a model would take them for several."),
				 errhint("Read from a view that spells equal values alike, such as lower(column COLLATE \"C\").")));
	if (feature->kind != FEATURE_LIST)
		feature->kind = kind == KEY_FLOAT || kind == KEY_NUMERIC ? FEATURE_BINNED : FEATURE_CATEGORICAL;
}

/* An integer out of a feature's options. */
static int
integer_option(const char *feature, const char *option, const JsonbValue *value, int maximum)
{
	int64		number = -1;

	if (value->type == jbvNumeric)
		number = DatumGetInt64(DirectFunctionCall1(numeric_int8,
												   NumericGetDatum(value->val.numeric)));
	if (number < 1 || number > maximum)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" of feature \"%s\" must be a number between 1 and %d",
						option, feature, maximum)));
	return (int) number;
}

static char *
string_option(const char *feature, const char *option, const JsonbValue *value)
{
	if (value->type != jbvString)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" of feature \"%s\" must be a string", option, feature)));
	return pnstrdup(value->val.string.val, value->val.string.len);
}

/* The kind asked for; of what a column is by default too. */
static bool
try_kind(Feature *feature, const FeaturePlan *plan, FeatureKind kind)
{
	KeyKind		key;

	if (kind == FEATURE_DENSE)
	{
		if (!vector_possible(plan->column_type))
			return false;
		make_dense(feature, plan);
		return true;
	}
	make_values(feature, plan);
	key = key_kind(feature->type);
	if (kind == FEATURE_LIST)
		return feature->kind == FEATURE_LIST;
	if (feature->kind == FEATURE_LIST || key == KEY_UNSUPPORTED)
		return false;
	feature->kind = kind;
	return kind == FEATURE_CATEGORICAL ||
		(kind_is_number(kind) && (key == KEY_FLOAT || key == KEY_NUMERIC ||
								  (key == KEY_INTEGER && feature->type != OIDOID)));
}

static void
set_kind(Feature *feature, const FeaturePlan *plan, const char *name)
{
	FeatureKind kind;

	if (!feature_kind_of_name(name, &kind) || !try_kind(feature, plan, kind))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("feature \"%s\" cannot be of kind \"%s\"", feature->name, name),
				 errhint("Arrays are \"list\", those of numbers or text like \"[1, 2.5]\" also \"dense\", numbers \"binned\", \"piecewise\" or \"categorical\", all else \"categorical\".")));
}

/* Options of one feature; a vocabulary to share is returned in *shared. */
static void
apply_options(Feature *feature, FeaturePlan *plan, JsonbContainer *options, char **shared)
{
	JsonbIterator *iterator = JsonbIteratorInit(options);
	JsonbValue	value;
	JsonbIteratorToken token;
	char	   *key = NULL;

	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			key = pnstrdup(value.val.string.val, value.val.string.len);
		if (token != WJB_VALUE)
			continue;
		if (strcmp(key, "kind") == 0)
			set_kind(feature, plan, string_option(feature->name, key, &value));
		else if (strcmp(key, "bins") == 0)
			plan->bins = integer_option(feature->name, key, &value, MAX_BINS);
		else if (strcmp(key, "buckets") == 0)
			plan->buckets = integer_option(feature->name, key, &value, MAX_BUCKETS);
		else if (strcmp(key, "min_count") == 0)
			feature->min_count = integer_option(feature->name, key, &value, PG_INT32_MAX);
		else if (strcmp(key, "goes_with_item") == 0)
		{
			if (value.type != jbvBool)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("option \"%s\" of feature \"%s\" must be true or false", key,
								feature->name)));
			feature->bond = value.val.boolean ? BOND_ITEM : BOND_ROW;
		}
		else if (strcmp(key, "vocabulary") == 0)
			*shared = string_option(feature->name, key, &value);
		else
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("unknown option \"%s\" of feature \"%s\"", key, feature->name),
					 errhint("Known ones are kind, bins, buckets, min_count, vocabulary and goes_with_item.")));
	}
}

/* Bins are of numbers only, buckets of all that have keys. */
static void
check_plan(const Feature *feature, FeaturePlan *plan, const SourceOptions *options)
{
	bool		is_number = kind_is_number(feature->kind);

	if (!is_number && plan->bins > 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("feature \"%s\" has bins, but is not binned", feature->name),
				 errhint("Set its kind to \"binned\" or \"piecewise\" as well.")));
	if (!kind_has_keys(feature->kind) && plan->buckets > 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("feature \"%s\" is %s and cannot be hashed to buckets",
						feature->name, feature_kind_name(feature->kind)),
				 is_number ? errhint("Set its kind to \"categorical\", or leave out the buckets.") :
				 errhint("Leave out the buckets.")));
	if (plan->bins == 0)
		plan->bins = options->default_bins;
	if (feature->kind == FEATURE_PIECEWISE && plan->bins > MAX_COMPONENTS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("feature \"%s\" cannot be piecewise of %d bins", feature->name, plan->bins),
				 errdetail("There can be %d.", MAX_COMPONENTS),
				 errhint("Give it fewer \"bins\" in option \"features\".")));
}

static void
apply_all_options(FeatureSpec *spec, FeaturePlan *plans, Jsonb *options, char **shared)
{
	JsonbIterator *iterator = JsonbIteratorInit(&options->root);
	JsonbValue	value;
	JsonbIteratorToken token;
	int			f = -1;

	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
		{
			char	   *name = pnstrdup(value.val.string.val, value.val.string.len);

			f = spec_find(spec, name);
			if (f < 0)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("option \"features\" names \"%s\", which is not a feature", name)));
		}
		else if (token == WJB_VALUE)
		{
			if (value.type != jbvBinary || !JsonContainerIsObject(value.val.binary.data))
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("options of feature \"%s\" must be an object",
								spec->features[f].name)));
			apply_options(&spec->features[f], &plans[f], value.val.binary.data, &shared[f]);
		}
	}
}

/* One vocabulary for each feature that does not share another's; room for n_more. */
static void
assign_vocabularies(FeatureSpec *spec, const FeaturePlan *plans, char **shared, int n_more)
{
	spec->vocabularies = palloc0((spec->n_features + n_more) * sizeof(Vocabulary));
	for (int f = 0; f < spec->n_features; f++)
		if (!shared[f])
		{
			spec->features[f].vocabulary = spec->n_vocabularies;
			spec->vocabularies[spec->n_vocabularies++].name = spec->features[f].name;
		}
	for (int f = 0; f < spec->n_features; f++)
	{
		Feature    *feature = &spec->features[f];
		int			other = shared[f] ? spec_find(spec, shared[f]) : f;

		if (!shared[f])
			continue;
		if (plans[f].buckets > 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("feature \"%s\" cannot share a vocabulary and have buckets of its own",
							feature->name),
					 errhint("Give the buckets to \"%s\".", shared[f])));
		if (other < 0 || shared[other] || !kind_has_keys(feature->kind) ||
			!kind_has_keys(spec->features[other].kind))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("feature \"%s\" cannot share the vocabulary of \"%s\"",
							feature->name, shared[f]),
					 errhint("Name a categorical feature or list that has a vocabulary of its own.")));
		feature->vocabulary = spec->features[other].vocabulary;
	}
}

/* What must hold of the domain, user and item. */
static void
check_roles(const FeatureSpec *spec, FeaturePlan *plans)
{
	Feature    *domain = &spec->features[spec->domain_feature];
	const int	ids[] = {spec->domain_feature, spec->user_feature, spec->item_feature};

	for (int i = 0; i < lengthof(ids); i++)
		if (ids[i] >= 0 && spec->features[ids[i]].kind != FEATURE_CATEGORICAL)
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("column \"%s\" must be categorical to be the domain, user or item",
							spec->features[ids[i]].name),
					 errhint("Use integers or text, or set its kind in option \"features\".")));
	domain->min_count = 1;
	if (plans[spec->domain_feature].buckets > 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("domain column \"%s\" cannot be hashed to buckets", domain->name)));
}

/* Only of sampled negatives is it a question what goes with the item. */
static void
check_bonds(const FeatureSpec *spec, const SourceOptions *options)
{
	for (int f = 0; f < spec->n_columns; f++)
	{
		const Feature *feature = &spec->features[f];
		bool		has_role = f == spec->domain_feature || f == spec->user_feature ||
			f == spec->item_feature;

		if (feature->bond == BOND_BY_ROWS)
			continue;
		if (has_role)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("option \"goes_with_item\" cannot be set for feature \"%s\"",
							feature->name),
					 errhint("Sampled negatives keep domain and user of the positive row, and have another item.")));
		if (!options->samples_negatives)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("option \"goes_with_item\" of feature \"%s\" needs sampled negatives",
							feature->name),
					 errhint("Set option \"negatives\" as well, or leave this one out.")));
	}
}

/* What histories have of items are single ids of columns that play no part. */
static void
check_sides(const FeatureSpec *spec, const SourceOptions *options)
{
	for (int i = 0; i < options->sides.n; i++)
	{
		const char *name = options->sides.value[i];
		int			f = spec_find(spec, name);

		if (f < 0)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("column \"%s\" of option \"history.side\" is no feature", name),
					 errhint("Name columns that are among the features.")));
		if (f == spec->domain_feature || f == spec->user_feature || f == spec->item_feature)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("column \"%s\" of option \"history.side\" is the domain, the user or the item", name),
					 errhint("Name columns that tell something of items, such as a brand.")));
		if (kind_has_list(spec->features[f].kind))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("column \"%s\" of option \"history.side\" is a feature of kind \"%s\"", name,
							feature_kind_name(spec->features[f].kind)),
					 errhint("Name columns with one value in each row, \"categorical\" or \"binned\" ones.")));
	}
}

FeatureSpec *
features_infer(const ColumnRoles *roles, const SourceOptions *options, FeaturePlan **plans)
{
	List	   *names = feature_names(roles);
	FeatureSpec *spec = palloc0(sizeof(FeatureSpec));
	char	  **shared = palloc0(list_length(names) * sizeof(char *));
	ListCell   *cell;

	/* two more for counts, and crosses */
	spec->features = palloc0((list_length(names) + 2 + crosses_asked(options)) * sizeof(Feature));
	*plans = palloc0(list_length(names) * sizeof(FeaturePlan));
	foreach(cell, names)
	{
		infer_feature(&spec->features[spec->n_features], &(*plans)[spec->n_features], roles,
					  lfirst(cell), options);
		spec->n_features++;
	}
	spec->n_columns = spec->n_features;
	spec->domain_feature = spec_find(spec, roles->domain);
	spec->user_feature = roles->user_id ? spec_find(spec, roles->user_id) : -1;
	spec->item_feature = roles->item_id ? spec_find(spec, roles->item_id) : -1;
	spec->label = roles->label;
	spec->label_threshold = options->label_threshold;
	if (options->features)
		apply_all_options(spec, *plans, options->features, shared);
	for (int f = 0; f < spec->n_features; f++)
		check_plan(&spec->features[f], &(*plans)[f], options);
	assign_vocabularies(spec, *plans, shared, 2 + crosses_asked(options));
	check_roles(spec, *plans);
	check_bonds(spec, options);
	check_sides(spec, options);
	spec_set_sides(spec, &options->sides);
	return spec;
}

/* Do ids of a feature have to be told apart for its role? */
static bool
is_role(const FeatureSpec *spec, int f, bool with_users)
{
	return f == spec->domain_feature || f == spec->item_feature ||
		(with_users && f == spec->user_feature);
}

static bool *
role_vocabularies(const FeatureSpec *spec, bool with_users)
{
	bool	   *of_role = palloc0(spec->n_vocabularies * sizeof(bool));

	for (int f = 0; f < spec->n_features; f++)
		if (is_role(spec, f, with_users))
			of_role[spec->features[f].vocabulary] = true;
	return of_role;
}

/* Hashed features as trained; those without a role get one bucket, for want of a use. */
static void
hash_vocabularies(const FeatureSpec *spec, const FeaturePlan *plans, const bool *of_role)
{
	for (int f = 0; f < spec->n_features; f++)
	{
		Vocabulary *vocabulary = &spec->vocabularies[spec->features[f].vocabulary];

		if (!kind_has_keys(spec->features[f].kind))
			continue;
		if (!of_role[spec->features[f].vocabulary])
			vocabulary_build_hashed(vocabulary, 1);
		else if (plans[f].buckets > 0)
			vocabulary_build_hashed(vocabulary, plans[f].buckets);
	}
}

FeatureSpec *
features_for_roles(const FeatureSpec *spec, const FeaturePlan *plans, bool with_users,
				   bool all, bool **is_shared)
{
	bool	   *of_role = role_vocabularies(spec, with_users);
	FeatureSpec *chosen = palloc(sizeof(FeatureSpec));
	int			n = 0;

	hash_vocabularies(spec, plans, of_role);
	*chosen = *spec;
	chosen->user_feature = -1;
	chosen->features = palloc(spec->n_features * sizeof(Feature));
	*is_shared = palloc(spec->n_features * sizeof(bool));
	for (int f = 0; f < spec->n_features; f++)
	{
		const Feature *feature = &spec->features[f];
		bool		of_roles = of_role[feature->vocabulary];

		if (!all && !of_roles)
			continue;
		if (f == spec->domain_feature)
			chosen->domain_feature = n;
		if (f == spec->item_feature)
			chosen->item_feature = n;
		if (f == spec->user_feature && with_users)
			chosen->user_feature = n;
		(*is_shared)[n] = of_roles && !is_role(spec, f, with_users) &&
			spec->vocabularies[feature->vocabulary].buckets == 0;
		chosen->features[n++] = *feature;
	}
	chosen->n_features = chosen->n_columns = n;
	return chosen;
}
