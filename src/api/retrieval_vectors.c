/*
 * retrieval_vectors.c
 *	  aread_retrieval_vectors(): vectors of items and users for an index of nearest neighbours.
 *
 * Phases: the model is pinned, which checks the caller's right to score with it; a
 * relation of candidates is opened, which may wait for its lock, and read with the caller's
 * rights; all vectors are made, and those that are wanted go to the tuplestore.
 */
#include "postgres.h"

#include "api/entity_arguments.h"
#include "api/name_arguments.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "serve/retrieval_vectors.h"
#include "utils/array.h"
#include "utils/builtins.h"
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

/* A row of the result. */
static void
put_vector(Listing *listing, uint32 number, const float *vector)
{
	MemoryContext old = MemoryContextSwitchTo(listing->row_context);
	const char *id = listing->of_users ?
		entity_argument_text(listing->users, number, listing->ids[number]) :
		candidates_item_text(listing->candidates, listing->candidates->item[number]);
	const char *domain = listing->of_users ? NULL :
		candidates_domain_text(listing->candidates, number);
	Datum	   *numbers = palloc(listing->dim * sizeof(Datum));
	Datum		values[3];
	bool		nulls[3] = {!id, !domain, false};

	CHECK_FOR_INTERRUPTS();
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

/* Those of the kind that is wanted; without the other kind there is nothing to multiply with. */
static void
put_vectors(Listing *listing, const Retrieval *vectors)
{
	Size		n = listing->of_users ? vectors->n_users : vectors->n_items;
	const float *vector = listing->of_users ? vectors->users : vectors->items;

	if (vectors->n_users == 0 || vectors->n_items == 0)
		return;
	for (Size i = 0; i < n; i++, vector += vectors->dim)
		put_vector(listing, (uint32) i, vector);
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
	const Retrieval *vectors;

	entity_require_argument(fcinfo, 0, "model");
	entity_require_argument(fcinfo, 1, "kind");
	entity_require_argument(fcinfo, 2, "dim");
	listing.of_users = users_argument(fcinfo);
	listing.dim = dim_argument(fcinfo);
	InitMaterializedSRF(fcinfo, 0);
	old = MemoryContextSwitchTo(context);
	served = model_argument_for(fcinfo, 0, RIGHT_TO_PREDICT);
	listing.candidates = entity_candidates(fcinfo, 3, 4, 5, served);
	listing.users = entity_all_users(served);
	listing.row_context = AllocSetContextCreate(context, "aread retrieval row",
												ALLOCSET_SMALL_SIZES);
	listing.ids = MemoryContextAllocHuge(context, Max(listing.users->n, 1) * sizeof(uint32));
	for (uint32 i = 0; i < listing.users->n; i++)
		listing.ids[i] = entity_argument_id(listing.users, i);
	vectors = retrieval_vectors(listing.candidates, listing.ids, listing.users->n, listing.dim);
	put_vectors(&listing, vectors);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return (Datum) 0;
}
