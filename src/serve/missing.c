/*
 * missing.c
 *	  Features that a model needs and a row does not have.
 *
 * What a statement has been told lies in this process, as hashes of messages; the
 * next statement begins anew.  The lists of names are made only for rows that lack
 * something, and only as often as a message may come of it (call.c).
 */
#include "postgres.h"

#include "serve/missing.h"

#include "access/xact.h"
#include "common/hashfn.h"
#include "lib/stringinfo.h"
#include "nearest.h"
#include "settings.h"

/* A message lists no more names than these. */
#define MAX_NAMES 10
/* Different notices of one statement; more are not given. */
#define MAX_REPORTED 32

/* What the statement that began then has been told, as hashes. */
static TimestampTz reported_at = 0;
static uint64 reported[MAX_REPORTED];
static int	n_reported = 0;

static bool
has_name(const List *names, const char *name)
{
	ListCell   *lc;

	foreach(lc, names)
		if (strcmp(lfirst(lc), name) == 0)
			return true;
	return false;
}

List *
missing_needed(const FeatureSpec *spec, bool with_domain)
{
	List	   *names = NIL;

	for (int f = 0; f < spec->n_columns; f++)
		if (with_domain || f != spec->domain_feature)
			names = lappend(names, spec->features[f].name);
	return names;
}

List *
missing_columns(TupleDesc descriptor)
{
	List	   *names = NIL;

	for (int i = 0; i < descriptor->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(descriptor, i);

		if (!attribute->attisdropped)
			names = lappend(names, pstrdup(NameStr(attribute->attname)));
	}
	return names;
}

List *
missing_keys(const Jsonb *object)
{
	JsonbIterator *iterator = JsonbIteratorInit((JsonbContainer *) &object->root);
	List	   *names = NIL;
	JsonbValue	value;
	JsonbIteratorToken token;

	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
		if (token == WJB_KEY)
			names = lappend(names, pnstrdup(value.val.string.val, value.val.string.len));
	return names;
}

List *
missing_names(const List *needed, const List *present)
{
	List	   *missing = NIL;
	ListCell   *lc;

	foreach(lc, needed)
		if (!has_name(present, lfirst(lc)))
			missing = lappend(missing, lfirst(lc));
	return missing;
}

static char *
names_text(const List *names)
{
	StringInfoData text;
	ListCell   *lc;

	initStringInfo(&text);
	foreach(lc, names)
	{
		if (foreach_current_index(lc) == MAX_NAMES)
		{
			appendStringInfo(&text, " and %d more", list_length(names) - MAX_NAMES);
			break;
		}
		appendStringInfo(&text, "%s%s", text.len > 0 ? ", " : "", (char *) lfirst(lc));
	}
	return text.data;
}

/* Notes it; was it told before, or were too many? */
static bool
was_reported(const char *message)
{
	uint64		hash = hash_bytes_extended((const unsigned char *) message, strlen(message), 0);

	if (reported_at != GetCurrentStatementStartTimestamp())
		n_reported = 0;
	reported_at = GetCurrentStatementStartTimestamp();
	for (int i = 0; i < n_reported; i++)
		if (reported[i] == hash)
			return true;
	if (n_reported == MAX_REPORTED)
		return true;
	reported[n_reported++] = hash;
	return false;
}

/* Which of the names that are no features could be meant for a missing one? */
static char *
hint_text(const List *missing, const List *others)
{
	StringInfoData text;
	ListCell   *lc;

	initStringInfo(&text);
	foreach(lc, missing)
	{
		NearestName nearest;
		ListCell   *other;

		nearest_start(&nearest, lfirst(lc));
		foreach(other, others)
			nearest_offer(&nearest, lfirst(other));
		if (nearest.name)
			appendStringInfo(&text, "%s \"%s\" by \"%s\"", text.len > 0 ? "," : "Perhaps you mean",
							 nearest.wanted, nearest.name);
		if (foreach_current_index(lc) == MAX_NAMES)
			break;
	}
	appendStringInfoString(&text, text.len > 0 ? "." :
						   "Pass what is not known as NULL; setting \"aread.missing_features\" says what is done about what is not passed.");
	return text.data;
}

void
missing_tell(const char *model, const List *needed, const List *present, const List *missing)
{
	bool		is_error = setting_missing_features == MISSING_FEATURES_ERROR;
	List	   *others;
	char	   *message;

	if (setting_missing_features == MISSING_FEATURES_IGNORE)
		return;
	message = psprintf("features of model \"%s\" are missing%s: %s", model,
					   is_error ? "" : " and count as NULL", names_text(missing));
	if (!is_error && was_reported(message))
		return;
	others = missing_names(present, needed);
	ereport(is_error ? ERROR : NOTICE,
			(errcode(is_error ? ERRCODE_UNDEFINED_COLUMN : ERRCODE_SUCCESSFUL_COMPLETION),
			 errmsg_internal("%s", message),
			 others ? errdetail("Names that are no features of it: %s.", names_text(others)) : 0,
			 errhint("%s", hint_text(missing, others))));
}
