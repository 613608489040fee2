/*
 * train.c
 *	  aread_train(): read the source, train, store, report.
 *
 * The arguments become a job (jobs/job.h), which does all of it within the caller's
 * transaction: the model appears when that commits.  Trainings may be nested, where
 * the source is a view whose functions train.
 */
#include "postgres.h"

#include <math.h>

#include "api/train.h"
#include "api/role_arguments.h"
#include "catalog/model_source.h"
#include "catalog/models.h"
#include "funcapi.h"
#include "host.h"
#include "jobs/report.h"
#include "miscadmin.h"
#include "options.h"
#include "source/read/read_report.h"
#include "source/read/relation.h"
#include "tcop/utility.h"
#include "utils/builtins.h"

/* Trainings of a session that read one another's results. */
#define MAX_NESTED 4

/* Measures that results have had from the first: those of later releases come after all else. */
#define FIRST_MEASURES 6

/* Measures from .. to - 1. */
static int
set_measures(Datum *values, bool *nulls, int at, const Measures *measures, int from, int to)
{
	for (int kind = from; kind < to; kind++, at++)
	{
		values[at] = Float8GetDatum(measure_at(measures, kind)->value);
		nulls[at] = isnan(measure_at(measures, kind)->value);
	}
	return at;
}

/* The row that the call returns; measures on test rows if there are any. */
static Datum
result_row(FunctionCallInfo fcinfo, const TrainJob *job, int32 version)
{
	const NewModel *new = &job->new;
	const TrainResult *result = new->result;
	const Measures *measures = new->report->rows[SPLIT_TEST] > 0 ? &result->test : &result->valid;
	Datum		values[11 + N_MEASURES];
	bool		nulls[11 + N_MEASURES] = {false};
	TupleDesc	descriptor;
	int			at = 6;

	if (get_call_result_type(fcinfo, NULL, &descriptor) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	values[0] = CStringGetTextDatum(new->name);
	values[1] = Int32GetDatum(version);
	for (int split = 0; split < 3; split++)
		values[2 + split] = Int64GetDatum((int64) new->report->rows[split]);
	values[5] = Int64GetDatum((int64) report_skipped(new->report));
	at = set_measures(values, nulls, at, measures, 0, FIRST_MEASURES);
	values[at++] = Int32GetDatum(result->evaluations[result->n_evaluations - 1].epoch);
	values[at++] = Int32GetDatum(result->evaluations[result->best_evaluation].epoch);
	values[at++] = Float8GetDatum(new->report->seconds + result->seconds);
	values[at++] = BoolGetDatum(job->decision.deployed);
	values[at++] = CStringGetTextDatum(job->decision.reason);
	at = set_measures(values, nulls, at, measures, FIRST_MEASURES, N_MEASURES);
	Assert(at == lengthof(values));
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values, nulls));
}

/* Roles that sampling negatives needs, or not sampling any. */
static void
check_negatives(const ColumnRoles *roles, const Config *config)
{
	if (config->negatives > 0 && !roles->item_id)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"negatives\" needs an item column"),
				 errhint("Name it by argument \"item_id\".")));
	roles_require_label(roles, config->negatives > 0);
}

void
training_arguments(FunctionCallInfo fcinfo, TrainJob *job)
{
	static const RoleArguments arguments = {
		.label = 2,.domain = 3,.features = 4,.user_id = 5,.item_id = 6,.split = 7,
		.weight = 9
	};
	const SourceRelation *relation;

	memset(job, 0, sizeof(*job));
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("source must not be NULL")));
	relation = source_open(PG_GETARG_OID(0));
	job->new.options = PG_ARGISNULL(8) ?
		DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum("{}"))) :
		PG_GETARG_JSONB_P(8);
	job->new.roles = roles_resolve(fcinfo, relation, &arguments, catalog_roles(relation->id));
	job->new.name_given = !PG_ARGISNULL(1);
	job->new.name = job->new.name_given ? text_to_cstring(PG_GETARG_TEXT_PP(1)) : relation->name;
	job_prepare(job);
	options_tell_unused(job->new.options, &job->config);
	model_source_check(&job->new, true);
	check_negatives(job->new.roles, &job->config);
}

/*
 * Read, train and store; returns the model's version.  A source may be a view
 * whose functions train.
 */
static int32
train_job(TrainJob *job)
{
	static int	depth = 0;
	volatile int32 version = 0;

	if (depth >= MAX_NESTED)
		ereport(ERROR,
				(errcode(ERRCODE_STATEMENT_TOO_COMPLEX),
				 errmsg("trainings are nested more than %d deep", MAX_NESTED),
				 errdetail("Reading the source of one begins the next."),
				 errhint("Train on a table that keeps the source's rows.")));
	depth++;
	PG_TRY();
	{
		job_read(job, host_training_context(), false);
		job_train(job);
		version = job_store(job);
	}
	PG_FINALLY();
	{
		depth--;
		job_end(job);
	}
	PG_END_TRY();
	return version;
}

static void
check_no_resume(const TrainOptions *options)
{
	if (options->resume == RESUME_AUTO)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"resume\" is for trainings in the background"),
				 errhint("Start one with aread_train_start.")));
}

PG_FUNCTION_INFO_V1(aread_train);
/*
 * aread_train(source, model, label, domain, features, user_id, item_id, split,
 * options, weight): the model appears with the caller's COMMIT.
 */
Datum
aread_train(PG_FUNCTION_ARGS)
{
	TrainJob	job;
	Reporter	reporter;
	int32		version;

	PreventCommandIfReadOnly("aread_train()");
	PreventCommandIfParallelMode("aread_train()");
	training_arguments(fcinfo, &job);
	check_no_resume(&job.options);
	report_start(&reporter, &job.config);
	job.observer = (TrainObserver) {report_progress, report_evaluation, &reporter, report_race};
	version = train_job(&job);
	return result_row(fcinfo, &job, version);
}
