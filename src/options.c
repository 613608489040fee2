/*
 * options.c
 *	  Options of aread_train as jsonb, by walking the tables of options.
 */
#include "postgres.h"

#include "options.h"

#include <math.h>

#include "common/shortest_dec.h"
#include "engine/measure/metrics.h"
#include "nearest.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

static const char *const bad_label_choices[] = {"error", "skip", NULL};
static const char *const deploy_choices[] = {"false", "true", "if_better", NULL};
static const char *const resume_choices[] = {"call", "auto", NULL};
static const char *const split_choices[] = {"auto", "name", "order", "hash", NULL};

#define AT(member) offsetof(TrainOptions, member)

const Option train_options[] = {
	{"label_threshold", OPTION_REAL, AT(source.label_threshold), -1e308, 1e308, NULL, "null", "",
	"Label values from this one on are positive; null: labels are 0 and 1."},
	{"on_bad_label", OPTION_CHOICE, AT(source.on_bad_label), 0, 0, bad_label_choices, "\"error\"", "",
	"What a label that is neither 0 nor 1 does: raise an error, or skip and count its row."},
	{"split_method", OPTION_CHOICE, AT(source.split_method), 0, 0, split_choices, "\"auto\"", "",
	"How rows are split: by names in the split column, by its order (the last rows test), by a hash, or as the column suggests."},
	{"valid_share", OPTION_REAL, AT(source.valid_share), 0, 0.9, NULL, "0.1", "",
	"Share of validation rows, where the split is by order or hash."},
	{"test_share", OPTION_REAL, AT(source.test_share), 0, 0.9, NULL, "0.1", "",
	"Share of test rows, where the split is by order or hash."},
	{"bins", OPTION_INT, AT(source.default_bins), 1, 65536, NULL, "32", "",
	"Bins of a numeric feature, by training quantiles."},
	{"min_count", OPTION_INT, AT(source.default_min_count), 1, 1000000000, NULL, "1", "",
	"Values with fewer training rows share one id."},
	{"row_counts", OPTION_BOOL, AT(source.row_counts), 0, 1, NULL, "true", "",
	"Add two features: how many training rows the user has, and the item; none for ids that are hashed or share a vocabulary, nor for items where negatives are sampled."},
	{"deploy", OPTION_CHOICE, AT(deploy.when), 0, 0, deploy_choices, "true", "",
	"The new version scores from the commit on; false: when aread_deploy says so; \"if_better\": if it is no worse than the deployed version, on its own test rows."},
	{"deploy_metric", OPTION_CHOICE, AT(deploy.metric), 0, 0, measure_names, "\"domain_auc\"", "",
	"What \"if_better\" compares; log loss is better if it is lower."},
	{"deploy_tolerance", OPTION_REAL, AT(deploy.tolerance), -1000, 1000, NULL, "0", "",
	"How much worse a version may be that \"if_better\" deploys; negative: how much better it has to be."},
	{"min_rows", OPTION_REAL, AT(deploy.min_rows), 0, 1e15, NULL, "null", "",
	"A version made of fewer rows is stored, but not deployed; null: a tenth of the deployed version's."},
	{"keep_versions", OPTION_INT, AT(keep_versions), 0, 1000000, NULL, "0", "",
	"Drop the model's oldest versions until there are so many, but never pinned ones, the deployed one and the one deployed before; 0: keep all."},
	{"resume", OPTION_CHOICE, AT(resume), 0, 0, resume_choices, "\"call\"", "",
	"How a background training that is interrupted goes on: when aread_resume is called, or by itself after a restart of the server (\"auto\"), which needs aread in shared_preload_libraries."},
};

const int	n_train_options = lengthof(train_options);

static void
train_defaults(TrainOptions *options)
{
	SourceOptions *source = &options->source;

	memset(options, 0, sizeof(*options));
	source->label_threshold = NAN;
	source->valid_share = 0.1;
	source->test_share = 0.1;
	source->default_bins = 32;
	source->default_min_count = 1;
	source->row_counts = true;
	options->deploy = (DeployRule) {.when = DEPLOY_ALWAYS,.metric = 1,.min_rows = NAN};
}

static void
wrong_type(const Option *option, const char *wanted)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("option \"%s\" must be %s", option->name, wanted),
			 errhint("%s", option->meaning)));
}

static double
number_of(const Option *option, const JsonbValue *value)
{
	if (value->type != jbvNumeric)
		wrong_type(option, "a number");
	return DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
											  NumericGetDatum(value->val.numeric)));
}

static double
integer_of(const Option *option, const JsonbValue *value)
{
	double		number = number_of(option, value);

	if (number != rint(number) || fabs(number) > 9007199254740991.0)
		wrong_type(option, "an integer");
	return number;
}

static void
check_range(const Option *option, double value)
{
	if (value >= option->minimum && value <= option->maximum)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("option \"%s\" is %.12g, but must be between %.12g and %.12g",
					option->name, value, option->minimum, option->maximum),
			 errhint("%s", option->meaning)));
}

static int
choice_of(const Option *option, const JsonbValue *value)
{
	const char *given = value->type == jbvBool ? value->val.boolean ? "true" : "false" :
		value->type == jbvString ? pnstrdup(value->val.string.val, value->val.string.len) : "";
	StringInfoData choices;

	initStringInfo(&choices);
	for (int i = 0; option->choices[i]; i++)
	{
		if (strcmp(option->choices[i], given) == 0)
			return i;
		appendStringInfo(&choices, "%s\"%s\"", i > 0 ? ", " : "", option->choices[i]);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("option \"%s\" must be one of %s", option->name, choices.data)));
}

static IntList
list_of(const Option *option, const JsonbValue *value)
{
	IntList		list = {0};
	JsonbIterator *iterator;
	JsonbValue	element;
	JsonbIteratorToken token;

	if (value->type != jbvBinary || !JsonContainerIsArray(value->val.binary.data))
		wrong_type(option, "an array of integers");
	iterator = JsonbIteratorInit(value->val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &element, true)) != WJB_DONE)
	{
		double		number;

		if (token != WJB_ELEM)
			continue;
		number = integer_of(option, &element);
		check_range(option, number);
		if (list.n == MAX_LAYERS)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("option \"%s\" has more than %d elements", option->name,
							MAX_LAYERS)));
		list.value[list.n++] = (int) number;
	}
	return list;
}

static void
set_option(const Option *option, void *options, const JsonbValue *value)
{
	char	   *at = (char *) options + option->offset;
	double		number;

	switch (option->type)
	{
		case OPTION_BOOL:
			if (value->type != jbvBool)
				wrong_type(option, "true or false");
			*(bool *) at = value->val.boolean;
			break;
		case OPTION_INT:
			number = integer_of(option, value);
			check_range(option, number);
			*(int *) at = (int) number;
			break;
		case OPTION_SEED:
			number = integer_of(option, value);
			check_range(option, number);
			*(uint64_t *) at = (uint64_t) number;
			break;
		case OPTION_REAL:
			/* "none", where that is the default */
			if (value->type == jbvNull && strcmp(option->default_text, "null") == 0)
			{
				*(double *) at = NAN;
				break;
			}
			number = number_of(option, value);
			check_range(option, number);
			*(double *) at = number;
			break;
		case OPTION_CHOICE:
			*(int *) at = choice_of(option, value);
			break;
		case OPTION_INT_LIST:
			*(IntList *) at = list_of(option, value);
			break;
	}
}

static const Option *
find_train_option(const char *name)
{
	for (int i = 0; i < n_train_options; i++)
		if (strcmp(train_options[i].name, name) == 0)
			return &train_options[i];
	return NULL;
}

static void
unknown_option(const char *name)
{
	NearestName nearest;

	nearest_start(&nearest, name);
	for (int i = 0; i < n_config_options; i++)
		nearest_offer(&nearest, config_options[i].name);
	for (int i = 0; i < n_train_options; i++)
		nearest_offer(&nearest, train_options[i].name);
	nearest_offer(&nearest, "features");
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown option \"%s\"", name),
			 nearest.name ? errhint("Perhaps you mean \"%s\".", nearest.name) :
			 errhint("aread_options() lists all options.")));
}

static void
set_named_option(const char *name, const JsonbValue *value, Config *config,
				 TrainOptions *options)
{
	const Option *option = config_find(name);

	if (strcmp(name, "features") == 0)
	{
		if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("option \"features\" must be an object"),
					 errhint("For example {\"price\": {\"kind\": \"binned\", \"bins\": 10}}.")));
		options->source.features = JsonbValueToJsonb((JsonbValue *) value);
	}
	else if (option)
		set_option(option, config, value);
	else if ((option = find_train_option(name)) != NULL)
		set_option(option, options, value);
	else
		unknown_option(name);
}

void
options_parse(Jsonb *given, Config *config, TrainOptions *options)
{
	SourceOptions *source = &options->source;
	JsonbIterator *iterator;
	JsonbValue	value;
	JsonbIteratorToken token;
	const char *name = "";
	EngineError error;

	config_defaults(config);
	train_defaults(options);
	if (!given)
		return;
	if (!JB_ROOT_IS_OBJECT(given))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("options must be an object"),
				 errhint("For example '{\"epochs\": 5}'; aread_options() lists all options.")));
	iterator = JsonbIteratorInit(&given->root);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			name = pnstrdup(value.val.string.val, value.val.string.len);
		else if (token == WJB_VALUE)
			set_named_option(name, &value, config, options);
	}
	if (source->valid_share + source->test_share >= 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("options \"valid_share\" and \"test_share\" leave no training rows"),
				 errhint("Set them so that their sum is below 1.")));
	source->seed = config->seed;
	source->samples_negatives = config->negatives > 0;
	if (!config_check(config, &error))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s", error.message),
				 error.hint[0] ? errhint("%s", error.hint) : 0));
}

static void
append_option(StringInfo json, const Option *option, const void *options)
{
	const char *at = (const char *) options + option->offset;

	switch (option->type)
	{
		case OPTION_BOOL:
			appendStringInfoString(json, *(const bool *) at ? "true" : "false");
			break;
		case OPTION_INT:
			appendStringInfo(json, "%d", *(const int *) at);
			break;
		case OPTION_SEED:
			appendStringInfo(json, UINT64_FORMAT, *(const uint64_t *) at);
			break;
		case OPTION_REAL:
			if (isnan(*(const double *) at))
				appendStringInfoString(json, "null");
			else
			{
				char		digits[DOUBLE_SHORTEST_DECIMAL_LEN];

				double_to_shortest_decimal_buf(*(const double *) at, digits);
				appendStringInfoString(json, digits);
			}
			break;
		case OPTION_CHOICE:
			appendStringInfo(json, "\"%s\"", option->choices[*(const int *) at]);
			break;
		case OPTION_INT_LIST:
			{
				const IntList *list = (const IntList *) at;

				appendStringInfoChar(json, '[');
				for (int i = 0; i < list->n; i++)
					appendStringInfo(json, "%s%d", i > 0 ? ", " : "", list->value[i]);
				appendStringInfoChar(json, ']');
				break;
			}
	}
}

Jsonb *
options_from_config(const Config *config)
{
	StringInfoData json;

	initStringInfo(&json);
	for (int i = 0; i < n_config_options; i++)
	{
		appendStringInfo(&json, "%s\"%s\": ", i > 0 ? ", " : "{", config_options[i].name);
		append_option(&json, &config_options[i], config);
	}
	appendStringInfoChar(&json, '}');
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data)));
}
