/*
 * options.c
 *	  aread_options(): the tables of options as rows.
 */
#include "postgres.h"

#include "options.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#define N_COLUMNS 8

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
	}
	return "";
}

static Datum
choice_array(const char *const *choices)
{
	Datum		values[16];
	int			n = 0;

	while (n < lengthof(values) && choices[n])
	{
		values[n] = CStringGetTextDatum(choices[n]);
		n++;
	}
	return PointerGetDatum(construct_array(values, n, TEXTOID, -1, false, TYPALIGN_INT));
}

static void
put_option(ReturnSetInfo *rsinfo, const Option *option)
{
	Datum		values[N_COLUMNS];
	bool		nulls[N_COLUMNS] = {false};
	bool		has_range = option->type != OPTION_BOOL && option->type != OPTION_CHOICE;

	values[0] = CStringGetTextDatum(option->name);
	values[1] = CStringGetTextDatum(type_name(option->type));
	values[2] = DirectFunctionCall1(jsonb_in, CStringGetDatum(option->default_text));
	values[3] = Float8GetDatum(option->minimum);
	values[4] = Float8GetDatum(option->maximum);
	nulls[3] = nulls[4] = !has_range;
	nulls[5] = !option->choices;
	if (option->choices)
		values[5] = choice_array(option->choices);
	values[6] = CStringGetTextDatum(option->symbol);
	nulls[6] = option->symbol[0] == '\0';
	values[7] = CStringGetTextDatum(option->meaning);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* The one option that is not a value. */
static void
put_features(ReturnSetInfo *rsinfo)
{
	Datum		values[N_COLUMNS];
	bool		nulls[N_COLUMNS] = {false, false, false, true, true, true, true, false};

	values[0] = CStringGetTextDatum("features");
	values[1] = CStringGetTextDatum("object");
	values[2] = DirectFunctionCall1(jsonb_in, CStringGetDatum("{}"));
	values[7] = CStringGetTextDatum("For single columns: {\"column\": {\"kind\": categorical, binned, list or dense (a vector), \"bins\": n, \"min_count\": n, \"buckets\": n, \"vocabulary\": column whose vocabulary it shares}}.");
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

PG_FUNCTION_INFO_V1(aread_options);
Datum
aread_options(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < n_config_options; i++)
		put_option(rsinfo, &config_options[i]);
	for (int i = 0; i < n_train_options; i++)
		put_option(rsinfo, &train_options[i]);
	put_features(rsinfo);
	return (Datum) 0;
}
