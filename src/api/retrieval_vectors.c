/*
 * retrieval_vectors.c
 *	  aread_retrieval_vectors(): vectors of items and users for an index of nearest neighbours.
 *
 * Phases: the model is pinned, which checks the caller's right to score with it; a
 * relation of candidates is opened, which may wait for its lock, and read with the caller's
 * rights; scores with anchors are made into vectors, which go to the tuplestore one by one.
 */
#include "postgres.h"

#include "api/entity_arguments.h"
#include "api/name_arguments.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "serve/retrieval_vectors.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

typedef struct Listing
{
	ReturnSetInfo *rsinfo;
	Candidates *candidates;
	EntityArgument *users;
	uint32	   *ids;			/* of users */
	int			dim;
	bool		of_users;
	MemoryContext row_context;
} Listing;

/* A row of the result (a VectorFunction). */
static void
put_vector(void *context, uint32 number, const float *vector)
{
	Listing    *listing = context;
	MemoryContext old = MemoryContextSwitchTo(listing->row_context);
	const char *id = listing->of_users ?
		entity_argument_text(listing->users, number, listing->ids[number]) :
		candidates_item_text(listing->candidates, listing->candidates->item[number]);
	const char *domain = listing->of_users ? NULL :
		candidates_domain_text(listing->candidates, number);
	Datum	   *numbers = palloc(listing->dim * sizeof(Datum));
	Datum		values[3];
	bool		nulls[3] = {!id, !domain, false};

	for (int i = 0; i < listing->dim; i++)
		numbers[i] = Float4GetDatum(vector[i]);
	values[0] = id ? CStringGetTextDatum(id) : (Datum) 0;
	values[1] = domain ? CStringGetTextDatum(domain) : (Datum) 0;
	values[2] = PointerGetDatum(construct_array(numbers, listing->dim, FLOAT4OID, sizeof(float4),
												true, TYPALIGN_INT));
	tuplestore_putvalues(listing->rsinfo->setResult, listing->rsinfo->setDesc, values, nulls);
	MemoryContextSwitchTo(old);
	MemoryContextReset(listing->row_context);
}

static void
require_arguments(FunctionCallInfo fcinfo)
{
	static const char *const names[] = {"model", "kind", "dim"};

	for (int i = 0; i < lengthof(names); i++)
		if (PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("%s must not be NULL", names[i])));
}

/* Are vectors of users wanted? */
static bool
users_argument(FunctionCallInfo fcinfo)
{
	const char *kind = text_to_cstring(PG_GETARG_TEXT_PP(1));

	if (strcmp(kind, "items") != 0 && strcmp(kind, "users") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("kind must be \"items\" or \"users\", not \"%s\"", kind),
				 errhint("Vectors of items go into an index, and a user's is what is searched with.")));
	return kind[0] == 'u';
}

static int
dim_argument(FunctionCallInfo fcinfo)
{
	int32		dim = PG_GETARG_INT32(2);

	if (dim < 1 || dim > MAX_RETRIEVAL_DIM)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("dim must be 1 to %d", MAX_RETRIEVAL_DIM),
				 errhint("More numbers are nearer to the model's scores; 64 are enough for most.")));
	return dim;
}

static Candidates *
find_candidates(FunctionCallInfo fcinfo, const ServedModel *served)
{
	CandidateQuery query = {0};

	if (!PG_ARGISNULL(3))
		query.domain = text_to_cstring(PG_GETARG_TEXT_PP(3));
	if (!PG_ARGISNULL(4))
		query.relation = source_open(PG_GETARG_OID(4));
	if (!PG_ARGISNULL(5))
		query.context = PG_GETARG_JSONB_P(5);
	return candidates_find(served, &query);
}

PG_FUNCTION_INFO_V1(aread_retrieval_vectors);
/* aread_retrieval_vectors(model, kind, dim, domain, candidates, context) */
Datum
aread_retrieval_vectors(PG_FUNCTION_ARGS)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "aread retrieval vectors",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old;
	Listing		listing = {.rsinfo = (ReturnSetInfo *) fcinfo->resultinfo};
	const ServedModel *served;
	RetrievalVectors *vectors;

	require_arguments(fcinfo);
	listing.of_users = users_argument(fcinfo);
	listing.dim = dim_argument(fcinfo);
	InitMaterializedSRF(fcinfo, 0);
	old = MemoryContextSwitchTo(context);
	served = model_argument_for(fcinfo, 0, RIGHT_TO_PREDICT);
	listing.candidates = find_candidates(fcinfo, served);
	listing.users = entity_all_users(served);
	listing.row_context = AllocSetContextCreate(context, "aread retrieval row",
												ALLOCSET_SMALL_SIZES);
	listing.ids = MemoryContextAllocHuge(context, Max(listing.users->n, 1) * sizeof(uint32));
	for (uint32 i = 0; i < listing.users->n; i++)
		listing.ids[i] = entity_argument_id(listing.users, i);
	vectors = retrieval_vectors_create(listing.candidates, listing.ids, listing.users->n,
									   listing.dim);
	if (listing.of_users)
		retrieval_vectors_of_users(vectors, put_vector, &listing);
	else
		retrieval_vectors_of_items(vectors, put_vector, &listing);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return (Datum) 0;
}
