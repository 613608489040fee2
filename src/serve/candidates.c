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

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "serve/input.h"
#include "settings.h"
#include "source/keys/encoder.h"
#include "source/keys/key.h"
#include "source/keys/vocabulary.h"
#include "source/read/reader.h"
#include "source/crosses.h"
#include "utils/memutils.h"

/* Rows while they come. */
typedef struct Collecting
{
	Candidates *candidates;
	const FeatureSpec *spec;
	InputRows	context;		/* one row */
	bool	   *in_context;		/* [n_features] */
	const char **texts;			/* [max_rows of the table] of items without an id */
	const char **domain_texts;
	Size		max_texts;
	/* of a relation */
	ValueEncoder **encoders;	/* [n_features]; NULL: no such column, or not wanted */
	int		   *position;		/* [n_features] among the columns read */
	KeyWriter	item_key;
	KeyWriter	domain_key;
	uint32		domain;			/* id of the domain that was asked for */
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

static void
check_domain(const FeatureSpec *spec, uint32 domain)
{
	if (setting_unseen_domain != UNSEEN_DOMAIN_ERROR || domain >= FIRST_ID)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("domain was not seen in training of model \"%s\"", spec->model),
			 errdetail("Setting \"aread.unseen_domain\" is \"error\"."),
			 errhint("The view aread.domain lists the domains of the model.")));
}

static bool
has_key(const Jsonb *object, const char *name)
{
	JsonbValue	value;

	return getKeyJsonValueFromContainer((JsonbContainer *) &object->root, name, strlen(name),
										&value) != NULL;
}

/* What is an argument of its own. */
static void
check_context_key(const FeatureSpec *spec, const Jsonb *object, int feature, const char *argument)
{
	if (has_key(object, spec->features[feature].name))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("context must not have a value of \"%s\"", spec->features[feature].name),
				 errhint("Argument \"%s\" says which are meant.", argument)));
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

/* Values of the context as one row. */
static void
encode_context(Collecting *collecting, Jsonb *object)
{
	const FeatureSpec *spec = collecting->spec;

	collecting->in_context = palloc0(spec->n_features * sizeof(bool));
	input_init(&collecting->context, spec, 1, CurrentMemoryContext);
	input_add(&collecting->context);
	if (!object)
		return;
	/* that it is an object is checked here, too */
	json_encode(json_map(spec, CurrentMemoryContext), object, false, &collecting->context);
	check_context_key(spec, object, spec->user_feature, "users");
	check_context_key(spec, object, spec->item_feature, "candidates");
	check_context_key(spec, object, spec->domain_feature, "domain");
	for (int f = 0; f < spec->n_columns; f++)
		collecting->in_context[f] = has_key(object, spec->features[f].name);
	take_history(collecting->candidates, &collecting->context);
}

/* Copy a value into a row; lists are those of "start" and "members". */
static void
set_value(ScoreTable *rows, Size row, int f, uint32 value, const uint64 *start,
		  const uint32 *members)
{
	if (kind_has_list(rows->spec->features[f].kind))
		score_table_share_list(rows, row, f, members + start[value],
							   start[value + 1] - start[value]);
	else
		score_table_row(rows, row)[f] = value;
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
			set_value(rows, row, f, items->values[item * items->n_fields + k], items->list_start,
					  items->list_members);
	}
	for (int f = 0; f < spec->n_columns; f++)
		if (collecting->in_context[f])
			set_value(rows, row, f, collecting->context.row[f], collecting->context.list_start,
					  collecting->context.members);
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

/* Text of a value without an id, as keys of those with one are. */
static const char *
value_text(KeyWriter *writer, Datum value, MemoryContext context)
{
	uint32		length;
	const char *key = key_write(writer, value, &length);
	char	   *copy = pnstrdup(key, length);

	return MemoryContextStrdup(context, pg_any_to_server(copy, (int) length, PG_UTF8));
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
	check_domain(spec, domain);
	row = add_row(collecting, item, domain);
	if (item < FIRST_ID || !spec_has_keys(spec, spec->item_feature))
		collecting->texts[row] = value_text(&collecting->item_key, values[item_at],
											collecting->candidates->context);
	if (!collecting->has_domain && domain < FIRST_ID && !nulls[domain_at])
		collecting->domain_texts[row] = value_text(&collecting->domain_key, values[domain_at],
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

			score_table_share_list(rows, row, f, members, n);
		}
		else
			score_table_row(rows, row)[f] = encoder_id(collecting->encoders[f], values[at],
													   nulls[at]);
	}
	finish_row(collecting, row);
}

static void
init_key(KeyWriter *writer, Oid type)
{
	ValueType	value_type;

	type_require(type, &value_type);
	key_writer_init(writer, &value_type, CurrentMemoryContext);
}

/* The relation's columns that are features, as they are to be read. */
static List *
match_columns(Collecting *collecting, const SourceRelation *relation)
{
	const FeatureSpec *spec = collecting->spec;
	List	   *columns = NIL;

	collecting->encoders = palloc0(spec->n_features * sizeof(ValueEncoder *));
	collecting->position = palloc0(spec->n_features * sizeof(int));
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
		if (f == spec->item_feature)
			init_key(&collecting->item_key, type);
		if (f == spec->domain_feature)
			init_key(&collecting->domain_key, type);
	}
	return columns;
}

static void
collect_relation(Collecting *collecting, const SourceRelation *relation)
{
	reader_run(relation, match_columns(collecting, relation), READ_AS_CALLER, collect_row,
			   collecting);
}

/* What rows are ordered by. */
typedef struct RowOrder
{
	const ScoreTable *rows;
	int			feature;		/* whose ids come first */
	const char **texts;			/* then these; NULL: there are none */
	const uint32 *item;			/* then these; NULL: there are none */
} RowOrder;

static uint32
order_id(const RowOrder *order, uint32 row)
{
	uint32		id = score_table_row(order->rows, row)[order->feature];

	/* those without an id of their own come last */
	return id < FIRST_ID ? PG_UINT32_MAX : id;
}

static int
compare_texts(const char *a, const char *b)
{
	if (!a || !b)
		return (a != NULL) - (b != NULL);
	return strcmp(a, b);
}

static int
compare_rows(const void *a, const void *b, void *context)
{
	const RowOrder *order = context;
	uint32		x = *(const uint32 *) a;
	uint32		y = *(const uint32 *) b;
	uint32		id_x = order_id(order, x);
	uint32		id_y = order_id(order, y);
	int			texts;

	CHECK_FOR_INTERRUPTS();
	if (id_x != id_y)
		return id_x < id_y ? -1 : 1;
	texts = order->texts ? compare_texts(order->texts[x], order->texts[y]) : 0;
	if (texts != 0 || !order->item)
		return texts;
	return (order->item[x] > order->item[y]) - (order->item[x] < order->item[y]);
}

static uint32 *
sort_rows(Size n, RowOrder order)
{
	uint32	   *rows = MemoryContextAllocHuge(CurrentMemoryContext, Max(n, 1) * sizeof(uint32));

	for (Size i = 0; i < n; i++)
		rows[i] = i;
	qsort_arg(rows, n, sizeof(uint32), compare_rows, &order);
	return rows;
}

/* item [n] of rows in the order in which they came; item_ids and item_texts. */
static uint32 *
number_items(Collecting *collecting)
{
	Candidates *candidates = collecting->candidates;
	RowOrder	by_item = {.rows = &candidates->rows,.feature = collecting->spec->item_feature,
		.texts = collecting->texts};
	uint32		n = candidates->n;
	uint32	   *order = sort_rows(n, by_item);
	uint32	   *item = palloc_extended(Max(n, 1) * sizeof(uint32), MCXT_ALLOC_HUGE);

	candidates->item_ids = palloc_extended(Max(n, 1) * sizeof(uint32), MCXT_ALLOC_HUGE);
	candidates->item_texts = palloc_extended(Max(n, 1) * sizeof(char *), MCXT_ALLOC_HUGE);
	for (uint32 i = 0; i < n; i++)
	{
		if (i == 0 || compare_rows(&order[i - 1], &order[i], &by_item) != 0)
		{
			candidates->item_ids[candidates->n_items] =
				score_table_row(&candidates->rows, order[i])[collecting->spec->item_feature];
			candidates->n_known += candidates->item_ids[candidates->n_items] >= FIRST_ID;
			candidates->item_texts[candidates->n_items++] = collecting->texts[order[i]];
		}
		item[order[i]] = candidates->n_items - 1;
	}
	pfree(order);
	return item;
}

/* Rows by domain, and within one by item. */
static void
order_candidates(Collecting *collecting)
{
	Candidates *candidates = collecting->candidates;
	ScoreTable *rows = &candidates->rows;
	Size		row_size = collecting->spec->n_features * sizeof(uint32);
	uint32		n = candidates->n;
	uint32	   *item = number_items(collecting);
	uint32	   *order = sort_rows(n, (RowOrder) {.rows = rows,
								  .feature = collecting->spec->domain_feature,
								  .texts = collecting->domain_texts,.item = item});
	uint32	   *ids = MemoryContextAllocHuge(rows->context, rows->max_rows * row_size);

	candidates->item = palloc_extended(Max(n, 1) * sizeof(uint32), MCXT_ALLOC_HUGE);
	candidates->domain_texts = palloc_extended(Max(n, 1) * sizeof(char *), MCXT_ALLOC_HUGE);
	for (uint32 i = 0; i < n; i++)
	{
		memcpy(ids + (Size) i * collecting->spec->n_features, score_table_row(rows, order[i]),
			   row_size);
		candidates->item[i] = item[order[i]];
		candidates->domain_texts[i] = collecting->domain_texts[order[i]];
	}
	pfree(rows->ids);
	rows->ids = ids;
	pfree(order);
	pfree(item);
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
	{
		collecting.domain = encoder_id(encoder_create(spec, spec->domain_feature, UNKNOWNOID,
													  CurrentMemoryContext),
									   CStringGetDatum(query->domain), false);
		check_domain(spec, collecting.domain);
	}
	if (query->relation)
		collect_relation(&collecting, query->relation);
	else
		collect_items(&collecting);
	score_table_end_sharing(&candidates->rows);
	candidates->n = (uint32) candidates->rows.n_rows;
	order_candidates(&collecting);
	for (uint32 i = 0; query->domain && i < candidates->n; i++)
		candidates->domain_texts[i] = query->domain;
	note_given(&collecting);
	return candidates;
}

int64
candidates_item(const Candidates *candidates, uint32 id)
{
	uint32		low = 0;
	uint32		high = candidates->n_known;

	while (low < high)
	{
		uint32		middle = low + (high - low) / 2;

		if (candidates->item_ids[middle] < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < candidates->n_known && candidates->item_ids[low] == id ? (int64) low : -1;
}

/* The key of an id; hashed ones have texts of their own. */
static const char *
key_text(const FeatureSpec *spec, int feature, uint32 id)
{
	return vocabulary_key(&spec->vocabularies[spec->features[feature].vocabulary], id);
}

const char *
candidates_item_text(const Candidates *candidates, uint32 item)
{
	const FeatureSpec *spec = candidates->served->loaded->spec;

	return candidates->item_texts[item] ? candidates->item_texts[item] :
		key_text(spec, spec->item_feature, candidates->item_ids[item]);
}

const char *
candidates_domain_text(const Candidates *candidates, uint32 candidate)
{
	const FeatureSpec *spec = candidates->served->loaded->spec;

	return candidates->domain_texts[candidate] ? candidates->domain_texts[candidate] :
		key_text(spec, spec->domain_feature,
				 score_table_row(&candidates->rows, candidate)[spec->domain_feature]);
}
