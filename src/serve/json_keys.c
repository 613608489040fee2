/*
 * json_keys.c
 *	  Keys that JSON text has twice.
 *
 * As row_to_json() gives them for a join of tables that share a column's name.
 * Nothing is parsed for it: the text is valid, and has as many pairs as there
 * are colons outside of strings, one level deep.
 */
#include "postgres.h"

#include "serve/json_keys.h"

#include "fmgr.h"
#include "utils/builtins.h"

typedef struct KeyScan
{
	const char *at;
	int			depth;
	const char *key;			/* the latest one, in quotes, as it is written */
	int			length;
} KeyScan;

/* Just behind a string that begins here. */
static const char *
skip_string(const char *at)
{
	for (at++; *at != '"'; at++)
		if (*at == '\\')
			at++;
	return at + 1;
}

static bool
next_key(KeyScan *scan)
{
	while (*scan->at)
		switch (*scan->at)
		{
			case '"':
				scan->key = scan->at;
				scan->at = skip_string(scan->at);
				scan->length = scan->at - scan->key;
				break;
			case '{':
			case '[':
				scan->depth++;
				scan->at++;
				break;
			case '}':
			case ']':
				scan->depth--;
				scan->at++;
				break;
			case ':':
				scan->at++;
				if (scan->depth == 1)
					return true;
				break;
			default:
				scan->at++;
		}
	return false;
}

/* A key without quotes and escapes. */
static char *
key_name(const KeyScan *scan)
{
	char	   *quoted = pnstrdup(scan->key, scan->length);
	Jsonb	   *string = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(quoted)));
	JsonbValue	value;

	JsonbExtractScalar(&string->root, &value);
	return pnstrdup(value.val.string.val, value.val.string.len);
}

static void
refuse_twice(const FeatureSpec *spec, const char *text, bool with_domain)
{
	/* the history's is the last one */
	bool	   *seen = palloc0(spec->n_features + 1);
	KeyScan		scan = {.at = text};

	while (next_key(&scan))
	{
		char	   *name = key_name(&scan);
		int			f = spec_find_named(spec, name);

		if (f < 0 || (f == spec->domain_feature && !with_domain))
			continue;
		if (seen[f])
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_JSON_OBJECT_KEY_VALUE),
					 errmsg("feature \"%s\" is ambiguous", name),
					 errdetail("The JSON text has this key twice."),
					 errhint("Give one of them another name; in jsonb the last one counts.")));
		seen[f] = true;
	}
}

/* No text has more pairs, its nested objects' included. */
static uint32
count_colons(const char *text)
{
	uint32		n = 0;

	while ((text = strchr(text, ':')) != NULL)
	{
		n++;
		text++;
	}
	return n;
}

void
json_check_keys(const FeatureSpec *spec, const char *text, Jsonb *object, bool with_domain)
{
	KeyScan		scan = {.at = text};
	uint32		n = 0;

	if (!JB_ROOT_IS_OBJECT(object) || count_colons(text) == JB_ROOT_COUNT(object))
		return;
	while (next_key(&scan))
		n++;
	if (n > JB_ROOT_COUNT(object))
		refuse_twice(spec, text, with_domain);
}
