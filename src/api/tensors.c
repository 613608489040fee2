/*
 * tensors.c
 *	  aread_tensors(), aread_tensor(), aread_vectors(), aread_domain_weights(),
 *	  aread_vector_text(): a model's parameters in the open.
 *
 * Whatever takes a model is the owner's alone: parameters tell of training rows.
 * They are read from the served copy, never written.  Functions with a row for each
 * id reset a context row by row, so that large vocabularies take no memory but the
 * tuplestore's.
 */
#include "postgres.h"

#include "api/name_arguments.h"
#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "source/keys/describe_id.h"
#include "source/keys/vocabulary.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

StaticAssertDecl(sizeof(real) == sizeof(float4), "parameters are shown as they are");

/* real[] of the given shape; of more elements than an array can hold, an error. */
static ArrayType *
float_array(const real *values, int n_dims, const int *dims, Size n)
{
	Size		size = ARR_OVERHEAD_NONULLS(n_dims) + n * sizeof(float4);
	ArrayType  *array;

	if (n > MaxArraySize || !AllocSizeIsValid(size))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("tensor of %zu elements does not fit into an array", n),
				 errhint("Of a feature's weights and vectors aread_vectors returns a row for each value.")));
	array = palloc0(size);
	SET_VARSIZE(array, size);
	array->ndim = n_dims;
	array->elemtype = FLOAT4OID;
	for (int i = 0; i < n_dims; i++)
	{
		ARR_DIMS(array)[i] = dims[i];
		ARR_LBOUND(array)[i] = 1;
	}
	memcpy(ARR_DATA_PTR(array), values, n * sizeof(float4));
	return array;
}

static void
tensor_shape(const Tensor *tensor, int *dims)
{
	for (int i = 0; i < tensor->n_dims; i++)
		dims[i] = (int) tensor->dims[i];
}

static void
put_tensor(ReturnSetInfo *rsinfo, const FeatureSpec *spec, const Tensor *tensor)
{
	static const char *const kinds[] = {
		[TENSOR_DENSE] = "dense",[TENSOR_ROWS] = "rows",[TENSOR_STATISTIC] = "statistic",
		[TENSOR_FITTED] = "fitted"
	};
	const char *feature = tensor->field >= 0 ? spec->features[tensor->field].name : NULL;
	Datum		values[5];
	bool		nulls[5] = {false};
	Datum		dims[3];

	for (int i = 0; i < tensor->n_dims; i++)
		dims[i] = Int32GetDatum((int32) tensor->dims[i]);
	values[0] = CStringGetTextDatum(tensor->name);
	values[1] = CStringGetTextDatum(kinds[tensor->kind]);
	values[2] = feature ? CStringGetTextDatum(feature) : (Datum) 0;
	nulls[2] = !feature;
	values[3] = PointerGetDatum(construct_array(dims, tensor->n_dims, INT4OID, sizeof(int32),
												true, TYPALIGN_INT));
	values[4] = Int64GetDatum((int64) tensor->size);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

PG_FUNCTION_INFO_V1(aread_tensors);
/* aread_tensors(model) */
Datum
aread_tensors(PG_FUNCTION_ARGS)
{
	const ServedModel *served = model_argument(fcinfo, 0);
	const Model *model = served->loaded->model;

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < model->n_tensors; i++)
		put_tensor((ReturnSetInfo *) fcinfo->resultinfo, served->loaded->spec,
				   &model->tensors[i]);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(aread_tensor);
/* aread_tensor(model, name) */
Datum
aread_tensor(PG_FUNCTION_ARGS)
{
	const ServedModel *served = model_argument(fcinfo, 0);
	const Tensor *tensor = find_tensor(served, text_to_cstring(PG_GETARG_TEXT_PP(1)));
	int			dims[3];

	tensor_shape(tensor, dims);
	PG_RETURN_ARRAYTYPE_P(float_array(served->loaded->model->params + tensor->offset,
									  tensor->n_dims, dims, tensor->size));
}

/* The network of a model that scores as at its start was left out: its vectors say nothing. */
static void
report_untrained(const ServedModel *served)
{
	if (served->loaded->version.best_evaluation > 0)
		return;
	ereport(NOTICE,
			(errmsg("vectors of model \"%s\" are as they were before training",
					served->loaded->version.name),
			 errdetail("Its network gained nothing on validation rows; the model scores by its weights alone.")));
}

PG_FUNCTION_INFO_V1(aread_vectors);
/* aread_vectors(model, feature): id, status, value, weight, vector */
Datum
aread_vectors(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	const ServedModel *served = model_argument(fcinfo, 0);
	const FeatureSpec *spec = served->loaded->spec;
	const Model *model = served->loaded->model;
	int			f = find_feature(served, text_to_cstring(PG_GETARG_TEXT_PP(1)));
	uint32		table = model->shape.field_table[f];
	const real *weights = model_named(model, psprintf("wide.%d", f));
	const real *vectors = model_named(model, psprintf("embedding.%u", table));
	int			dim = model->config.embed_dim;
	MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext, "aread vector",
													  ALLOCSET_SMALL_SIZES);

	if (vectors)
		report_untrained(served);
	InitMaterializedSRF(fcinfo, 0);
	for (uint32 id = 0; id < model->shape.table_rows[table]; id++)
	{
		MemoryContext old = MemoryContextSwitchTo(row_context);
		char	   *text = id_text(spec, f, id);
		Datum		values[5];
		bool		nulls[5] = {false};

		CHECK_FOR_INTERRUPTS();
		values[0] = Int32GetDatum((int32) id);
		values[1] = CStringGetTextDatum(id_status(id));
		values[2] = text ? CStringGetTextDatum(text) : (Datum) 0;
		nulls[2] = !text;
		values[3] = weights ? Float4GetDatum(weights[id]) : (Datum) 0;
		nulls[3] = !weights;
		values[4] = vectors ?
			PointerGetDatum(float_array(vectors + (Size) id * dim, 1, &dim, dim)) : (Datum) 0;
		nulls[4] = !vectors;
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
		MemoryContextSwitchTo(old);
		MemoryContextReset(row_context);
	}
	MemoryContextDelete(row_context);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(aread_domain_weights);
/* aread_domain_weights(model, feature): status, value, domain, weight */
Datum
aread_domain_weights(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	const ServedModel *served = model_argument(fcinfo, 0);
	const FeatureSpec *spec = served->loaded->spec;
	const Model *model = served->loaded->model;
	int			f = find_feature(served, text_to_cstring(PG_GETARG_TEXT_PP(1)));
	const real *weights = model_named(model, psprintf("domain_wide.%d", f));
	const DomainPairs *pairs = &model->pairs[f];
	MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext, "aread weight",
													  ALLOCSET_SMALL_SIZES);

	InitMaterializedSRF(fcinfo, 0);
	for (uint32 id = 0; weights && id < pairs->n_values; id++)
		for (uint32 p = pairs->start[id]; p < pairs->start[id + 1]; p++)
		{
			MemoryContext old = MemoryContextSwitchTo(row_context);
			char	   *text = id_text(spec, f, id);
			Datum		values[4];
			bool		nulls[4] = {false};

			CHECK_FOR_INTERRUPTS();
			values[0] = CStringGetTextDatum(id_status(id));
			values[1] = text ? CStringGetTextDatum(text) : (Datum) 0;
			nulls[1] = !text;
			values[2] = CStringGetTextDatum(id_text(spec, spec->domain_feature,
													FIRST_ID + pairs->domain[p]));
			values[3] = Float4GetDatum(weights[p]);
			tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
			MemoryContextSwitchTo(old);
			MemoryContextReset(row_context);
		}
	MemoryContextDelete(row_context);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(aread_vector_text);
/* aread_vector_text(real[]): [1,2,3] */
Datum
aread_vector_text(PG_FUNCTION_ARGS)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(0);
	const float4 *values = (const float4 *) ARR_DATA_PTR(array);
	StringInfoData text;

	if (ARR_NDIM(array) != 1 || array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("a vector must be an array of one dimension without NULLs")));
	initStringInfo(&text);
	for (int i = 0; i < ARR_DIMS(array)[0]; i++)
	{
		char		number[FLOAT_SHORTEST_DECIMAL_LEN];

		float_to_shortest_decimal_buf(values[i], number);
		appendStringInfo(&text, "%s%s", i > 0 ? "," : "[", number);
	}
	appendStringInfoChar(&text, ']');
	PG_RETURN_TEXT_P(cstring_to_text_with_len(text.data, text.len));
}
