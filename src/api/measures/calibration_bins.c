/*
 * calibration_bins.c
 *	  aread_calibration(): what became of rows by how probable they were.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "api/measures/scores.h"
#include "engine/measure/reliability.h"
#include "funcapi.h"
#include "host.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#define MOST_BINS 10000

/* Bins and strategy in one: the parameter of the state. */
static int64
bins_argument(FunctionCallInfo fcinfo)
{
	BinStrategy strategy = BINS_QUANTILE;
	char	   *name = "quantile";

	if (PG_ARGISNULL(3) || PG_GETARG_INT32(3) < 1 || PG_GETARG_INT32(3) > MOST_BINS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("bins must be from 1 to %d", MOST_BINS)));
	if (PG_NARGS() > 4)
		name = PG_ARGISNULL(4) ? "" : text_to_cstring(PG_GETARG_TEXT_PP(4));
	if (strcmp(name, "uniform") == 0)
		strategy = BINS_UNIFORM;
	else if (strcmp(name, "quantile") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there is no strategy \"%s\"", name),
				 errhint("Bins are \"quantile\" or \"uniform\".")));
	return (int64) strategy * (MOST_BINS + 1) + PG_GETARG_INT32(3);
}

PG_FUNCTION_INFO_V1(aread_calibration_add);
/* calibration_add(state, score, label, bins [, strategy]) */
Datum
aread_calibration_add(PG_FUNCTION_ARGS)
{
	if (scores_skip(fcinfo))
		return state_unchanged(fcinfo);
	PG_RETURN_BYTEA_P(scores_append(state_argument(fcinfo, STATE_CALIBRATION,
												   bins_argument(fcinfo)),
									STATE_CALIBRATION, scores_probability(fcinfo),
									scores_label(fcinfo)));
}

/* A row of type calibration_bin. */
static Datum
bin_row(const ReliabilityBin *bin, TupleDesc descriptor)
{
	Datum		values[] = {
		Int32GetDatum(bin->bin), Int64GetDatum((int64) bin->rows),
		Int64GetDatum((int64) bin->positives), Float8GetDatum(bin->lowest),
		Float8GetDatum(bin->highest), Float8GetDatum(bin->mean_score),
		Float8GetDatum((double) bin->positives / bin->rows)
	};
	bool		nulls[lengthof(values)] = {false};

	if (descriptor->natts != lengthof(values))
		elog(ERROR, "type calibration_bin has an unexpected number of columns");
	return HeapTupleGetDatum(heap_form_tuple(descriptor, values, nulls));
}

PG_FUNCTION_INFO_V1(aread_calibration_result);
/* calibration_result(state) */
Datum
aread_calibration_result(PG_FUNCTION_ARGS)
{
	Oid			type = get_element_type(get_fn_expr_rettype(fcinfo->flinfo));
	EngineHost	host = host_callbacks();
	EngineError error;
	ScoredRows	rows;
	ReliabilityBin *bins;
	int			n_bins;
	int			n;
	TupleDesc	descriptor;
	Datum	   *elements;

	scores_of_state(fcinfo, STATE_CALIBRATION, &rows);
	n_bins = rows.parameter % (MOST_BINS + 1);
	if (!OidIsValid(type))
		elog(ERROR, "could not determine the type of a bin");
	if (n_bins < 1 || rows.parameter / (MOST_BINS + 1) > BINS_UNIFORM)
		state_invalid();
	bins = palloc(n_bins * sizeof(ReliabilityBin));
	if (!reliability_bins(&rows.arena, rows.scores, rows.labels, rows.n, n_bins,
						  rows.parameter / (MOST_BINS + 1), bins, &n, &host, &error))
		host_raise(&error);
	MemoryContextDelete(rows.context);
	descriptor = lookup_rowtype_tupdesc(type, -1);
	elements = palloc(n * sizeof(Datum));
	for (int i = 0; i < n; i++)
		elements[i] = bin_row(&bins[i], descriptor);
	ReleaseTupleDesc(descriptor);
	PG_RETURN_ARRAYTYPE_P(construct_array(elements, n, type, -1, false, TYPALIGN_DOUBLE));
}
