/*
 * recommend.c
 *	  aread_recommend(), aread_recommend_all(): the best items of users.
 *
 * Phases: the model is pinned, which checks the caller's right to score with it; the
 * relation of candidates is opened, which may wait for its lock, and read with the
 * caller's rights; so is the one of histories; users are scored some at a time, with what
 * that has of each, and their rows go to the tuplestore.
 *
 * Memory: candidates, their scores for some users, and one row of the result; what
 * the tuplestore has no room for lies in a file.
 */
#include "postgres.h"

#include "api/entity_arguments.h"
#include "api/name_arguments.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "serve/recommend.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/numeric.h"

/* Caps of one call. */
#define MAX_CAPS 16

typedef struct Recommending
{
	ReturnSetInfo *rsinfo;
	const ServedModel *served;
	Candidates *candidates;
	EntityArgument *users;
	uint32		first;			/* number of the first user at hand */
	uint32	   *ids;			/* of the users at hand */
	MemoryContext row_context;
} Recommending;

/* A row of the result (a RecommendFunction). */
static void
put_row(void *context, uint32 number, uint32 rank, uint32 candidate, double score)
{
	Recommending *recommending = context;
	const Candidates *candidates = recommending->candidates;
	MemoryContext old = MemoryContextSwitchTo(recommending->row_context);
	const char *user = entity_argument_text(recommending->users, recommending->first + number,
											recommending->ids[number]);
	const char *domain = candidates_domain_text(candidates, candidate);
	Datum		values[5];
	bool		nulls[5] = {false};

	nulls[0] = !user;
	values[0] = user ? CStringGetTextDatum(user) : (Datum) 0;
	values[1] = Int32GetDatum((int32) rank);
	values[2] = CStringGetTextDatum(candidates_item_text(candidates, candidates->item[candidate]));
	nulls[3] = !domain;
	values[3] = domain ? CStringGetTextDatum(domain) : (Datum) 0;
	values[4] = Float8GetDatum(score);
	tuplestore_putvalues(recommending->rsinfo->setResult, recommending->rsinfo->setDesc, values,
						 nulls);
	MemoryContextSwitchTo(old);
	MemoryContextReset(recommending->row_context);
}

/* A cap's value: a number of rows. */
static uint32
cap_number(const char *name, const JsonbValue *value)
{
	double		number = value->type != jbvNumeric ? 0 :
		DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
										   NumericGetDatum(value->val.numeric)));

	if (!(number >= 1 && number <= PG_INT32_MAX && number == (int32) number))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_per of \"%s\" must be a positive integer", name),
				 errhint("It is how many rows of each user may have one value, as in '{\"brand\": 2}'.")));
	return (uint32) number;
}

/* A column that candidates have, with one value each. */
static void
check_cap(const Candidates *candidates, int feature)
{
	const FeatureSpec *spec = candidates->rows.spec;
	const Feature *capped = &spec->features[feature];

	if (feature >= spec->n_columns || !candidates->given[feature])
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_per: candidates have no column \"%s\"", capped->name),
				 errdetail("It does not go with the item in training rows, and no relation has it."),
				 errhint("Pass a relation with this column as argument \"candidates\".")));
	if (kind_has_list(capped->kind))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_per: column \"%s\" has more than one value in a row", capped->name),
				 errhint("Name a column with one value in each row.")));
}

/* caps [MAX_CAPS]; returns how many there are. */
static int
read_caps(const Candidates *candidates, Jsonb *max_per, ValueCap *caps)
{
	JsonbIterator *iterator;
	JsonbValue	value;
	JsonbIteratorToken token;
	char	   *name = NULL;
	int			n = 0;

	if (!JB_ROOT_IS_OBJECT(max_per))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_per must be an object"),
				 errhint("For example '{\"brand\": 2}'.")));
	if (JB_ROOT_COUNT(max_per) > MAX_CAPS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("max_per has more than %d columns", MAX_CAPS),
				 errhint("Name fewer columns.")));
	iterator = JsonbIteratorInit(&max_per->root);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			name = pnstrdup(value.val.string.val, value.val.string.len);
		if (token != WJB_VALUE)
			continue;
		caps[n].feature = find_feature(candidates->served, name);
		check_cap(candidates, caps[n].feature);
		caps[n++].most = cap_number(name, &value);
	}
	return n;
}

/* The relation of argument "history", opened; NULL: there is none. */
static FreshHistory *
history_argument(FunctionCallInfo fcinfo, int argument, const Recommending *recommending, bool all)
{
	if (PG_ARGISNULL(argument))
		return NULL;
	if (recommending->candidates->history > 0)
		fresh_history_refuse_second();
	return fresh_history_open(recommending->served, PG_GETARG_OID(argument),
							  all ? FRESH_ALL : FRESH_QUERY, CurrentMemoryContext);
}

/* Whoever asks that seen items are left out learns of whom that cannot be done. */
static void
tell_unseen(const Recommending *recommending, uint32 n_unknown)
{
	const FeatureSpec *spec = recommending->served->loaded->spec;
	int			hashed = !spec_has_keys(spec, spec->item_feature) ? spec->item_feature :
		!spec_has_keys(spec, spec->user_feature) ? spec->user_feature : -1;

	if (n_unknown == 0)
		return;
	ereport(NOTICE,
			(errmsg("items taken by %u of %u users are not known, and are not left out",
					n_unknown, recommending->users->n),
			 hashed >= 0 ? errdetail("Values of \"%s\" are hashed in model \"%s\".",
									 spec->features[hashed].name, spec->model) :
			 errdetail("Model \"%s\" has not kept them, though they have rows in training.",
					   spec->model),
			 hashed >= 0 ? errhint("Pass candidates without them; \"exclude_seen => false\" asks for all items.") :
			 errhint("Options \"recommend_users\" and \"recommend_seen\" say how much a training keeps; \"exclude_seen => false\" asks for all items.")));
}

/*
 * Has a user who is known to the model been kept with what he took?  Whoever has been kept
 * without an item took none that has an id, where any user's are kept.
 */
static bool
is_kept(const Model *model, uint32 id)
{
	const EntityTable *users = model->users;

	return id < FIRST_ID || (entity_number(users, id) >= 0 && users->link_start[users->n] > 0);
}

/* Ids and keys of n users from the first one at hand on; keys until rows of them are put. */
static void
take_users(Recommending *recommending, char **keys, uint32 n)
{
	MemoryContext old;

	MemoryContextReset(recommending->row_context);
	old = MemoryContextSwitchTo(recommending->row_context);
	for (uint32 u = 0; u < n; u++)
	{
		uint32		number = recommending->first + u;

		recommending->ids[u] = entity_argument_id(recommending->users, number);
		keys[u] = entity_argument_key(recommending->users, number);
	}
	MemoryContextSwitchTo(old);
}

static void
list_users(Recommending *recommending, Recommender *recommender, const RecommendQuery *query)
{
	const Model *model = recommending->served->loaded->model;
	bool		tells_unseen = query->exclude_seen && !query->history;
	uint32		n_unknown = 0;
	uint32		at_once = recommender_users(recommender);
	char	  **keys = palloc(at_once * sizeof(char *));

	recommending->ids = palloc(at_once * sizeof(uint32));

	for (uint32 first = 0; first < recommending->users->n; first += at_once)
	{
		uint32		n = Min(at_once, recommending->users->n - first);

		RecommendUsers users = {n, recommending->ids, keys};

		CHECK_FOR_INTERRUPTS();
		recommending->first = first;
		take_users(recommending, keys, n);
		for (uint32 u = 0; u < n; u++)
			n_unknown += tells_unseen && !is_kept(model, recommending->ids[u]);
		recommender_run(recommender, &users, put_row, recommending);
	}
	tell_unseen(recommending, n_unknown);
}

/*
 * Lists of the users of argument 1, or of all of them if that is k; domain, exclude_seen,
 * candidates, max_per, context and history follow k.
 */
static void
recommend(FunctionCallInfo fcinfo, int k)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "aread recommendation",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old;
	Recommending recommending = {.rsinfo = (ReturnSetInfo *) fcinfo->resultinfo};
	ValueCap	caps[MAX_CAPS];
	RecommendQuery query = {.caps = caps};
	Recommender *recommender;

	entity_require_argument(fcinfo, 0, "model");
	entity_require_argument(fcinfo, k, "k");
	entity_require_argument(fcinfo, k + 2, "exclude_seen");
	query.k = entity_k(fcinfo, k);
	query.exclude_seen = PG_GETARG_BOOL(k + 2);
	InitMaterializedSRF(fcinfo, 0);
	old = MemoryContextSwitchTo(context);
	recommending.served = model_argument_for(fcinfo, 0, RIGHT_TO_PREDICT);
	recommending.candidates = entity_candidates(fcinfo, k + 1, k + 3, k + 5,
												recommending.served);
	recommending.users = k == 1 ? entity_all_users(recommending.served) :
		entity_argument(fcinfo, 1, recommending.served,
						recommending.served->loaded->spec->user_feature);
	recommending.row_context = AllocSetContextCreate(context, "aread recommended row",
													 ALLOCSET_SMALL_SIZES);
	if (!PG_ARGISNULL(k + 4))
		query.n_caps = read_caps(recommending.candidates, PG_GETARG_JSONB_P(k + 4), caps);
	query.history = history_argument(fcinfo, k + 6, &recommending, query.exclude_seen);
	recommender = recommender_create(recommending.candidates, &query);
	list_users(&recommending, recommender, &query);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}

PG_FUNCTION_INFO_V1(aread_recommend);
/* aread_recommend(model, users, k, domain, exclude_seen, candidates, max_per, context, history) */
Datum
aread_recommend(PG_FUNCTION_ARGS)
{
	recommend(fcinfo, 2);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(aread_recommend_all);
/* aread_recommend_all(model, k, domain, exclude_seen, candidates, max_per, context, history) */
Datum
aread_recommend_all(PG_FUNCTION_ARGS)
{
	recommend(fcinfo, 1);
	return (Datum) 0;
}
