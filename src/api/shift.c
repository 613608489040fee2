/*
 * shift.c
 *	  aread_shift(): how far the numbers of a table, and its scores, lie from
 *	  those of a model's training.
 *
 * The table is read once: bins of each row are counted, and rows are scored by the
 * thousand.  What training rows looked like is stored with the version
 * (catalog/record.h).  Bins are joined to ten groups of about as many training rows
 * before both are compared.
 */
#include "postgres.h"

#include <math.h>

#include "api/name_arguments.h"
#include "catalog/record.h"
#include "fmgr.h"
#include "funcapi.h"
#include "host.h"
#include "miscadmin.h"
#include "serve/cache.h"
#include "serve/input.h"
#include "source/read/reader.h"
#include "source/read/row_encoder.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* Bins that are compared, of numbers: of about as many training rows each. */
#define MAX_GROUPS 10
#define ROWS_AT_ONCE 1024
/* Rows with long lists do not wait for as many others. */
#define MAX_LIST_BYTES ((Size) 1024 * 1024)

typedef struct Shift
{
	const ServedModel *served;
	const FeatureSpec *spec;
	RowEncoder	encoder;
	InputRows	rows;			/* that are yet to be scored */
	Size		list_bytes;		/* of their lists */
	double		scores[ROWS_AT_ONCE];
	uint64	  **trained;		/* [n_columns] rows of bins; NULL: not known */
	uint64	  **found;			/* [n_columns] of the table; NULL: no numbers */
	Deciles		trained_scores;
	uint64		found_scores[N_DECILES];
	uint64		n_rows;
} Shift;

static void
score_rows(Shift *shift)
{
	ScoreRows	rows = input_rows(&shift->rows);
	EngineError error;

	CHECK_FOR_INTERRUPTS();
	if (!scorer_score(shift->served->scorer, &rows, shift->scores, &error))
		host_raise(&error);
	for (int i = 0; i < shift->rows.n_rows; i++)
		shift->found_scores[deciles_bin(&shift->trained_scores, shift->scores[i])]++;
	shift->n_rows += shift->rows.n_rows;
	shift->list_bytes = 0;
	input_clear(&shift->rows);
}

/* Count one row (a RowFunction). */
static void
count_row(void *context, const Datum *values, const bool *nulls)
{
	Shift	   *shift = context;
	const uint32 *ids;

	row_encoder_read(&shift->encoder, values, nulls);
	input_add(&shift->rows);
	for (int f = 0; f < shift->spec->n_columns; f++)
	{
		int			n = row_encoder_ids(&shift->encoder, f, &ids);

		if (shift->found[f])
			shift->found[f][bin_number(number_bin(&shift->spec->features[f], ids, n))]++;
		if (kind_has_list(shift->spec->features[f].kind))
			input_set_list(&shift->rows, f, ids, n);
		else
			input_set(&shift->rows, f, ids[0]);
	}
	input_finish(&shift->rows);
	shift->list_bytes += input_list_bytes(&shift->rows);
	if (shift->rows.n_rows == ROWS_AT_ONCE || shift->list_bytes > MAX_LIST_BYTES)
		score_rows(shift);
}

/* Everything is allocated in the current memory context. */
static Shift *
read_relation(const ServedModel *served, const SourceRelation *relation)
{
	const FeatureSpec *spec = served->loaded->spec;
	Shift	   *shift = palloc0(sizeof(Shift));

	shift->served = served;
	shift->spec = spec;
	shift->trained = palloc0(spec->n_columns * sizeof(uint64 *));
	shift->found = palloc0(spec->n_columns * sizeof(uint64 *));
	record_read_spread(served->loaded, shift->trained, &shift->trained_scores);
	for (int f = 0; f < spec->n_columns; f++)
		if (kind_is_number(spec->features[f].kind))
			shift->found[f] = palloc0((feature_bins(&spec->features[f]) + 1) * sizeof(uint64));
	input_init(&shift->rows, spec, ROWS_AT_ONCE, CurrentMemoryContext);
	reader_run(relation, row_encoder_init(&shift->encoder, relation, spec), READ_LATEST, count_row,
			   shift);
	if (shift->rows.n_rows > 0)
		score_rows(shift);
	return shift;
}

static double
sum_of(const uint64 *counts, int n)
{
	double		sum = 0;

	for (int i = 0; i < n; i++)
		sum += counts[i];
	return sum;
}

/*
 * Population stability index of two counts [n].  Half a row more in each bin
 * keeps empty ones from making it infinite.
 */
static double
stability(const uint64 *trained, const uint64 *found, int n)
{
	double		n_trained = sum_of(trained, n) + 0.5 * n;
	double		n_found = sum_of(found, n) + 0.5 * n;
	double		psi = 0;

	for (int i = 0; i < n; i++)
	{
		double		p = (trained[i] + 0.5) / n_trained;
		double		q = (found[i] + 0.5) / n_found;

		psi += (p - q) * log(p / q);
	}
	return psi;
}

/*
 * Adjacent bins become groups of about as many training rows each, and NULL,
 * where there is any, one of its own.  Both counts are [n], NULL's first;
 * returns how many groups there are.
 */
static int
group_bins(const uint64 *trained, const uint64 *found, int n, uint64 *trained_groups,
		   uint64 *found_groups)
{
	double		total = sum_of(trained + 1, n - 1);
	double		before = 0;
	int			n_groups = 0;
	int			latest = -1;	/* number of the latest group, by its share */

	memset(trained_groups, 0, (MAX_GROUPS + 1) * sizeof(uint64));
	memset(found_groups, 0, (MAX_GROUPS + 1) * sizeof(uint64));
	for (int bin = 1; bin < n; bin++)
	{
		int			group = total > 0 ? Min((int) (before * MAX_GROUPS / total), MAX_GROUPS - 1) : 0;

		n_groups += group > latest;
		latest = Max(latest, group);
		trained_groups[n_groups - 1] += trained[bin];
		found_groups[n_groups - 1] += found[bin];
		before += trained[bin];
	}
	if (trained[0] + found[0] > 0)
	{
		trained_groups[n_groups] = trained[0];
		found_groups[n_groups++] = found[0];
	}
	return n_groups;
}

/* feature NULL: the scores; trained NULL: not known. */
static void
put_shift(ReturnSetInfo *rsinfo, const char *feature, uint64 n_rows, const uint64 *trained,
		  const uint64 *found, int n)
{
	bool		known = trained && sum_of(trained, n) > 0 && n_rows > 0;
	Datum		values[4];
	bool		nulls[4] = {!feature, false, !known, !known};

	values[0] = feature ? CStringGetTextDatum(feature) : (Datum) 0;
	values[1] = Int64GetDatum((int64) n_rows);
	values[2] = Int32GetDatum(n);
	values[3] = Float8GetDatum(known ? stability(trained, found, n) : 0);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

PG_FUNCTION_INFO_V1(aread_shift);
/* aread_shift(model, source) */
Datum
aread_shift(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "aread shift",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old;
	const ServedModel *served;
	const FeatureSpec *spec;
	Shift	   *shift;

	InitMaterializedSRF(fcinfo, 0);
	old = MemoryContextSwitchTo(context);
	served = model_argument_for(fcinfo, 0, RIGHT_TO_PREDICT);
	spec = served->loaded->spec;
	shift = read_relation(served, source_open(PG_GETARG_OID(1)));
	for (int f = 0; f < spec->n_columns; f++)
	{
		uint64		trained[MAX_GROUPS + 1];
		uint64		found[MAX_GROUPS + 1];
		int			n = 0;

		if (!shift->found[f])
			continue;
		if (shift->trained[f])
			n = group_bins(shift->trained[f], shift->found[f],
						   feature_bins(&spec->features[f]) + 1, trained, found);
		put_shift(rsinfo, spec->features[f].name, shift->n_rows, n > 0 ? trained : NULL, found, n);
	}
	put_shift(rsinfo, NULL, shift->n_rows, shift->trained_scores.rows, shift->found_scores,
			  shift->trained_scores.n_edges + 1);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return (Datum) 0;
}
