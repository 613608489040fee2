/*
 * fresh_history.c
 *	  Users' histories as a relation has them now.
 *
 * Phases: the relation is opened, which may wait for its lock; then how the model was
 * trained is read, columns are matched by name, and the query is planned.  A user's key
 * becomes a value of the relation's column, whose rows are read until there are as many
 * items as a score chooses from.  Of the rows that the column's operator calls equal, those
 * count that the model knows by the same key: a collation may call other users equal.
 *
 * Where the model's rows have an order, the newest items come first and repeats count, as
 * in training.  Else an item counts once.  Of too many, and of too many that are equally
 * new, those of the lowest hash are taken: the same ones, however rows lie.  Rows without
 * an item, a label or an order do not count, nor bad labels where training has skipped them.
 *
 * Memory: users that one query has asked for, up to work_mem; then they are forgotten, all
 * at once.  What calls ask for beyond a query is not kept: a call cannot tell queries apart
 * within a transaction, and settings, clocks, or other servers may have changed between them.
 */
#include "postgres.h"

#include "serve/fresh_history.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "catalog/record.h"
#include "common/hashfn.h"
#include "engine/base/search.h"
#include "miscadmin.h"
#include "mb/pg_wchar.h"
#include "source/keys/convert.h"
#include "source/keys/decimal.h"
#include "source/keys/key.h"
#include "source/keys/number.h"
#include "source/read/label.h"
#include "source/read/reader.h"
#include "syscache_state.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

/* Columns that are read; then the label, where one is, and the order, where there is one. */
enum
{
	COLUMN_USER,
	COLUMN_ITEM,
	COLUMN_LABEL
};

/* A user that was asked for. */
typedef struct KnownUser
{
	const char *text;			/* what they are known by */
	int			n;
	uint32	   *members;		/* [n] */
} KnownUser;

struct FreshHistory
{
	MemoryContext context;		/* of all below */
	const ServedModel *served;
	Oid			id;				/* of the relation */
	ConversionState made;
	uint64		relations;		/* relcache_state() */
	SubTransactionId subtransaction;	/* the lock is gone with it */
	const SourceRelation *relation;
	KeyReader  *reader;
	FreshUse	use;
	/* columns */
	ValueType	user_type;
	ValueCast	user;			/* from text; not of enums */
	FmgrInfo	user_input;		/* of enums */
	ValueEncoder *user_key;
	ValueEncoder *item;
	bool		has_label;
	LabelReader label;
	bool		ordered;
	const TypeCacheEntry *order;
	/* the user at hand */
	MemoryContext scratch;
	const char *text;			/* what he is known by */
	const char *key;			/* the same in UTF-8 */
	uint32		key_length;
	uint32		salt;
	MemberFunction function;	/* NULL: none */
	void	   *function_context;
	uint32	   *members;		/* [most] the newest first, equally new ones by place */
	uint32	   *places;			/* [most] of members */
	int			n;
	int			most;
	int			first_tied;		/* of the members that are as old as the latest row */
	bool		any_row;		/* there is a latest row */
	Datum		latest;			/* its order */
	/* those before */
	MemoryContext known_context;
	HTAB	   *known;			/* of KnownUser; NULL: there are none */
};

static void
require_histories(const ServedModel *served)
{
	if (served->loaded->model->reads_history)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("model \"%s\" has no histories", served->loaded->spec->model),
			 errdetail("It was trained without option \"history\"."),
			 errhint("Leave out argument \"history\", or train the model with options => '{\"history\": true}'.")));
}

void
fresh_history_refuse_second(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("histories are given twice"),
			 errdetail("Argument \"history\" names a relation, and there is a value of \"%s\", too.",
					   HISTORY_COLUMN),
			 errhint("Leave out one of the two.")));
}

static Oid
require_column(const FreshHistory *history, const char *name, const char *role)
{
	Oid			type = source_column_type(history->relation, name);

	if (!OidIsValid(type))
		source_missing_model_column(history->relation, name, role);
	return type;
}

/* All rows of a user must be equal to what is looked up: else some would be left out unnoticed. */
static void
require_one_spelling(const FreshHistory *history, const Feature *feature)
{
	if (encoder_has_one_spelling(history->user_key))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("users cannot be looked up by column \"%s\" of type %s", feature->name,
					format_type_be(history->user_type.type)),
			 errdetail("Values that differ in it are one user to the model, whose type is %s.",
					   feature->type_name),
			 errhint("Pass a view that has this column as type %s.", feature->type_name)));
}

/* How texts of users become values of the column. */
static void
match_user(FreshHistory *history, const FeatureSpec *spec)
{
	const Feature *feature = &spec->features[spec->user_feature];
	Oid			type = require_column(history, feature->name, "user");
	ValueType	text;

	type_require(type, &history->user_type);
	type_require(UNKNOWNOID, &text);
	history->user_key = encoder_create(spec, spec->user_feature, type, history->context);
	require_one_spelling(history, feature);
	if (history->user_type.kind == TYPTYPE_ENUM)
		fmgr_info_cxt(history->user_type.input, &history->user_input, history->context);
	else
		cast_init(&history->user, feature->name, &text, &history->user_type, history->context);
}

/* The types that training orders rows by: others sort, too, but "10" before "9". */
static void
match_order(FreshHistory *history, const char *name)
{
	Oid			type = getBaseType(require_column(history, name, "ordering"));

	switch (key_kind(type))
	{
		case KEY_INTEGER:
		case KEY_FLOAT:
		case KEY_NUMERIC:
		case KEY_DATE:
		case KEY_TIMESTAMP:
		case KEY_TIMESTAMPTZ:
			break;
		default:
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("column \"%s\" of type %s cannot order a history", name,
							format_type_be(type)),
					 errhint("Pass a view that has this column as a number, a date or a timestamp.")));
	}
	history->ordered = true;
	history->order = lookup_type_cache(type, TYPECACHE_EQ_OPR_FINFO);
}

static void
match_label(FreshHistory *history, const FeatureSpec *spec, BadLabels on_bad_label)
{
	SourceOptions options = {
		.label_threshold = spec->label_threshold,.on_bad_label = on_bad_label
	};

	history->has_label = spec->label != NULL &&
		history->served->loaded->model->config.history_of == HISTORY_OF_POSITIVES;
	if (!history->has_label)
		return;
	(void) require_column(history, spec->label, "label");
	label_init(&history->label, history->relation, spec->label, &options, spec->model);
}

/* Columns by the names that the model was trained with, and a reader of them. */
static void
match_columns(FreshHistory *history)
{
	const FeatureSpec *spec = history->served->loaded->spec;
	const char *item = spec->features[spec->item_feature].name;
	KeyQuery	query = {.key = spec->features[spec->user_feature].name};
	List	   *columns = list_make2((char *) query.key, (char *) item);
	TrainingRecord record;

	record_read(&history->served->loaded->version, &record);
	match_user(history, spec);
	history->item = encoder_create(spec, spec->item_feature, require_column(history, item, "item"),
								   history->context);
	match_label(history, spec, record.on_bad_label);
	if (history->has_label)
		columns = lappend(columns, spec->label);
	if (record.has_split && record.split.method == SPLIT_BY_ORDER)
	{
		match_order(history, record.split.column);
		query.order = record.split.column;
		columns = lappend(columns, record.split.column);
	}
	query.all = history->use == FRESH_ALL || !history->ordered;
	history->reader = reader_by_key(history->relation, columns, &query);
}

FreshHistory *
fresh_history_open(const ServedModel *served, Oid relation, FreshUse use, MemoryContext parent)
{
	MemoryContext context;
	MemoryContext old;
	FreshHistory *history;

	require_histories(served);
	context = AllocSetContextCreate(CurrentMemoryContext, "aread fresh history",
									ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	history = palloc0(sizeof(FreshHistory));
	history->context = context;
	history->served = served;
	history->id = relation;
	history->use = use;
	history->made = conversion_state();
	history->relations = relcache_state();
	history->subtransaction = GetCurrentSubTransactionId();
	history->relation = source_open(relation);
	match_columns(history);
	history->most = (int) served->loaded->spec->history_length + 1;
	history->members = palloc(history->most * sizeof(uint32));
	history->places = palloc(history->most * sizeof(uint32));
	history->scratch = AllocSetContextCreate(context, "aread history look-up",
											 ALLOCSET_SMALL_SIZES);
	history->known_context = AllocSetContextCreate(context, "aread known histories",
												   ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(old);
	/* an error would have taken it away */
	MemoryContextSetParent(context, parent);
	return history;
}

void
fresh_history_close(FreshHistory *history)
{
	MemoryContextDelete(history->context);
}

bool
fresh_history_holds(const FreshHistory *history, Oid relation)
{
	return history->id == relation && history->subtransaction == GetCurrentSubTransactionId() &&
		history->relations == relcache_state() && conversions_hold(&history->made);
}

/*
 * An item among those that are as new; of too many those of the lowest places stay.  No two
 * items have one place: the hash is a permutation.
 */
static void
keep_item(FreshHistory *history, uint32 id)
{
	uint32		place = murmurhash32(id ^ history->salt);
	int			at = (int) sorted_place(history->places, history->first_tied, history->n, place);
	Size		n_behind;

	if (at == history->most ||
		(!history->ordered && at < history->n && history->places[at] == place))
		return;
	history->n = Min(history->n + 1, history->most);
	n_behind = history->n - at - 1;
	memmove(history->places + at + 1, history->places + at, n_behind * sizeof(uint32));
	memmove(history->members + at + 1, history->members + at, n_behind * sizeof(uint32));
	history->places[at] = place;
	history->members[at] = id;
}

/* Is it the user at hand, not another one whom the column's operator takes for him? */
static bool
is_user(FreshHistory *history, Datum user)
{
	uint32		length;
	const char *key;

	encoder_note(history->user_key, user, false);
	key = encoder_noted_key(history->user_key, &length);
	return key && length == history->key_length && memcmp(key, history->key, length) == 0;
}

/* Would training have used the row?  *label is 1 where it is a positive one, or all count. */
static bool
read_row(FreshHistory *history, const Datum *values, const bool *nulls, uint8 *label)
{
	*label = 1;
	return !nulls[COLUMN_ITEM] &&
		(!history->has_label || label_read(&history->label, values[COLUMN_LABEL],
										   nulls[COLUMN_LABEL], label) == LABEL_GOOD);
}

/* A row of that order, which is not NULL; false: it is older than all that count. */
static bool
note_order(FreshHistory *history, Datum order)
{
	const TypeCacheEntry *type = history->order;
	MemoryContext old;

	if (history->any_row &&
		DatumGetBool(FunctionCall2((FmgrInfo *) &type->eq_opr_finfo, history->latest, order)))
		return true;
	if (history->n == history->most)
		return false;
	if (history->any_row && !type->typbyval)
		pfree(DatumGetPointer(history->latest));
	old = MemoryContextSwitchTo(history->scratch);
	history->latest = datumCopy(order, type->typbyval, type->typlen);
	MemoryContextSwitchTo(old);
	history->any_row = true;
	history->first_tied = history->n;
	return true;
}

/* A row of the user at hand (a RowFunction). */
static void
take_row(void *context, const Datum *values, const bool *nulls)
{
	FreshHistory *history = context;
	const char *key;
	uint32		length;
	uint32		id;
	uint8		label;
	bool		counts;

	if (!is_user(history, values[COLUMN_USER]))
		return;
	counts = !history->ordered || note_order(history, values[COLUMN_LABEL + history->has_label]);
	if (!counts && !history->function)
	{
		reader_enough(history->reader);
		return;
	}
	if (!read_row(history, values, nulls, &label))
		return;
	id = encoder_id(history->item, values[COLUMN_ITEM], false);
	key = encoder_noted_key(history->item, &length);
	if (history->function)
		history->function(history->function_context, id, key, length);
	if (counts && id >= FIRST_ID && label == 1)
		keep_item(history, id);
}

/* The newest last. */
static void
put_in_order(FreshHistory *history)
{
	for (int i = 0, j = history->n - 1; i < j; i++, j--)
	{
		uint32		swap = history->members[i];

		history->members[i] = history->members[j];
		history->members[j] = swap;
	}
}

/* Whose value it is that is none of the column's (an error context callback). */
static void
tell_user(void *context)
{
	const FreshHistory *history = context;
	const FeatureSpec *spec = history->served->loaded->spec;

	errcontext("user \"%s\" in column \"%s\" of relation \"%s\"", history->text,
			   spec->features[spec->user_feature].name, history->relation->name);
}

static bool
is_label(Oid type, const char *text)
{
	return strlen(text) < NAMEDATALEN &&
		SearchSysCacheExists2(ENUMTYPOIDNAME, ObjectIdGetDatum(type), CStringGetDatum(text));
}

/* The user's text as a value of the column, or its nearest number; false: it has none. */
static bool
user_value(FreshHistory *history, Datum *value)
{
	const ValueType *type = &history->user_type;
	ErrorContextCallback callback = {error_context_stack, tell_user, history};
	char	   *text = (char *) history->text;

	if (type->kind == TYPTYPE_ENUM ? !is_label(type->type, text) :
		has_digits(type->type) && !is_decimal(text))
		return false;
	error_context_stack = &callback;
	*value = type->kind == TYPTYPE_ENUM ?
		InputFunctionCall(&history->user_input, text, type->io_param, -1) :
		cast_nearest(&history->user, CStringGetDatum(text));
	error_context_stack = callback.previous;
	return true;
}

/* The one who is asked for: nothing is known of him yet. */
static void
start_user(FreshHistory *history, const char *text)
{
	history->text = pstrdup(text);
	history->key = pg_server_to_any(history->text, (int) strlen(text), PG_UTF8);
	history->key_length = strlen(history->key);
	history->salt = hash_bytes((const unsigned char *) text, (int) strlen(text));
	history->n = history->first_tied = 0;
	history->any_row = false;
}

/* members and n of a user. */
static void
look_up(FreshHistory *history, const char *text, MemberFunction function, void *context)
{
	MemoryContext old;
	Datum		value;

	MemoryContextReset(history->scratch);
	old = MemoryContextSwitchTo(history->scratch);
	start_user(history, text);
	history->function = function;
	history->function_context = context;
	if (user_value(history, &value))
		reader_run_key(history->reader, value, take_row, history);
	put_in_order(history);
	MemoryContextSwitchTo(old);
}

static uint32
hash_text(const void *key, Size size)
{
	const char *text = *(const char *const *) key;

	return hash_bytes((const unsigned char *) text, (int) strlen(text));
}

static int
compare_texts(const void *a, const void *b, Size size)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* Room for one user more. */
static void
make_room(FreshHistory *history)
{
	HASHCTL		control = {.keysize = sizeof(char *),.entrysize = sizeof(KnownUser),
		.hash = hash_text,.match = compare_texts,.hcxt = history->known_context
	};

	if (history->known &&
		MemoryContextMemAllocated(history->known_context, true) < work_mem * (Size) 1024)
		return;
	history->known = NULL;
	MemoryContextReset(history->known_context);
	history->known = hash_create("aread known histories", 64, &control,
								 HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
}

static void
remember(FreshHistory *history, const char *text)
{
	uint32	   *members;
	const char *copy;
	KnownUser  *user;

	make_room(history);
	copy = MemoryContextStrdup(history->known_context, text);
	members = MemoryContextAlloc(history->known_context, Max(history->n, 1) * sizeof(uint32));
	memcpy(members, history->members, history->n * sizeof(uint32));
	user = hash_search(history->known, &copy, HASH_ENTER, NULL);
	user->members = members;
	user->n = history->n;
}

int
fresh_history_find(FreshHistory *history, const char *text, const uint32 **members)
{
	KnownUser  *user = text && history->known ?
		hash_search(history->known, &text, HASH_FIND, NULL) : NULL;

	*members = user ? user->members : history->members;
	if (user)
		return user->n;
	if (!text)
		return 0;
	look_up(history, text, NULL, NULL);
	if (history->use == FRESH_QUERY)
		remember(history, text);
	return history->n;
}

int
fresh_history_each(FreshHistory *history, const char *text, MemberFunction function,
				   void *context, const uint32 **members)
{
	*members = history->members;
	if (!text)
		return 0;
	look_up(history, text, function, context);
	return history->n;
}
