/*
 * options.c
 *	  aread_options() and aread_architectures(): the tables of options and the
 *	  registry of architectures as rows.
 */
#include "postgres.h"

#include "options.h"

#include "catalog/objectaddress.h"
#include "engine/networks/architectures.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#define N_COLUMNS 9
#define N_ARCHITECTURE_COLUMNS 4

static const char *
type_name(OptionType type)
{
	switch (type)
	{
		case OPTION_BOOL:
			return "boolean";
		case OPTION_INT:
		case OPTION_SEED:
			return "integer";
		case OPTION_REAL:
			return "number";
		case OPTION_CHOICE:
			return "choice";
		case OPTION_INT_LIST:
			return "integers";
		case OPTION_NAME_LIST:
			return "names";
	}
	return "";
}

static List *
choices_of(const Option *option)
{
	List	   *choices = NIL;
	const char *choice;

	for (int i = 0; (choice = option_choice(option, i)) != NULL; i++)
		choices = lappend(choices, (char *) choice);
	return choices;
}

static void
put_option(ReturnSetInfo *rsinfo, const Option *option)
{
	Datum		values[N_COLUMNS];
	bool		nulls[N_COLUMNS] = {false};
	bool		has_range = option->type != OPTION_BOOL && option->type != OPTION_CHOICE;
	List	   *architectures = options_architectures(option->name, true);

	values[0] = CStringGetTextDatum(option->name);
	values[1] = CStringGetTextDatum(type_name(option->type));
	values[2] = DirectFunctionCall1(jsonb_in, CStringGetDatum(option->default_text));
	values[3] = Float8GetDatum(option->minimum);
	values[4] = Float8GetDatum(option->maximum);
	nulls[3] = nulls[4] = !has_range;
	nulls[5] = option->type != OPTION_CHOICE;
	if (option->type == OPTION_CHOICE)
		values[5] = PointerGetDatum(strlist_to_textarray(choices_of(option)));
	values[6] = CStringGetTextDatum(option->symbol);
	nulls[6] = option->symbol[0] == '\0';
	values[7] = CStringGetTextDatum(option->meaning);
	values[8] = PointerGetDatum(strlist_to_textarray(architectures));
	/* on all */
	nulls[8] = list_length(architectures) == n_choices;
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* An option that is not a value. */
static void
put_structure(ReturnSetInfo *rsinfo, const char *name, const char *type, const char *default_text,
			  const char *meaning)
{
	Datum		values[N_COLUMNS];
	bool		nulls[N_COLUMNS] = {false, false, false, true, true, true, true, false, true};

	values[0] = CStringGetTextDatum(name);
	values[1] = CStringGetTextDatum(type);
	values[2] = DirectFunctionCall1(jsonb_in, CStringGetDatum(default_text));
	values[7] = CStringGetTextDatum(meaning);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

static void
put_structures(ReturnSetInfo *rsinfo)
{
	put_structure(rsinfo, "features", "object", "{}",
				  psprintf("For single columns: {\"column\": {\"kind\": k, \"bins\": n, \"min_count\": n, \"buckets\": n, \"vocabulary\": column whose vocabulary it shares}}. Kinds are %s.",
						   feature_kinds_text()));
	put_structure(rsinfo, "crosses", "array", "[]",
				  psprintf("Features of combinations of columns' values, hashed: [[\"column\", \"column\"], ...]; up to %d, of 2 to %d columns each, categorical or binned; NULL where one of them is.",
						   MAX_CROSSES, CROSS_PARTS));
}

PG_FUNCTION_INFO_V1(aread_options);
Datum
aread_options(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < config_table.n; i++)
		put_option(rsinfo, &config_table.options[i]);
	for (int i = 0; i < train_table.n; i++)
		put_option(rsinfo, &train_table.options[i]);
	put_structures(rsinfo);
	return (Datum) 0;
}

/* Options with an effect on an architecture, but not on all of them. */
static List *
options_of(int architecture)
{
	List	   *options = NIL;

	for (int i = 0; i < config_table.n; i++)
	{
		const char *name = config_table.options[i].name;

		if (architecture_uses(architecture, name) &&
			list_length(options_architectures(name, true)) < n_choices)
			options = lappend(options, (char *) name);
	}
	return options;
}

PG_FUNCTION_INFO_V1(aread_architectures);
Datum
aread_architectures(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (int a = 0; a < n_choices; a++)
	{
		const Architecture *architecture = architecture_at(a);
		Datum		values[N_ARCHITECTURE_COLUMNS];
		bool		nulls[N_ARCHITECTURE_COLUMNS] = {false};

		values[0] = CStringGetTextDatum(architecture->name);
		values[1] = CStringGetTextDatum(architecture->meaning);
		values[2] = CStringGetTextDatum(architecture->reference);
		nulls[2] = architecture->reference[0] == '\0';
		values[3] = PointerGetDatum(strlist_to_textarray(options_of(a)));
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}
