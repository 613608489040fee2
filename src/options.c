/*
 * options.c
 *	  Options of aread_train as jsonb, by walking the tables of options.
 */
#include "postgres.h"

#include "options.h"

#include <math.h>

#include "corrupt.h"
#include "engine/measure/metrics.h"
#include "engine/networks/architectures.h"
#include "nearest.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

static const char *const bad_label_choices[] = {"error", "skip", NULL};
static const char *const deploy_choices[] = {"false", "true", "if_better", NULL};
static const char *const resume_choices[] = {"call", "auto", NULL};
static const char *const split_choices[] = {"auto", "name", "order", "hash", NULL};

#define AT(member) offsetof(TrainOptions, member)

static const Option train_options[] = {
	{"label_threshold", OPTION_REAL, AT(source.label_threshold), -1e308, 1e308, NULL, "null", "",
	.meaning = "Label values from this one on are positive; null: labels are 0 and 1."},
	{"on_bad_label", OPTION_CHOICE, AT(source.on_bad_label), 0, 0, bad_label_choices, "\"error\"", "",
	.meaning = "What a label that is neither 0 nor 1 does: raise an error, or skip and count its row."},
	{"split_method", OPTION_CHOICE, AT(source.split_method), 0, 0, split_choices, "\"auto\"", "",
	.meaning = "How rows are split: by names in the split column, by its order (the last rows test), by a hash, or as the column suggests."},
	{"valid_share", OPTION_REAL, AT(source.valid_share), 0, 0.9, NULL, "0.1", "",
	.meaning = "Share of validation rows, where the split is by order or hash."},
	{"test_share", OPTION_REAL, AT(source.test_share), 0, 0.9, NULL, "0.1", "",
	.meaning = "Share of test rows, where the split is by order or hash."},
	{"bins", OPTION_INT, AT(source.default_bins), 1, 65536, NULL, "32", "",
	.meaning = "Bins of a numeric feature, by training quantiles."},
	{"min_count", OPTION_INT, AT(source.default_min_count), 1, 1000000000, NULL, "1", "",
	.meaning = "Values with fewer training rows share one id."},
	{"cross_buckets", OPTION_INT, AT(source.cross_buckets), 1, 100000000, NULL, "65536", "",
	.meaning = "Ids that the combinations of values of each of option \"crosses\" are hashed to."},
	{"row_counts", OPTION_BOOL, AT(source.row_counts), 0, 1, NULL, "true", "",
	.meaning = "Add two features: how many training rows the user has, and the item; none for ids that are hashed or share a vocabulary, nor for items where negatives are sampled."},
	{"deploy", OPTION_CHOICE, AT(deploy.when), 0, 0, deploy_choices, "true", "",
	.meaning = "The new version scores from the commit on; false: when aread_deploy says so; \"if_better\": if it is no worse than the deployed version, on its own test rows."},
	{"deploy_metric", OPTION_CHOICE, AT(deploy.metric), 0, 0, row_measure_names, "\"domain_auc\"", "",
	.meaning = "What \"if_better\" compares; log loss is better if it is lower."},
	{"deploy_tolerance", OPTION_REAL, AT(deploy.tolerance), -1000, 1000, NULL, "0", "",
	.meaning = "How much worse a version may be that \"if_better\" deploys; negative: how much better it has to be."},
	{"min_rows", OPTION_REAL, AT(deploy.min_rows), 0, 1e15, NULL, "null", "",
	.meaning = "A version made of fewer rows is stored, but not deployed; null: a tenth of the deployed version's."},
	{"keep_versions", OPTION_INT, AT(keep_versions), 0, 1000000, NULL, "0", "",
	.meaning = "Drop the model's oldest versions until there are so many, but never pinned ones, the deployed one and the one deployed before; 0: keep all."},
	{"recommend_items", OPTION_INT, AT(recommend_items), 0, 10000000, NULL, "100000", "",
	.meaning = "Items that the model keeps for aread_recommend, with their columns and domains: those with the most training rows; 0: none."},
	{"recommend_users", OPTION_INT, AT(recommend_users), 0, 10000000, NULL, "100000", "",
	.meaning = "Users that the model keeps for aread_recommend, with their columns and the items that they took: those with the most training rows; 0: none."},
	{"recommend_seen", OPTION_INT, AT(recommend_seen), 0, 1000000, NULL, "1000", "",
	.meaning = "Items that are kept of each of these users, so that they are not recommended again."},
	{"resume", OPTION_CHOICE, AT(resume), 0, 0, resume_choices, "\"call\"", "",
	.meaning = "How a background training that is interrupted goes on: when aread_resume is called, or by itself after a restart of the server (\"auto\"), which needs aread in shared_preload_libraries."},
};

const OptionTable train_table = {train_options, lengthof(train_options), NULL};

/* What options of histories begin with; members of one, unless that is said. */
#define HISTORY "history"

/* Where a value comes from, for errors. */
typedef enum ValueOrigin
{
	VALUE_GIVEN,				/* as an argument: the user's to mend */
	VALUE_STORED				/* with a model: damage */
} ValueOrigin;

/* The rest of a sentence that begins with the option. */
pg_noreturn static void
refuse(const Option *option, ValueOrigin origin, const char *what)
{
	if (origin == VALUE_STORED)
		stored_corrupt("version", psprintf("Its option \"%s\" %s.", option->name, what));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("option \"%s\" %s", option->name, what),
			 errhint("%s", option->meaning)));
}

/* What a later version stored and this one does not know. */
pg_noreturn static void
newer_model(const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("stored model has %s, which aread %s does not know", what, AREAD_VERSION),
			 errhint("Update aread to the version that trained the model.")));
}

static double
double_of(const JsonbValue *number)
{
	return DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
											  NumericGetDatum(number->val.numeric)));
}

/* Can a double hold it exactly? */
static bool
is_integer(double number)
{
	return number == rint(number) && fabs(number) <= 9007199254740991.0;
}

static double
number_of(const Option *option, const JsonbValue *value, ValueOrigin origin)
{
	if (value->type != jbvNumeric)
		refuse(option, origin, "must be a number");
	return double_of(value);
}

static double
integer_of(const Option *option, const JsonbValue *value, ValueOrigin origin)
{
	double		number = number_of(option, value, origin);

	if (!is_integer(number))
		refuse(option, origin, "must be an integer");
	return number;
}

static bool
in_range(const Option *option, double number)
{
	return number >= option->minimum && number <= option->maximum;
}

static void
check_range(const Option *option, double value, ValueOrigin origin)
{
	if (!in_range(option, value))
		refuse(option, origin, psprintf("is %.12g, but must be between %.12g and %.12g", value,
										option->minimum, option->maximum));
}

/* An element of a list, the number-th from 1. */
static int
element_of(const Option *option, const JsonbValue *value, int number, ValueOrigin origin)
{
	double		element;

	if (value->type != jbvNumeric || !is_integer(element = double_of(value)))
		refuse(option, origin, psprintf("must be an array of integers, but element %d is none",
										number));
	if (!in_range(option, element))
		refuse(option, origin,
			   psprintf("has %.12g as element %d, but elements must be between %.12g and %.12g",
						element, number, option->minimum, option->maximum));
	return (int) element;
}

static int
choice_of(const Option *option, const JsonbValue *value, ValueOrigin origin)
{
	const char *given = value->type == jbvBool ? value->val.boolean ? "true" : "false" :
		value->type == jbvString ? pnstrdup(value->val.string.val, value->val.string.len) : "";
	const char *choice;
	StringInfoData choices;

	initStringInfo(&choices);
	for (int i = 0; (choice = option_choice(option, i)) != NULL; i++)
	{
		if (strcmp(choice, given) == 0)
			return i;
		appendStringInfo(&choices, "%s\"%s\"", i > 0 ? ", " : "", choice);
	}
	if (origin == VALUE_STORED && value->type == jbvString)
		newer_model(psprintf("option \"%s\" at \"%s\"", option->name, given));
	refuse(option, origin, psprintf("must be one of %s", choices.data));
}

/* A walk over an array of "what". */
static JsonbIterator *
elements_of(const Option *option, const JsonbValue *value, ValueOrigin origin, const char *what)
{
	if (value->type != jbvBinary || !JsonContainerIsArray(value->val.binary.data))
		refuse(option, origin, psprintf("must be an array of %s", what));
	return JsonbIteratorInit(value->val.binary.data);
}

/* The next element of an array; false after the last. */
static bool
next_element(JsonbIterator **iterator, JsonbValue *element)
{
	JsonbIteratorToken token;

	while ((token = JsonbIteratorNext(iterator, element, true)) != WJB_DONE)
		if (token == WJB_ELEM)
			return true;
	return false;
}

static IntList
list_of(const Option *option, const JsonbValue *value, ValueOrigin origin)
{
	IntList		list = {0};
	JsonbIterator *iterator = elements_of(option, value, origin, "integers");
	JsonbValue	element;

	while (next_element(&iterator, &element))
	{
		if (list.n == MAX_LAYERS)
			refuse(option, origin, psprintf("has more than %d elements", MAX_LAYERS));
		list.value[list.n] = element_of(option, &element, list.n + 1, origin);
		list.n++;
	}
	return list;
}

/* Names of columns, each once. */
static NameList
names_of(const Option *option, const JsonbValue *value, ValueOrigin origin)
{
	NameList	list = {0};
	JsonbIterator *iterator = elements_of(option, value, origin, "column names");
	JsonbValue	element;

	while (next_element(&iterator, &element))
	{
		const char *name;

		if (element.type != jbvString)
			refuse(option, origin, psprintf("must be an array of column names, but element %d is none",
											list.n + 1));
		name = pnstrdup(element.val.string.val, element.val.string.len);
		if (strlen(name) >= COLUMN_NAME_SIZE)
			refuse(option, origin, psprintf("has \"%s\", which is longer than any column's name", name));
		for (int i = 0; i < list.n; i++)
			if (strcmp(list.value[i], name) == 0)
				refuse(option, origin, psprintf("has column \"%s\" twice", name));
		if (list.n == (int) option->maximum)
			refuse(option, origin, psprintf("has more than %d elements", list.n));
		strlcpy(list.value[list.n++], name, COLUMN_NAME_SIZE);
	}
	return list;
}

static void
set_option(const Option *option, void *options, const JsonbValue *value, ValueOrigin origin)
{
	char	   *at = (char *) options + option->offset;
	double		number;

	/* it is the default then */
	if (value->type == jbvNull && option_is_nullable(option) &&
		option_set_text(option, options, option->default_text))
		return;
	switch (option->type)
	{
		case OPTION_BOOL:
			if (value->type != jbvBool)
				refuse(option, origin, "must be true or false");
			*(bool *) at = value->val.boolean;
			break;
		case OPTION_INT:
			number = integer_of(option, value, origin);
			check_range(option, number, origin);
			*(int *) at = (int) number;
			break;
		case OPTION_SEED:
			number = integer_of(option, value, origin);
			check_range(option, number, origin);
			*(uint64_t *) at = (uint64_t) number;
			break;
		case OPTION_REAL:
			number = number_of(option, value, origin);
			check_range(option, number, origin);
			*(double *) at = number;
			break;
		case OPTION_CHOICE:
			*(int *) at = choice_of(option, value, origin);
			break;
		case OPTION_INT_LIST:
			*(IntList *) at = list_of(option, value, origin);
			break;
		case OPTION_NAME_LIST:
			*(NameList *) at = names_of(option, value, origin);
			break;
	}
}

/* object: what the names of its members begin with in full; "": none. */
static void
unknown_option(const char *name, const char *object)
{
	NearestName nearest;
	size_t		prefix = strlen(object);

	nearest_start(&nearest, name);
	for (int i = 0; i < config_table.n; i++)
		nearest_offer(&nearest, config_table.options[i].name);
	for (int i = 0; i < train_table.n; i++)
		nearest_offer(&nearest, train_table.options[i].name);
	nearest_offer(&nearest, "features");
	nearest_offer(&nearest, "crosses");
	nearest_offer(&nearest, HISTORY);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown option \"%s\"", name),
			 nearest.name ? errhint("Perhaps you mean \"%s\".", nearest.name +
									(strncmp(nearest.name, object, prefix) == 0 ? prefix : 0)) :
			 errhint("aread_options() lists all options.")));
}

static bool next_member(JsonbIterator **iterator, const char **name, JsonbValue *value);

/*
 * Option "history": an object of the options whose names begin with it; true is an empty
 * one, false switches it off.
 */
static void
set_history(const JsonbValue *value, Config *config)
{
	JsonbIterator *iterator;
	JsonbValue	member;
	const char *name = "";

	if (value->type == jbvBool)
	{
		config->history_length = value->val.boolean ? HISTORY_LENGTH : 0;
		return;
	}
	if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" must be an object, true or false", HISTORY),
				 errhint("For example {\"length\": 50, \"of\": \"positives\"}.")));
	config->history_length = HISTORY_LENGTH;
	iterator = JsonbIteratorInit(value->val.binary.data);
	while (next_member(&iterator, &name, &member))
	{
		const char *full_name = psprintf("%s.%s", HISTORY, name);
		const Option *option = option_find(&config_table, full_name);

		if (!option)
			unknown_option(full_name, HISTORY ".");
		else
			set_option(option, config, &member, VALUE_GIVEN);
	}
}

static void
set_named_option(const char *name, const JsonbValue *value, Config *config,
				 TrainOptions *options)
{
	const Option *option = option_find(&config_table, name);

	/* these are as good as left out */
	if (value->type == jbvNull && (strcmp(name, "features") == 0 || strcmp(name, "crosses") == 0 ||
								   strcmp(name, HISTORY) == 0))
		return;
	if (strcmp(name, "features") == 0)
	{
		if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("option \"features\" must be an object"),
					 errhint("For example {\"price\": {\"kind\": \"binned\", \"bins\": 10}}.")));
		options->source.features = JsonbValueToJsonb((JsonbValue *) value);
	}
	else if (strcmp(name, "crosses") == 0)
	{
		if (value->type != jbvBinary || !JsonContainerIsArray(value->val.binary.data))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("option \"crosses\" must be an array of arrays of column names"),
					 errhint("For example [[\"user_id\", \"category\"], [\"hour\", \"device\"]].")));
		if (JsonContainerSize(value->val.binary.data) > MAX_CROSSES)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("option \"crosses\" has more than %d elements", MAX_CROSSES)));
		options->source.crosses = JsonbValueToJsonb((JsonbValue *) value);
	}
	else if (strcmp(name, HISTORY) == 0)
		set_history(value, config);
	else if (option)
		set_option(option, config, value, VALUE_GIVEN);
	else if ((option = option_find(&train_table, name)) != NULL)
		set_option(option, options, value, VALUE_GIVEN);
	else
		unknown_option(name, "");
}

/* The next member of an object; false after the last. */
static bool
next_member(JsonbIterator **iterator, const char **name, JsonbValue *value)
{
	JsonbIteratorToken token;

	while ((token = JsonbIteratorNext(iterator, value, true)) != WJB_DONE)
		if (token == WJB_KEY)
			*name = pnstrdup(value->val.string.val, value->val.string.len);
		else if (token == WJB_VALUE)
			return true;
	return false;
}

static void
check_config(const Config *config)
{
	EngineError error;

	if (!config_check(config, &error))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s", error.message),
				 error.hint[0] ? errhint("%s", error.hint) : 0));
}

static void
set_given(Jsonb *given, Config *config, TrainOptions *options)
{
	JsonbIterator *iterator;
	JsonbValue	value;
	bool		object = false;	/* jsonb has the shorter keys first */
	const char *name = "";

	if (!JB_ROOT_IS_OBJECT(given))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("options must be an object"),
				 errhint("For example '{\"epochs\": 5}'; aread_options() lists all options.")));
	iterator = JsonbIteratorInit(&given->root);
	while (next_member(&iterator, &name, &value))
	{
		if (strcmp(name, HISTORY) == 0)
			object = true;
		if (object && strncmp(name, HISTORY ".", strlen(HISTORY ".")) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("options \"%s\" and \"%s\" are both given", HISTORY, name),
					 errhint("Option \"%s\" is an object of all that begin with its name.", HISTORY)));
		set_named_option(name, &value, config, options);
	}
}

void
options_parse(Jsonb *given, Config *config, TrainOptions *options)
{
	SourceOptions *source = &options->source;

	config_defaults(config);
	memset(options, 0, sizeof(*options));
	if (!options_default(&train_table, options))
		elog(ERROR, "the default of an option is none of its values");
	if (given)
		set_given(given, config, options);
	if (source->valid_share + source->test_share >= 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("options \"valid_share\" and \"test_share\" leave no training rows"),
				 errhint("Set them so that their sum is below 1.")));
	options->history_asked = config->history_length != NULL_INT;
	config_settle(config);
	source->seed = config->seed;
	source->samples_negatives = config->negatives > 0;
	source->keeps_times = config->history_length > 0 &&
		architecture_uses(config->architecture, HISTORY ".length");
	if (source->keeps_times)
		source->sides = config->history_side;
	check_config(config);
}

void
options_tell_unused(Jsonb *given, const Config *config)
{
	JsonbIterator *iterator = JsonbIteratorInit(&given->root);
	StringInfoData unused;
	JsonbValue	value;
	const char *name = "";

	initStringInfo(&unused);
	while (next_member(&iterator, &name, &value))
		if (!architecture_uses(config->architecture,
							   strcmp(name, HISTORY) == 0 ? HISTORY ".length" : name))
			appendStringInfo(&unused, "%s%s", unused.len > 0 ? ", " : "", name);
	if (unused.len > 0)
		ereport(NOTICE,
				(errmsg("options without effect on architecture \"%s\": %s",
						architecture_name(config->architecture), unused.data),
				 errhint("aread_options() lists the architectures that an option is for.")));
}

List *
options_architectures(const char *option, bool races)
{
	List	   *names = NIL;

	for (int a = 0; a < (races ? n_choices : n_architectures); a++)
		if (architecture_uses(a, option))
			names = lappend(names, (char *) architecture_name(a));
	return names;
}

char *
options_architectures_text(const char *option, const char *separator, const char *last_separator)
{
	List	   *names = options_architectures(option, false);
	StringInfoData text;
	ListCell   *name;

	initStringInfo(&text);
	foreach(name, names)
	{
		if (text.len > 0)
			appendStringInfoString(&text, lfirst(name) == llast(names) ? last_separator : separator);
		appendStringInfoString(&text, lfirst(name));
	}
	list_free(names);
	return text.data;
}

static void
set_stored_option(const char *name, const JsonbValue *value, Config *config, bool *stored)
{
	const Option *option = option_find(&config_table, name);

	if (!option && !option_find_former(&config_table, name, &option))
		newer_model(psprintf("option \"%s\"", name));
	/* dropped */
	if (!option)
		return;
	set_option(option, config, value, VALUE_STORED);
	stored[option - config_table.options] = true;
}

void
options_parse_stored(Jsonb *config_stored, Config *config)
{
	bool	   *stored = palloc0(config_table.n * sizeof(bool));
	const Option *missing;
	JsonbIterator *iterator;
	JsonbValue	value;
	const char *name = "";
	EngineError error;

	*config = (Config) {0};
	if (!JB_ROOT_IS_OBJECT(config_stored))
		stored_corrupt("version", "Its options are no object.");
	iterator = JsonbIteratorInit(&config_stored->root);
	while (next_member(&iterator, &name, &value))
		set_stored_option(name, &value, config, stored);
	missing = options_fill_older(&config_table, config, stored);
	if (missing)
		stored_corrupt("version", psprintf("It lacks option \"%s\".", missing->name));
	pfree(stored);
	if (!config_check(config, &error))
		stored_corrupt("version", psprintf("Its options are not valid: %s.", error.message));
	if (config->architecture >= n_architectures)
		stored_corrupt("version", psprintf("Its architecture, \"%s\", is that of no model.",
										   architecture_name(config->architecture)));
}
