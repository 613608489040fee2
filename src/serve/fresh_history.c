/*
 * fresh_history.c
 *	  Users' histories as a relation has them now.
 *
 * Phases: the relation is opened, which may wait for its lock; then how the model was
 * trained is read, columns are matched by name, and the query is planned.  A user's text
 * becomes a value of the relation's column, whose rows are read until there are as many
 * items as a score chooses from.
 *
 * Where the model's rows have an order, the newest items come first and repeats count, as
 * in training.  Else an item counts once, and of too many those of the lowest hash are
 * taken: the same ones, however rows lie.  Rows without an item, a label or an order do
 * not count, nor bad labels where training has skipped them.
 *
 * Memory: users that were asked for, up to work_mem; then they are forgotten, all at once.
 */
#include "postgres.h"

#include "serve/fresh_history.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "catalog/record.h"
#include "common/hashfn.h"
#include "engine/base/search.h"
#include "miscadmin.h"
#include "serve/snapshot_key.h"
#include "source/keys/convert.h"
#include "source/keys/decimal.h"
#include "source/keys/key.h"
#include "source/keys/number.h"
#include "source/read/label.h"
#include "source/read/reader.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

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
	SnapshotKey snapshot;
	SubTransactionId subtransaction;	/* the lock is gone with it */
	const SourceRelation *relation;
	KeyReader  *reader;
	bool		all;
	bool		ordered;
	/* columns */
	ValueType	user_type;
	ValueCast	user;			/* from text; not of enums */
	FmgrInfo	user_input;		/* of enums */
	KeyWriter	user_key;		/* of integers */
	ValueEncoder *item;
	bool		has_label;
	LabelReader label;
	/* the user at hand */
	MemoryContext scratch;
	uint32		salt;
	MemberFunction function;	/* NULL: none */
	void	   *function_context;
	uint32	   *members;		/* [most] the newest first; without an order by place */
	uint32	   *places;			/* [most] of members, ascending; NULL: there is an order */
	int			n;
	int			most;
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

/* How texts of users become values of the column. */
static void
match_user(FreshHistory *history, const FeatureSpec *spec)
{
	const char *name = spec->features[spec->user_feature].name;
	Oid			type = require_column(history, name, "user");
	ValueType	text;

	/* for its error alone: a type that is no user's */
	(void) encoder_create(spec, spec->user_feature, type, history->context);
	type_require(type, &history->user_type);
	type_require(UNKNOWNOID, &text);
	if (history->user_type.kind == TYPTYPE_ENUM)
		fmgr_info_cxt(history->user_type.input, &history->user_input, history->context);
	else
		cast_init(&history->user, name, &text, &history->user_type, history->context);
	if (is_integer(history->user_type.type))
		key_writer_init(&history->user_key, &history->user_type, history->context);
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
	List	   *columns = list_make1((char *) item);
	KeyQuery	query = {.key = spec->features[spec->user_feature].name};
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
		(void) require_column(history, record.split.column, "ordering");
		query.order = record.split.column;
	}
	history->ordered = query.order != NULL;
	query.all = history->all || !history->ordered;
	history->reader = reader_by_key(history->relation, columns, &query);
}

FreshHistory *
fresh_history_open(const ServedModel *served, Oid relation, bool all, MemoryContext parent)
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
	history->all = all;
	history->snapshot = snapshot_key();
	history->subtransaction = GetCurrentSubTransactionId();
	history->relation = source_open(relation);
	match_columns(history);
	history->most = (int) served->loaded->spec->history_length + 1;
	history->members = palloc(history->most * sizeof(uint32));
	if (!history->ordered)
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
	SnapshotKey now = snapshot_key();

	return history->id == relation && history->subtransaction == GetCurrentSubTransactionId() &&
		snapshot_same_key(&history->snapshot, &now);
}

/*
 * An item without an order, once; of too many those of the lowest places stay.  No two items
 * have one place: the hash is a permutation.
 */
static void
keep_any(FreshHistory *history, uint32 id)
{
	uint32		place = murmurhash32(id ^ history->salt);
	int			at = (int) sorted_place(history->places, 0, history->n, place);
	Size		n_behind;

	if (at == history->most || (at < history->n && history->places[at] == place))
		return;
	history->n = Min(history->n + 1, history->most);
	n_behind = history->n - at - 1;
	memmove(history->places + at + 1, history->places + at, n_behind * sizeof(uint32));
	memmove(history->members + at + 1, history->members + at, n_behind * sizeof(uint32));
	history->places[at] = place;
	history->members[at] = id;
}

/* Would training have used the row?  *label is 1 where it is a positive one, or all count. */
static bool
read_row(FreshHistory *history, const Datum *values, const bool *nulls, uint8 *label)
{
	*label = 1;
	return !nulls[0] && (!history->has_label ||
						 label_read(&history->label, values[1], nulls[1], label) == LABEL_GOOD);
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

	if (!read_row(history, values, nulls, &label))
		return;
	id = encoder_id(history->item, values[0], false);
	key = encoder_noted_key(history->item, &length);
	if (history->function)
		history->function(history->function_context, id, key, length);
	if (id < FIRST_ID || label == 0)
		return;
	if (!history->ordered)
		keep_any(history, id);
	else if (history->n < history->most)
		history->members[history->n++] = id;
	if (history->ordered && history->n == history->most && !history->function)
		reader_enough(history->reader);
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

/* Is what became of an integer's text the same integer?  One past the type has no rows. */
static bool
is_same_integer(FreshHistory *history, char *text, Datum value)
{
	char	   *digits = cast_digits(&history->user, CStringGetDatum(text));
	uint32		length;
	const char *key = key_write(&history->user_key, value, &length);
	const char *wanted = digits ? decimal_canonical(digits, false) : NULL;

	return !wanted || (strlen(wanted) == length && memcmp(wanted, key, length) == 0);
}

/* A user's text as a value of the column; false: it has no such value. */
static bool
user_value(FreshHistory *history, char *text, Datum *value)
{
	if (history->user_type.kind == TYPTYPE_ENUM)
	{
		*value = InputFunctionCall(&history->user_input, text, history->user_type.io_param, -1);
		return true;
	}
	*value = cast_nearest(&history->user, CStringGetDatum(text));
	return !is_integer(history->user_type.type) || is_same_integer(history, text, *value);
}

/* members and n of a user. */
static void
look_up(FreshHistory *history, const char *text, MemberFunction function, void *context)
{
	MemoryContext old;
	Datum		value;

	MemoryContextReset(history->scratch);
	old = MemoryContextSwitchTo(history->scratch);
	history->n = 0;
	history->salt = hash_bytes((const unsigned char *) text, (int) strlen(text));
	history->function = function;
	history->function_context = context;
	if (user_value(history, pstrdup(text), &value))
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
