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
#include "miscadmin.h"
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
	{
		CHECK_FOR_INTERRUPTS();
		if (strcmp(lfirst(lc), name) == 0)
			return true;
	}
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

	/* there may be millions, here and below */
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		CHECK_FOR_INTERRUPTS();
		if (token == WJB_KEY)
			names = lappend(names, pnstrdup(value.val.string.val, value.val.string.len));
	}
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

/* Of the names the one nearest to what is wanted, as a guess at which feature is meant. */
static void
add_guess(StringInfo text, char *wanted, const List *names, bool wanted_is_meant)
{
	NearestName nearest;
	ListCell   *lc;

	nearest_start(&nearest, wanted);
	foreach(lc, names)
	{
		CHECK_FOR_INTERRUPTS();
		nearest_offer(&nearest, lfirst(lc));
	}
	if (nearest.name)
		appendStringInfo(text, "%s \"%s\" by \"%s\"", text->len > 0 ? "," : "Perhaps you mean",
						 wanted_is_meant ? wanted : nearest.name,
						 wanted_is_meant ? nearest.name : wanted);
}

/* Guesses for the first of the names, or what is to be said where there are none. */
static char *
hint_text(const List *names, const List *others, bool names_are_meant, const char *otherwise)
{
	StringInfoData text;
	ListCell   *lc;

	initStringInfo(&text);
	foreach(lc, names)
	{
		add_guess(&text, lfirst(lc), others, names_are_meant);
		if (foreach_current_index(lc) == MAX_NAMES)
			break;
	}
	appendStringInfoString(&text, text.len > 0 ? "." : otherwise);
	return text.data;
}

List *
missing_unknown(const FeatureSpec *spec, const List *present)
{
	List	   *unknown = NIL;
	ListCell   *lc;

	foreach(lc, present)
	{
		CHECK_FOR_INTERRUPTS();
		if (spec_find_named(spec, lfirst(lc)) < 0)
			unknown = lappend(unknown, lfirst(lc));
	}
	return unknown;
}

/* An error, or a NOTICE once for each statement, as the setting wants it. */
static void
tell(const char *message, const char *detail, const char *hint)
{
	bool		is_error = setting_missing_features == MISSING_FEATURES_ERROR;

	if (!is_error && was_reported(message))
		return;
	ereport(is_error ? ERROR : NOTICE,
			(errcode(is_error ? ERRCODE_UNDEFINED_COLUMN : ERRCODE_SUCCESSFUL_COMPLETION),
			 errmsg_internal("%s", message),
			 detail ? errdetail_internal("%s", detail) : 0,
			 errhint("%s", hint)));
}

void
missing_tell(const FeatureSpec *spec, const List *present, const List *missing)
{
	List	   *unknown;

	if (setting_missing_features == MISSING_FEATURES_IGNORE)
		return;
	unknown = missing_unknown(spec, present);
	tell(psprintf("features of model \"%s\" are missing%s: %s", spec->model,
				  setting_missing_features == MISSING_FEATURES_ERROR ? "" : " and count as NULL",
				  names_text(missing)),
		 unknown ? psprintf("Names that are no features of it: %s.", names_text(unknown)) : NULL,
		 hint_text(missing, unknown, true,
				   "Pass what is not known as NULL; setting \"aread.missing_features\" says what is done about what is not passed."));
}

void
missing_tell_unknown(const FeatureSpec *spec, const char *argument, const List *unknown)
{
	if (setting_missing_features == MISSING_FEATURES_IGNORE)
		return;
	tell(psprintf("keys of argument \"%s\" are no features of model \"%s\": %s", argument, spec->model,
				  names_text(unknown)), NULL,
		 hint_text(unknown, missing_needed(spec, true), false,
				   "The view aread.feature lists the features; setting \"aread.missing_features\" says what is done about others."));
}
