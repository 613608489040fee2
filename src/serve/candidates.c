/*
 * candidates.c
 *	  What aread_recommend() chooses from.
 *
 * Phases: the context's values are encoded, as aread_predict() would; rows are
 * collected from the model's table of items, or from the relation; each gets the
 * values that it lacks from that table and the context.  Then items are numbered,
 * and rows put in order by domain, so that batches have one domain where they can.
 */
#include "postgres.h"

#include "serve/candidates.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "serve/input.h"
#include "serve/missing.h"
#include "source/keys/encoder.h"
#include "source/keys/key.h"
#include "source/read/reader.h"
#include "source/crosses.h"
#include "utils/memutils.h"

/* Rows while they come. */
typedef struct Collecting
{
	Candidates *candidates;
	const FeatureSpec *spec;
	uint32	   *context;		/* [n_features] values of the context */
	JsonMap    *json;			/* of the context */
	bool	   *in_context;		/* [n_features] */
	const char **texts;			/* [max_rows of the table] of items without an id */
	const char **domain_texts;
	Size		max_texts;
	/* of a relation */
	ValueEncoder **encoders;	/* [n_features]; NULL: no such column, or not wanted */
	int		   *position;		/* [n_features] among the columns read */
	uint32		domain;			/* id of the domain that was asked for */
	const char *domain_text;	/* NULL: it is the id's */
	bool		has_domain;
} Collecting;

/* A pair of a user and an item has a value of its own of each column. */
static void
check_apart(const FeatureSpec *spec, int feature, const char *role)
{
	if (feature == spec->user_feature)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("model \"%s\" has one column of user and %s", spec->model, role),
				 errdetail("A user cannot be put together with what has the same column."),
				 errhint("Train it with columns of their own, or score its rows with aread_predict.")));
}

static void
require_roles(const ServedModel *served)
{
	const FeatureSpec *spec = served->loaded->spec;

	if (spec->item_feature >= 0 && spec->user_feature >= 0)
	{
		check_apart(spec, spec->item_feature, "item");
		check_apart(spec, spec->domain_feature, "domain");
		return;
	}
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("model \"%s\" has no %s", spec->model,
					spec->item_feature < 0 ? "items" : "users"),
			 errdetail("It was trained without argument \"%s\".",
					   spec->item_feature < 0 ? "item_id" : "user_id"),
			 errhint("Train it with arguments \"user_id\" and \"item_id\", or score its rows with aread_predict.")));
}

static bool
has_key(const Jsonb *object, const char *name)
{
	JsonbValue	value;

	return getKeyJsonValueFromContainer((JsonbContainer *) &object->root, name, strlen(name),
										&value) != NULL;
}

/* What is an argument of its own, or what users have (NULL). */
static void
check_context_key(const FeatureSpec *spec, const Jsonb *object, int feature, const char *argument)
{
	if (has_key(object, spec->features[feature].name))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("context must not have a value of \"%s\"", spec->features[feature].name),
				 argument ? errhint("Argument \"%s\" says which are meant.", argument) :
				 errhint("Each user has his own.")));
}

/* A value as rows have it; lists are those of "start" and "members". */
static uint32
row_value(ScoreTable *rows, int f, uint32 value, const uint64 *start, const uint32 *members)
{
	return !kind_has_list(rows->spec->features[f].kind) ? value :
		score_table_share_list(rows, members + start[value], start[value + 1] - start[value]);
}

/* The history that the context brings, if it does, is that of all users. */
static void
take_history(Candidates *candidates, const InputRows *context)
{
	uint32		list = context->histories[0];

	if (list > 0)
		candidates->history = score_table_add_list(&candidates->rows,
												   context->members + context->list_start[list],
												   context->list_start[list + 1] -
												   context->list_start[list]);
}

/* Values of the context, as each row is to have them. */
static void
encode_context(Collecting *collecting, Jsonb *object)
{
	const FeatureSpec *spec = collecting->spec;
	InputRows	row;
	List	   *unknown;

	collecting->in_context = palloc0(spec->n_features * sizeof(bool));
	if (!object)
		return;
	input_init(&row, spec, 1, CurrentMemoryContext);
	input_add(&row);
	if (!JB_ROOT_IS_OBJECT(object))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("context must be an object"),
				 errhint("For example '{\"hour\": 20}'.")));
	collecting->json = json_map(spec, CurrentMemoryContext);
	json_encode(collecting->json, object, false, &row);
	unknown = missing_unknown(spec, missing_keys(object));
	if (unknown)
		missing_tell_unknown(spec, "context", unknown);
	check_context_key(spec, object, spec->user_feature, NULL);
	check_context_key(spec, object, spec->item_feature, "candidates");
	check_context_key(spec, object, spec->domain_feature, "domain");
	collecting->context = palloc(spec->n_features * sizeof(uint32));
	for (int f = 0; f < spec->n_columns; f++)
	{
		collecting->in_context[f] = has_key(object, spec->features[f].name);
		if (collecting->in_context[f])
			collecting->context[f] = row_value(&collecting->candidates->rows, f, row.row[f],
											   row.list_start, row.members);
	}
	take_history(collecting->candidates, &row);
}

/* What a row does not have yet: the context's values, the item's own, and counts. */
static void
finish_row(Collecting *collecting, Size row)
{
	ScoreTable *rows = &collecting->candidates->rows;
	const FeatureSpec *spec = collecting->spec;
	const EntityTable *items = collecting->candidates->served->loaded->model->items;
	int64		item = entity_number(items, score_table_row(rows, row)[spec->item_feature]);

	for (uint32 k = 0; item >= 0 && k < items->n_fields; k++)
	{
		int			f = (int) items->fields[k];

		if (!collecting->in_context[f] && !(collecting->encoders && collecting->encoders[f]))
			score_table_row(rows, row)[f] = row_value(rows, f,
													  items->values[item * items->n_fields + k],
													  items->list_start, items->list_members);
	}
	for (int f = 0; f < spec->n_columns; f++)
		if (collecting->in_context[f])
			score_table_row(rows, row)[f] = collecting->context[f];
	derived_encode(spec, score_table_row(rows, row));
}

/* A row of an item and a domain. */
static Size
add_row(Collecting *collecting, uint32 item, uint32 domain)
{
	Candidates *candidates = collecting->candidates;
	ScoreTable *rows = &candidates->rows;
	Size		row;

	if (rows->n_rows == MAX_CANDIDATES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("there are more than %d candidates", MAX_CANDIDATES),
				 errhint("Name a domain, or pass a relation with fewer rows as \"candidates\".")));
	CHECK_FOR_INTERRUPTS();
	row = score_table_add(rows);
	if (row == collecting->max_texts)
	{
		Size		size = 2 * Max(row, 128) * sizeof(char *);

		collecting->max_texts = 2 * Max(row, 128);
		collecting->texts = row == 0 ? MemoryContextAlloc(candidates->context, size) :
			repalloc(collecting->texts, size);
		collecting->domain_texts = row == 0 ? MemoryContextAlloc(candidates->context, size) :
			repalloc(collecting->domain_texts, size);
	}
	collecting->texts[row] = collecting->domain_texts[row] = NULL;
	score_table_row(rows, row)[collecting->spec->item_feature] = item;
	score_table_row(rows, row)[collecting->spec->domain_feature] = domain;
	return row;
}

/* The model's table of items, which has any. */
static const EntityTable *
require_items(const ServedModel *served)
{
	const EntityTable *items = served->loaded->model->items;

	if (items && items->n > 0)
		return items;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("model \"%s\" has kept no items", served->loaded->spec->model),
			 errdetail("Models keep them since aread 0.4.0, unless option \"recommend_items\" is 0 or items are hashed."),
			 errhint("Pass a relation with columns of the item and its domain as argument \"candidates\", or train the model again.")));
}

/* Items that the model has kept, in the domain or all of theirs; in one never seen, all items. */
static void
collect_items(Collecting *collecting)
{
	const EntityTable *items = require_items(collecting->candidates->served);

	for (uint32 i = 0; i < items->n; i++)
	{
		if (collecting->has_domain && collecting->domain < FIRST_ID &&
			items->link_start[i] < items->link_start[i + 1])
			finish_row(collecting, add_row(collecting, FIRST_ID + i, collecting->domain));
		for (uint64 l = items->link_start[i]; l < items->link_start[i + 1]; l++)
			if (!collecting->has_domain || collecting->domain == items->links[l])
				finish_row(collecting, add_row(collecting, FIRST_ID + i, items->links[l]));
	}
}

/* Text of the value that was encoded last, which has no id of its own, as keys of those with one are. */
static const char *
value_text(const ValueEncoder *encoder, MemoryContext context)
{
	uint32		length;
	const char *key = encoder_noted_key(encoder, &length);

	return MemoryContextStrdup(context, key_as_text(key, length));
}

/* A row of the relation (a RowFunction). */
static void
collect_row(void *context, const Datum *values, const bool *nulls)
{
	Collecting *collecting = context;
	const FeatureSpec *spec = collecting->spec;
	ScoreTable *rows = &collecting->candidates->rows;
	int			item_at = collecting->position[spec->item_feature];
	int			domain_at = collecting->position[spec->domain_feature];
	uint32		domain = collecting->domain;
	uint32		item;
	Size		row;

	/* NULL is no item that could be recommended */
	if (nulls[item_at])
		return;
	item = encoder_id(collecting->encoders[spec->item_feature], values[item_at], false);
	if (!collecting->has_domain)
		domain = encoder_id(collecting->encoders[spec->domain_feature], values[domain_at],
							nulls[domain_at]);
	input_check_domain(spec, domain);
	row = add_row(collecting, item, domain);
	if (item < FIRST_ID || !spec_has_keys(spec, spec->item_feature))
		collecting->texts[row] = value_text(collecting->encoders[spec->item_feature],
											collecting->candidates->context);
	if (!collecting->has_domain && domain < FIRST_ID && !nulls[domain_at])
		collecting->domain_texts[row] = value_text(collecting->encoders[spec->domain_feature],
												   collecting->candidates->context);
	for (int f = 0; f < spec->n_columns; f++)
	{
		int			at = collecting->position[f];
		const uint32 *members;

		if (!collecting->encoders[f] || f == spec->item_feature || f == spec->domain_feature ||
			collecting->in_context[f])
			continue;
		if (kind_has_list(spec->features[f].kind))
		{
			int			n = encoder_members(collecting->encoders[f], values[at], nulls[at], &members);

			score_table_row(rows, row)[f] = score_table_share_list(rows, members, n);
		}
		else
			score_table_row(rows, row)[f] = encoder_id(collecting->encoders[f], values[at],
													   nulls[at]);
	}
	finish_row(collecting, row);
}

/* By its name the column would be a history, which is a user's. */
static void
check_history(const FeatureSpec *spec, const SourceRelation *relation)
{
	if (spec->has_history && OidIsValid(source_column_type(relation, HISTORY_COLUMN)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("candidates have a column \"%s\"", HISTORY_COLUMN),
				 errdetail("A history is a user's, and each candidate is one for all of the users."),
				 errhint("Pass the history by argument \"context\", and a view without this column.")));
}

/* The relation's columns that are features, as they are to be read. */
static List *
match_columns(Collecting *collecting, const SourceRelation *relation)
{
	const FeatureSpec *spec = collecting->spec;
	List	   *columns = NIL;

	collecting->encoders = palloc0(spec->n_features * sizeof(ValueEncoder *));
	collecting->position = palloc0(spec->n_features * sizeof(int));
	check_history(spec, relation);
	for (int f = 0; f < spec->n_columns; f++)
	{
		const char *name = spec->features[f].name;
		Oid			type = source_column_type(relation, name);

		if (f == spec->user_feature && OidIsValid(type))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("candidates have a user column \"%s\"", name),
					 errdetail("Every candidate is one for each of the users."),
					 errhint("Pass a view without this column; rows of users and items together are scored with aread_predict.")));
		if (!OidIsValid(type) && (f == spec->item_feature ||
								  (f == spec->domain_feature && !collecting->has_domain)))
			source_missing_model_column(relation, name,
										f == spec->item_feature ? "item" : "domain");
		if (!OidIsValid(type) || collecting->in_context[f] ||
			(f == spec->domain_feature && collecting->has_domain))
			continue;
		collecting->encoders[f] = encoder_create(spec, f, type, CurrentMemoryContext);
		collecting->position[f] = list_length(columns);
		columns = lappend(columns, (char *) name);
	}
	return columns;
}

static void
collect_relation(Collecting *collecting, const SourceRelation *relation)
{
	reader_run(relation, match_columns(collecting, relation), READ_AS_CALLER, collect_row,
			   collecting);
}

/* Features that candidates have, by whatever gave them. */
static void
note_given(Collecting *collecting)
{
	const FeatureSpec *spec = collecting->spec;
	const EntityTable *items = collecting->candidates->served->loaded->model->items;
	bool	   *given = palloc0(spec->n_features * sizeof(bool));

	for (int f = 0; f < spec->n_columns; f++)
		given[f] = collecting->in_context[f] || (collecting->encoders && collecting->encoders[f]);
	for (uint32 k = 0; items && k < items->n_fields; k++)
		given[items->fields[k]] = true;
	given[spec->item_feature] = given[spec->domain_feature] = true;
	collecting->candidates->given = given;
}

/* The domain that was asked for; its text is the same however it was written. */
static void
encode_domain(Collecting *collecting, const char *domain)
{
	const FeatureSpec *spec = collecting->spec;
	ValueEncoder *encoder = encoder_create(spec, spec->domain_feature, UNKNOWNOID,
										   CurrentMemoryContext);

	collecting->domain = encoder_id(encoder, CStringGetDatum(domain), false);
	input_check_domain(spec, collecting->domain);
	if (collecting->domain < FIRST_ID)
		collecting->domain_text = value_text(encoder, CurrentMemoryContext);
}

void
candidates_note(const Candidates *candidates, bool *noted, uint32 id, const char *key,
				uint32 length)
{
	const FeatureSpec *spec = candidates->rows.spec;
	char	   *text = id < FIRST_ID || !spec_has_keys(spec, spec->item_feature) ?
		key_as_text(key, length) : NULL;
	int64		item = candidates_item(candidates, id, text);

	if (item >= 0)
		noted[item] = true;
	if (text)
		pfree(text);
}

/* An item of the context's history (a MemberFunction). */
static void
note_seen_item(void *context, uint32 id, const char *key, uint32 length)
{
	Candidates *candidates = context;

	candidates_note(candidates, candidates->seen, id, key, length);
}

/* All items that the context's history names, those that are too old to count for scores, too. */
static void
note_seen(Collecting *collecting, Jsonb *context)
{
	Candidates *candidates = collecting->candidates;

	candidates->seen = palloc_extended(Max(candidates->n_items, 1) * sizeof(bool),
									   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	json_each_of_history(collecting->json, context, note_seen_item, candidates);
}

Candidates *
candidates_find(const ServedModel *served, const CandidateQuery *query)
{
	const FeatureSpec *spec = served->loaded->spec;
	Candidates *candidates = palloc0(sizeof(Candidates));
	Collecting	collecting = {.candidates = candidates,.spec = spec,
	.has_domain = query->domain != NULL};

	require_roles(served);
	candidates->served = served;
	candidates->context = CurrentMemoryContext;
	score_table_init(&candidates->rows, spec, CurrentMemoryContext);
	encode_context(&collecting, query->context);
	if (query->domain && spec->domain_feature == spec->item_feature)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("domains of model \"%s\" are its items", spec->model),
				 errhint("Leave out argument \"domain\".")));
	if (query->domain)
		encode_domain(&collecting, query->domain);
	if (query->relation)
		collect_relation(&collecting, query->relation);
	else
		collect_items(&collecting);
	score_table_end_sharing(&candidates->rows);
	candidates->n = (uint32) candidates->rows.n_rows;
	candidates_order(candidates, collecting.texts, collecting.domain_texts);
	for (uint32 i = 0; query->domain && i < candidates->n; i++)
		candidates->domain_texts[i] = collecting.domain_text;
	if (query->context)
		note_seen(&collecting, query->context);
	note_given(&collecting);
	return candidates;
}
