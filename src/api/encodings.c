/*
 * encodings.c
 *	  aread_encodings(): what the trees of a model see.
 *
 * A row for each feature or pair of features whose rates and counts the trees were
 * given, with how often they ask for each.  It is the owner's alone, as parameters are.
 */
#include "postgres.h"

#include "api/name_arguments.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/float.h"

/* splits[n_inputs]: nodes of the forest that look at an input. */
static int64 *
count_splits(const Forest *forest)
{
	int64	   *splits = palloc0(Max(forest->n_inputs, 1) * sizeof(int64));
	Size		n = forest_nodes(forest->depth) * forest->n_trees;

	/* a node without a split sends all rows one way */
	for (Size i = 0; i < n; i++)
		if (forest->thresholds[i] < get_float4_infinity())
			splits[forest->inputs[i]]++;
	return splits;
}

PG_FUNCTION_INFO_V1(aread_encodings);
/* aread_encodings(model) */
Datum
aread_encodings(PG_FUNCTION_ARGS)
{
	const ServedModel *served = model_argument(fcinfo, 0);
	const Feature *features = served->loaded->spec->features;
	const Trees *trees = served->loaded->model->trees;
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	int64	   *splits;

	InitMaterializedSRF(fcinfo, 0);
	if (!trees)
		return (Datum) 0;
	splits = count_splits(&trees->forest);
	for (int i = 0; i < trees->encodings.n; i++)
	{
		const Encoding *encoding = &trees->encodings.list[i];
		Datum		values[5];
		bool		nulls[5] = {false};

		values[0] = CStringGetTextDatum(features[encoding->a].name);
		nulls[1] = encoding->b == NO_FIELD;
		values[1] = nulls[1] ? (Datum) 0 : CStringGetTextDatum(features[encoding->b].name);
		values[2] = Int64GetDatum((int64) encoding->n_cells);
		values[3] = Int64GetDatum(splits[i * ENCODING_INPUTS]);
		values[4] = Int64GetDatum(splits[i * ENCODING_INPUTS + 1]);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}
