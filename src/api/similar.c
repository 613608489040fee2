/*
 * similar.c
 *	  aread_similar_items(), aread_similar_users(): whose vectors lie closest.
 *
 * All vectors of the feature's table are compared with one, in the order of ids; a list
 * of the best ones is kept.  What the model scores with is taken as it is: vectors are
 * read from the served copy.
 */
#include "postgres.h"

#include <math.h>

#include "api/entity_arguments.h"
#include "api/name_arguments.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "source/keys/vocabulary.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* Vectors between two looks at interrupts. */
#define CHECK_VECTORS 1024
/* Comparisons between two looks. */
#define CHECK_COMPARISONS 65536

typedef struct Similar
{
	uint32		id;
	double		cosine;
} Similar;

/* The vectors of a feature's table; raises an error where there are none. */
static const real *
require_vectors(const ServedModel *served, int feature, const char *role)
{
	const Model *model = served->loaded->model;
	const char *name = served->loaded->version.name;
	const real *vectors;

	if (feature < 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("model \"%s\" was trained without argument \"%s\"", name, role),
				 errhint("Train it again with this argument.")));
	vectors = model_named(model, psprintf("embedding.%u", model->shape.field_table[feature]));
	if (!vectors)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("model \"%s\" has no vectors", name),
				 errdetail("Its architecture is without a network."),
				 errhint("Train a model with a network, for example with option \"architecture\": \"hei\".")));
	if (!spec_has_keys(served->loaded->spec, feature))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("values of \"%s\" are hashed in model \"%s\"",
						served->loaded->spec->features[feature].name, name),
				 errdetail("Several of them share a vector, and the model does not know which."),
				 errhint("Train it without option \"buckets\" of this column.")));
	if (served->loaded->version.best_evaluation == 0)
		ereport(NOTICE,
				(errmsg("vectors of model \"%s\" are as they were before training", name),
				 errdetail("Its network gained nothing on validation rows; the model scores by its weights alone.")));
	return vectors;
}

static double
cosine_of(const real *a, const real *b, int dim)
{
	double		product = 0;
	double		square_a = 0;
	double		square_b = 0;

	for (int i = 0; i < dim; i++)
	{
		product += (double) a[i] * b[i];
		square_a += (double) a[i] * a[i];
		square_b += (double) b[i] * b[i];
	}
	return square_a > 0 && square_b > 0 ? product / sqrt(square_a * square_b) : 0;
}

/* The best ones so far: the first "n" of twice as many as are wanted, in no order. */
typedef struct BestOnes
{
	Similar    *similar;		/* [2 * wanted] */
	uint32		n;
	uint32		wanted;
	uint64		compared;
} BestOnes;

/* The closest first, of equal ones the earlier id. */
static int
compare_similar(const void *a, const void *b, void *compared)
{
	const Similar *x = a;
	const Similar *y = b;

	if (++*(uint64 *) compared % CHECK_COMPARISONS == 0)
		CHECK_FOR_INTERRUPTS();
	if (x->cosine != y->cosine)
		return x->cosine > y->cosine ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

/* Put them in order, and leave out those that are too many. */
static void
cut(BestOnes *best)
{
	qsort_arg(best->similar, best->n, sizeof(Similar), compare_similar, &best->compared);
	best->n = Min(best->n, best->wanted);
}

/* Sorting once for as many as are wanted keeps the work low, however many these are. */
static void
keep(BestOnes *best, Similar similar)
{
	if (best->n == 2 * best->wanted)
		cut(best);
	best->similar[best->n++] = similar;
}

static void
put_similar(ReturnSetInfo *rsinfo, const Vocabulary *vocabulary, const Similar *similar)
{
	Datum		values[2] = {CStringGetTextDatum(vocabulary_key(vocabulary, similar->id)),
	Float8GetDatum(similar->cosine)};
	bool		nulls[2] = {false, false};

	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* The rows of one value; of one that the model has no vector of, an error. */
static void
find_similar(FunctionCallInfo fcinfo, const ServedModel *served, int feature, const char *role)
{
	const LoadedModel *loaded = served->loaded;
	const Vocabulary *vocabulary;
	const real *vectors = require_vectors(served, feature, role);
	int			dim = loaded->model->config.embed_dim;
	const EntityTable *apart = entities_apart(served, feature);
	EntityArgument *argument = entity_argument(fcinfo, 1, served, feature);
	uint32		wanted;
	BestOnes	best = {0};

	vocabulary = &loaded->spec->vocabularies[loaded->spec->features[feature].vocabulary];
	if (argument->n != 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("similar_to must be one value"),
				 errhint("Call the function for each of several.")));
	if (argument->nulls[0])
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("similar_to must not be NULL"),
				 errhint("Pass a value with training rows.")));
	wanted = entity_argument_id(argument, 0);
	if (wanted < FIRST_ID)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("model \"%s\" has no vector of %s \"%s\"", loaded->version.name,
						loaded->spec->features[feature].name, entity_argument_text(argument, 0, wanted)),
				 errdetail("It was not in training rows, or too rarely."),
				 errhint("Ask for a value that has at least \"min_count\" of them.")));
	best.wanted = Min(entity_k(fcinfo, 2), vocabulary->n_rows);
	best.similar = palloc_extended(2 * (Size) best.wanted * sizeof(Similar), MCXT_ALLOC_HUGE);
	for (uint32 id = FIRST_ID; id < vocabulary->n_rows; id++)
	{
		if (id % CHECK_VECTORS == 0)
			CHECK_FOR_INTERRUPTS();
		if (id != wanted && (!apart || entity_is_linked(apart, id)))
			keep(&best, (Similar) {id, cosine_of(vectors + (Size) wanted * dim,
												 vectors + (Size) id * dim, dim)});
	}
	cut(&best);
	for (uint32 i = 0; i < best.n; i++)
		put_similar((ReturnSetInfo *) fcinfo->resultinfo, vocabulary, &best.similar[i]);
}

static Datum
similar(FunctionCallInfo fcinfo, bool of_items)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "aread similar",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old;
	const ServedModel *served;

	entity_require_argument(fcinfo, 0, "model");
	entity_require_argument(fcinfo, 1, "similar_to");
	entity_require_argument(fcinfo, 2, "k");
	InitMaterializedSRF(fcinfo, 0);
	old = MemoryContextSwitchTo(context);
	served = model_argument_for(fcinfo, 0, RIGHT_TO_PREDICT);
	if (of_items)
		find_similar(fcinfo, served, served->loaded->spec->item_feature, "item_id");
	else
		find_similar(fcinfo, served, served->loaded->spec->user_feature, "user_id");
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(aread_similar_items);
/* aread_similar_items(model, similar_to, k) */
Datum
aread_similar_items(PG_FUNCTION_ARGS)
{
	return similar(fcinfo, true);
}

PG_FUNCTION_INFO_V1(aread_similar_users);
/* aread_similar_users(model, similar_to, k) */
Datum
aread_similar_users(PG_FUNCTION_ARGS)
{
	return similar(fcinfo, false);
}
