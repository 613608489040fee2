/*
 * runs.c
 *	  aread_train_start(), aread_cancel(), aread_wait(), aread_resume() and
 *	  aread_forget(): trainings in the background; what the view aread.run shows
 *	  of those at work.
 *
 * Starting and resuming register a worker and wait until it has its locks
 * (jobs/launch.h); it begins when the caller commits.  What is decided about a run
 * is decided under a lock of its row, by a reading of that moment (jobs/runs.h).
 * aread_wait() and aread_cancel() go by the worker's locks, which no user can take.
 */
#include "postgres.h"

#include <math.h>
#include <signal.h>

#include "access/xact.h"
#include "api/train.h"
#include "catalog/namespace.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_inherits.h"
#include "funcapi.h"
#include "jobs/launch.h"
#include "jobs/launcher.h"
#include "jobs/locks.h"
#include "jobs/ticket.h"
#include "miscadmin.h"
#include "source/read/relation.h"
#include "source/roles.h"
#include "storage/latch.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

#define POLL_MS 50

/*
 * Settings that reading a source and training depend on: the worker takes them
 * over from the session that starts a run.
 */
static ArrayType *
present_settings(void)
{
	static const char *const names[] = {
		"search_path", "row_security", "TimeZone", "DateStyle", "IntervalStyle",
		"extra_float_digits", "bytea_output", "work_mem", "aread.threads",
		"aread.training_memory", "aread.checkpoint_interval", "aread.unseen_domain",
		"aread.missing_features"
	};
	ArrayType  *settings = NULL;

	for (int i = 0; i < lengthof(names); i++)
		settings = GUCArrayAdd(settings, names[i], GetConfigOption(names[i], false, false));
	return settings;
}

/*
 * A worker is a session of its own: it sees no temporary relation of the
 * caller's, and none that inherits from the source.
 */
static void
check_lasting(const SourceRelation *source)
{
	ListCell   *cell;

	foreach(cell, find_all_inheritors(source->id, NoLock, NULL))
		if (get_rel_persistence(lfirst_oid(cell)) == RELPERSISTENCE_TEMP &&
			!isOtherTempNamespace(get_rel_namespace(lfirst_oid(cell))))
			ereport(ERROR,
					(errcode(ERRCODE_WRONG_OBJECT_TYPE),
					 errmsg("a background training cannot read temporary relation \"%s\"",
							get_rel_name(lfirst_oid(cell))),
					 errdetail("Only this session sees its rows."),
					 errhint("Copy them to a table that stays, or train with aread_train.")));
}

static void
check_resume(const TrainOptions *options)
{
	if (options->resume == RESUME_AUTO && !launcher_is_there())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("option \"resume\" cannot be \"auto\" on this server"),
				 errdetail("Nothing of aread runs when the server starts."),
				 errhint("Add aread to shared_preload_libraries and restart the server.")));
}

PG_FUNCTION_INFO_V1(aread_train_start);
/* aread_train_start(arguments of aread_train): the run's number */
Datum
aread_train_start(PG_FUNCTION_ARGS)
{
	TrainJob	job;
	Run			run = {0};

	PreventCommandIfReadOnly("aread_train_start()");
	PreventCommandIfParallelMode("aread_train_start()");
	training_arguments(fcinfo, &job);
	roles_check(job.new.roles);
	check_lasting(job.new.roles->relation);
	check_resume(&job.options);
	run.id = run_new_id();
	run.role = GetUserId();
	run.role_name = GetUserNameFromId(run.role, false);
	run.model = (char *) job.new.name;
	run.name_given = job.new.name_given;
	run.roles = (ColumnRoles *) job.new.roles;
	run.source = job.new.roles->relation->id;
	run.source_name = job.new.roles->relation->full_name;
	run.options = job.new.options;
	run.settings = present_settings();
	run.pid = worker_start(&run);
	run_insert(&run);
	PG_RETURN_INT64(run.id);
}

/* It has not begun, and will not while the caller waits for it. */
static void
require_committed(int64 id)
{
	if (run_is_uncommitted(id))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("run " INT64_FORMAT " begins when this transaction commits", id),
				 errhint("Commit first.")));
}

/* A run that the user may command, locked. */
static Run *
require_locked(int64 id)
{
	(void) run_require(id);
	run_lock_row(id);
	return run_require(id);
}

/* False: it has ended meanwhile.  Whose it is, its locks say: the row may have been changed. */
static bool
cancel_worker(int64 id)
{
	Oid			role;
	int			pid = run_worker(id, &role);

	if (pid == 0)
		return false;
	if (!has_privs_of_role(GetUserId(), role))
		run_no_right(id);
	if (kill(pid, SIGINT) == 0)
		return true;
	if (errno != ESRCH)
		ereport(ERROR, (errmsg("could not send signal to process %d: %m", pid)));
	return false;
}

PG_FUNCTION_INFO_V1(aread_cancel);
/*
 * aread_cancel(run): false if it had ended.  A worker is told at once; of a run
 * that has none the row says so with the caller's COMMIT.
 */
Datum
aread_cancel(PG_FUNCTION_ARGS)
{
	int64		id = PG_GETARG_INT64(0);
	Run		   *run;

	PreventCommandIfReadOnly("aread_cancel()");
	run = run_require(id);
	require_committed(id);
	switch (run->state)
	{
		case RUN_STARTING:
		case RUN_RUNNING:
			PG_RETURN_BOOL(cancel_worker(id));
		case RUN_FAILED:
		case RUN_INTERRUPTED:
			run = require_locked(id);
			if (run->state != RUN_FAILED && run->state != RUN_INTERRUPTED)
				PG_RETURN_BOOL(false);
			run_failed(id, RUN_CANCELLED, NULL);
			/* whatever becomes of this transaction: the caller does not want it */
			ticket_remove(MyDatabaseId, id);
			PG_RETURN_BOOL(true);
		case RUN_DONE:
		case RUN_CANCELLED:
			break;
	}
	PG_RETURN_BOOL(false);
}

/* The functions of a source, and all else that training does, run as the role: that is for it to say. */
static void
check_role(const Run *run)
{
	if (run->role == GetUserId())
		return;
	if (!GetUserNameFromId(run->role, true))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("role \"%s\", which started run " INT64_FORMAT ", does not exist any more",
						run->role_name, run->id),
				 errhint("Start anew with aread_train_start.")));
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("run " INT64_FORMAT " belongs to role \"%s\"", run->id, run->role_name),
			 errhint("Become that role first: SET ROLE.")));
}

/*
 * The row alone does not say what is read: who can write it could have put in a
 * relation of his, whose functions would run as the role.  What belongs to a
 * role that can do as much as the run's anyway is safe; else the caller says it.
 */
static void
check_source(const Run *run)
{
	const SourceRelation *source = source_open(run->source);

	if (has_privs_of_role(source->owner, run->role))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("run " INT64_FORMAT " reads a source of another role", run->id),
			 errdetail("The run's row names %s, of role \"%s\", whose functions may run as \"%s\".",
					   source->full_name, GetUserNameFromId(source->owner, false),
					   GetUserNameFromId(run->role, false)),
			 errhint("If that is the run's source, say so: aread_resume(" INT64_FORMAT ", %s).",
					 run->id, quote_literal_cstr(source->full_name))));
}

static void
check_same_source(const Run *run, Oid source)
{
	if (run->source != source)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("run " INT64_FORMAT " reads another source", run->id),
				 errdetail("It is %s.", source_open(run->source)->full_name)));
}

PG_FUNCTION_INFO_V1(aread_resume);
/* aread_resume(run [, source]) */
Datum
aread_resume(PG_FUNCTION_ARGS)
{
	int64		id = PG_GETARG_INT64(0);
	Run		   *run;

	PreventCommandIfReadOnly("aread_resume()");
	run = require_locked(id);
	if (run->state != RUN_INTERRUPTED && run->state != RUN_FAILED)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("run " INT64_FORMAT " cannot be resumed: it is %s", id,
						run_state_name(run->state)),
				 errhint("Runs that were interrupted or have failed can be.")));
	check_role(run);
	if (PG_NARGS() > 1)
		check_same_source(run, PG_GETARG_OID(1));
	else
		check_source(run);
	if (run->has_checkpoint)
		run_check_software(run);
	run->settings = present_settings();
	run->pid = worker_start(run);
	run_restart(run);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(aread_forget);
/* aread_forget(run) */
Datum
aread_forget(PG_FUNCTION_ARGS)
{
	int64		id = PG_GETARG_INT64(0);
	Run		   *run;

	PreventCommandIfReadOnly("aread_forget()");
	run = require_locked(id);
	if (run->state == RUN_STARTING || run->state == RUN_RUNNING)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("run " INT64_FORMAT " is at work", id),
				 errhint("End it first: aread_cancel.")));
	run_forget(id);
	ticket_remove(MyDatabaseId, id);
	PG_RETURN_VOID();
}

/* Of what the row has, which anything may be. */
static int
error_code(const Run *run)
{
	const char *code = run->error_code;

	return code && strlen(code) == 5 ? MAKE_SQLSTATE(code[0], code[1], code[2], code[3], code[4]) :
		ERRCODE_QUERY_CANCELED;
}

/* The error that ended a run, as if the training had been the caller's. */
static void
raise_as_run(const Run *run)
{
	if (run->state == RUN_INTERRUPTED)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("run " INT64_FORMAT " was interrupted", run->id),
				 errdetail(run->has_checkpoint ? "There is a checkpoint to go on from." :
						   "There is no checkpoint yet: it would begin anew."),
				 errhint("Go on with aread_resume.")));
	ereport(ERROR,
			(errcode(error_code(run)),
			 errmsg("run " INT64_FORMAT " %s: %s", run->id,
					run->state == RUN_CANCELLED ? "was cancelled" : "failed",
					run->error ? run->error : "given up"),
			 run->error_detail ? errdetail("%s", run->error_detail) : 0,
			 run->error_hint ? errhint("%s", run->error_hint) : 0));
}

PG_FUNCTION_INFO_V1(aread_wait);
/*
 * aread_wait(run, timeout): the version that it made; NULL when time was up,
 * an error if there is none to come.
 */
Datum
aread_wait(PG_FUNCTION_ARGS)
{
	int64		id;
	TimestampTz until = DT_NOEND;
	MemoryContext poll = AllocSetContextCreate(CurrentMemoryContext, "aread wait",
											   ALLOCSET_SMALL_SIZES);

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	id = PG_GETARG_INT64(0);
	if (!PG_ARGISNULL(1))
		until = DatumGetTimestampTz(DirectFunctionCall2(timestamptz_pl_interval,
														TimestampTzGetDatum(GetCurrentTimestamp()),
														PG_GETARG_DATUM(1)));
	require_committed(id);
	for (;;)
	{
		MemoryContext old = MemoryContextSwitchTo(poll);
		Run		   *run;

		MemoryContextReset(poll);
		run = run_require(id);
		MemoryContextSwitchTo(old);

		if (run->state == RUN_DONE)
			PG_RETURN_INT32(run->version);
		if (run->state != RUN_STARTING && run->state != RUN_RUNNING)
			raise_as_run(run);
		if (GetCurrentTimestamp() >= until)
			PG_RETURN_NULL();
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, POLL_MS,
						 PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
}

static void
set_number(Datum *values, bool *nulls, int at, double value)
{
	values[at] = Float8GetDatum(value);
	nulls[at] = isnan(value);
}

static void
put_training(ReturnSetInfo *rsinfo, const Training *training)
{
	Datum		values[17];
	bool		nulls[17] = {false};
	bool		has_batch = training->batches > 0;

	values[0] = Int64GetDatum(training->run);
	nulls[0] = training->run == 0;
	values[1] = Int32GetDatum(training->pid);
	values[2] = ObjectIdGetDatum(training->role);
	values[3] = CStringGetTextDatum(training->model);
	values[4] = CStringGetTextDatum(training->source);
	values[5] = TimestampTzGetDatum(training->started);
	values[6] = CStringGetTextDatum(training->phase);
	values[7] = Int32GetDatum(training->epoch);
	values[8] = Int32GetDatum(training->epochs);
	values[9] = Int64GetDatum((int64) training->batch);
	values[10] = Int64GetDatum((int64) training->batches);
	nulls[7] = nulls[9] = nulls[10] = !has_batch;
	set_number(values, nulls, 11, training->loss);
	set_number(values, nulls, 12, has_batch ? training->rows_per_second : NAN);
	set_number(values, nulls, 13, training->auc);
	set_number(values, nulls, 14, training->domain_auc);
	set_number(values, nulls, 15, training->log_loss);
	values[16] = TimestampTzGetDatum(training->end);
	nulls[16] = training->end == 0;
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

PG_FUNCTION_INFO_V1(aread_run_state);
/*
 * aread.run_state(run_id): what became of a run that is said to be at work; NULL
 * for those of roles whose rights the caller lacks, as if there were none.
 */
Datum
aread_run_state(PG_FUNCTION_ARGS)
{
	const Run  *run = run_find(PG_GETARG_INT64(0));

	if (!run || !run_is_known(run))
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(run_state_name(run->state)));
}

PG_FUNCTION_INFO_V1(aread_trainings);
/* aread.trainings(): those of this database whose roles' rights the caller has */
Datum
aread_trainings(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	bool		all = has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS);
	Training	training;

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; progress_training(i, &training); i++)
		if (training.pid != 0 && training.database == MyDatabaseId &&
			(all || has_privs_of_role(GetUserId(), training.role)))
			put_training(rsinfo, &training);
	return (Datum) 0;
}
