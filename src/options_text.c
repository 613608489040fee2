/*
 * options_text.c
 *	  A configuration as jsonb, as models store it.
 */
#include "postgres.h"

#include "options_text.h"

#include <math.h>

#include "common/shortest_dec.h"
#include "engine/networks/config_options.h"
#include "lib/stringinfo.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"

static void
append_names(StringInfo json, const NameList *list)
{
	appendStringInfoChar(json, '[');
	for (int i = 0; i < list->n; i++)
	{
		appendStringInfoString(json, i > 0 ? ", " : "");
		escape_json(json, list->value[i]);
	}
	appendStringInfoChar(json, ']');
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
			appendStringInfo(json, "\"%s\"", option_choice(option, *(const int *) at));
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
		case OPTION_NAME_LIST:
			append_names(json, (const NameList *) at);
			break;
	}
}

/* Of a settled one: no number is left to a rule. */
Jsonb *
options_from_config(const Config *config)
{
	StringInfoData json;

	initStringInfo(&json);
	for (int i = 0; i < config_table.n; i++)
	{
		const Option *option = &config_table.options[i];

		appendStringInfo(&json, "%s\"%s\": ", i > 0 ? ", " : "{", option->name);
		append_option(&json, option, config);
	}
	appendStringInfoChar(&json, '}');
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data)));
}
