/*
 * worker.c
 *	  A background worker that trains one run.
 *
 * Reading is one transaction, storing is another; training is done between
 * them, in none, so that it holds back no vacuum.  What it has to keep until
 * then are short transactions of their own: progress and checkpoints.
 *
 * As whom it trains comes from the server, and whether the run's row is what
 * that role started is checked before any of it is used: see launch.h.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/model_source.h"
#include "commands/dbcommands.h"
#include "host.h"
#include "jobs/job.h"
#include "jobs/launch.h"
#include "jobs/locks.h"
#include "jobs/report.h"
#include "jobs/ticket.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "settings.h"
#include "source/read/relation.h"
#include "storage/ipc.h"
#include "storage/lmgr.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

extern PGDLLEXPORT void aread_run_main(Datum argument);

/* Who has a session may have come to it by SET SESSION AUTHORIZATION. */
#ifdef BGWORKER_BYPASS_ROLELOGINCHECK
#define CONNECT_FLAGS BGWORKER_BYPASS_ROLELOGINCHECK
#else
#define CONNECT_FLAGS 0
#endif
/* What is kept of the messages of a run's attempt. */
#define MAX_MESSAGES (64 * 1024)

typedef struct Worker
{
	WorkerStart start;
	MemoryContext context;		/* of the whole run */
	Run		   *run;
	char	   *label;			/* what the log calls it */
	TrainJob	job;
	CheckpointStore checkpoints;
	Reporter	reporter;
	uint32		fingerprint;
	double		last_progress;
	double		last_checkpoint;
} Worker;

/* Hooks and signal handlers have no argument to find them by. */
static StringInfo messages = NULL;	/* not written yet */
static int	kept = 0;			/* bytes of messages so far */
static emit_log_hook_type next_hook = NULL;
static volatile sig_atomic_t cancelled = false;

static void
handle_cancel(SIGNAL_ARGS)
{
	cancelled = true;
	StatementCancelHandler(postgres_signal_arg);
}

static void
append_message(const char *label, const char *message)
{
	if (message)
		appendStringInfo(messages, "%s:  %s\n", label, run_clip(message));
}

/* NOTICEs and WARNINGs have no client to go to: they are kept with the run. */
static void
keep_message(ErrorData *error)
{
	int			before = messages->len;

	if (next_hook)
		next_hook(error);
	if (error->elevel < NOTICE || error->elevel >= ERROR)
		return;
	if (kept < MAX_MESSAGES)
	{
		append_message(error->elevel == NOTICE ? "NOTICE" : "WARNING", error->message);
		append_message("DETAIL", error->detail);
		append_message("HINT", error->hint);
		kept += messages->len - before;
		if (kept >= MAX_MESSAGES)
			appendStringInfoString(messages, "WARNING:  more messages are not kept\n");
	}
	if (error->elevel == NOTICE)
		error->output_to_server = false;
}

/* To whatever the server logs of it. */
static void
tell_run(void *context)
{
	errcontext("%s", ((const Worker *) context)->label);
}

/*
 * A transaction as the role that started the run, who cannot become another one
 * in it, as the session's user, a superuser maybe, could.
 */
static void
begin(const Worker *worker)
{
	host_leave_dead_server();
	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	SetUserIdAndSecContext(worker->start.role, SECURITY_LOCAL_USERID_CHANGE);
	PushActiveSnapshot(GetTransactionSnapshot());
	MemoryContextSwitchTo(TopTransactionContext);
}

static void
commit(const Worker *worker)
{
	PopActiveSnapshot();
	/* what the source's functions put off until now runs as the role, too */
	CommitTransactionCommand();
	SetUserIdAndSecContext(GetSessionUserId(), 0);
	/* autovacuum is to know of what checkpoints leave behind */
	pgstat_report_stat(true);
	MemoryContextSwitchTo(worker->context);
}

static void
take_locks(const Worker *worker)
{
	begin(worker);
	worker_lock(worker->start.run, worker->start.role, true);
	commit(worker);
}

/* What the log is to call the run, once its row is known; of a row that others changed, too. */
static void
name_run(Worker *worker)
{
	const char *role = GetUserNameFromId(worker->start.role, true);
	MemoryContext old = MemoryContextSwitchTo(worker->context);

	worker->label = psprintf("run " INT64_FORMAT " of model \"%s\" (role \"%s\", database \"%s\")",
							 worker->run->id, worker->run->model, role ? role : "",
							 get_database_name(MyDatabaseId));
	MemoryContextSwitchTo(old);
}

/* The run that this worker is for; NULL: who started it has not committed. */
static Run *
find_run(const Worker *worker)
{
	Run		   *run;

	begin(worker);
	MemoryContextSwitchTo(worker->context);
	run = run_read(worker->start.run);
	commit(worker);
	return run && run->pid == MyProcPid && run->state == RUN_STARTING ? run : NULL;
}

static void
await_commit(const Worker *worker)
{
	take_locks(worker);
	begin(worker);
	XactLockTableWait(worker->start.transaction, NULL, NULL, XLTW_None);
	commit(worker);
}

/* False where somebody else has resumed the run, or its role has as many as it may. */
static bool
is_wanted(const Worker *worker)
{
	if (run_is_at_work(worker->start.run))
		return false;
	if (!role_is_at_limit(worker->start.role))
	{
		/* whoever resumes it at this moment has the lock until that run is at work */
		if (!run_is_at_work(worker->start.run))
			return true;
		role_unlock_starts(worker->start.role);
		return false;
	}
	ereport(LOG,
			(errmsg("run " INT64_FORMAT " is not resumed: role \"%s\" has as many background trainings as it may",
					worker->start.run, GetUserNameFromId(worker->start.role, false)),
			 errdetail("Setting aread.max_runs_per_role is %d.", setting_max_runs_per_role),
			 errhint("Go on with aread_resume, or after the next restart.")));
	return false;
}

/*
 * After a restart: a run that has not ended becomes this worker's, if its row
 * is what was allowed.  The row is left as it is otherwise.
 */
static bool
take_over(const Worker *worker)
{
	const WorkerStart *start = &worker->start;
	bool		taken = false;
	bool		wanted;
	Run		   *run;

	begin(worker);
	wanted = is_wanted(worker);
	if (wanted)
	{
		worker_lock(start->run, start->role, true);
		role_unlock_starts(start->role);
		run = run_read(start->run);
		if (run)
			worker_check_start(start, run);
		taken = run && run_take_over(start->run);
		if (!taken)
			ticket_remove(start->database, start->run);
	}
	commit(worker);
	return taken;
}

/* Is there a run to train, and is it this worker's? */
static bool
have_run(Worker *worker)
{
	if (worker->start.resumes == 0)
		await_commit(worker);
	else if (!take_over(worker))
		return false;
	worker->run = find_run(worker);
	return worker->run != NULL;
}

/* The settings of the session that started the run, as far as they matter here. */
static void
apply_settings(const Worker *worker)
{
	if (worker->run->settings)
		ProcessGUCArray(worker->run->settings, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SET);
}

/* Within a transaction. */
static void
put_progress(const Worker *worker)
{
	run_progress(worker->run->id, &worker->job.progress.training, messages->data);
}

static void
write_progress(Worker *worker)
{
	begin(worker);
	put_progress(worker);
	commit(worker);
	resetStringInfo(messages);
	worker->last_progress = host_seconds();
}

static void
observe_progress(void *context, const TrainProgress *progress)
{
	Worker	   *worker = context;

	/* the start tells of it while threads are at work: no place for errors */
	if (progress->phase != PHASE_START &&
		host_seconds() - worker->last_progress >= REPORT_SECONDS)
		write_progress(worker);
}

static void
observe_evaluation(void *context, const Evaluation *evaluation)
{
	Worker	   *worker = context;

	report_evaluation(&worker->reporter, evaluation);
}

static void
observe_race(void *context, const RaceRecord *race)
{
	Worker	   *worker = context;

	report_race(&worker->reporter, race);
}

static bool
checkpoint_due(void *context)
{
	const Worker *worker = context;

	return setting_checkpoint_interval >= 0 &&
		host_seconds() - worker->last_checkpoint >= setting_checkpoint_interval / 1000.0;
}

static bool
save_checkpoint(void *context, const CheckpointPart *parts, int n, EngineError *error)
{
	Worker	   *worker = context;

	begin(worker);
	put_progress(worker);
	run_save_checkpoint(worker->run->id, worker->fingerprint, parts, n);
	commit(worker);
	resetStringInfo(messages);
	worker->last_checkpoint = host_seconds();
	return true;
}

static bool
load_checkpoint(void *context, const CheckpointPart *part, EngineError *error)
{
	Worker	   *worker = context;

	begin(worker);
	run_load_checkpoint(worker->run->id, part);
	commit(worker);
	return true;
}

static void
prepare_job(Worker *worker)
{
	TrainJob   *job = &worker->job;
	Run		   *run = worker->run;

	job->new.name = run->model;
	job->new.name_given = run->name_given;
	job->new.roles = run->roles;
	job->new.options = run->options;
	job->run = run->id;
	job->observer = (TrainObserver) {observe_progress, observe_evaluation, worker, observe_race};
	job->checkpoints = &worker->checkpoints;
	worker->checkpoints = (CheckpointStore) {checkpoint_due, save_checkpoint, load_checkpoint,
		run->has_checkpoint, worker};
	job_prepare(job);
	report_start(&worker->reporter, &job->config);
}

/* In the transaction that reads it; what is known of it lasts. */
static void
open_source(const Worker *worker)
{
	MemoryContext old = MemoryContextSwitchTo(worker->context);

	worker->run->roles->relation = source_open(worker->run->source);
	MemoryContextSwitchTo(old);
}

/* A function of the source may give up the session's locks, but not the transaction's. */
static void
read_source(Worker *worker)
{
	begin(worker);
	worker_lock(worker->start.run, worker->start.role, false);
	open_source(worker);
	model_source_check(&worker->job.new, false);
	job_read(&worker->job, worker->context, true);
	commit(worker);
	take_locks(worker);
}

/* A checkpoint goes on with the same rows, or not at all. */
static void
check_fingerprint(Worker *worker)
{
	worker->fingerprint = job_fingerprint(&worker->job);
	if (!worker->run->has_checkpoint)
		return;
	run_check_software(worker->run);
	if (worker->run->fingerprint == worker->fingerprint)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("the rows of %s have changed since run " INT64_FORMAT " was interrupted",
					worker->run->source_name, worker->run->id),
			 errdetail("Its checkpoint is of other rows."),
			 errhint("Start anew with aread_train_start.")));
}

static void
train_run(Worker *worker)
{
	int32		version;

	if (!have_run(worker))
		return;
	begin(worker);
	MemoryContextSwitchTo(worker->context);
	name_run(worker);
	worker_check_start(&worker->start, worker->run);
	apply_settings(worker);
	run_started(worker->run->id);
	prepare_job(worker);
	if (worker->job.options.resume == RESUME_AUTO)
		ticket_write(&worker->start);
	commit(worker);
	read_source(worker);
	check_fingerprint(worker);
	write_progress(worker);
	worker->last_checkpoint = host_seconds();
	job_train(&worker->job);
	begin(worker);
	version = job_store(&worker->job);
	/* with what storing has told */
	put_progress(worker);
	run_done(worker->run->id, version);
	commit(worker);
	ticket_remove(worker->start.database, worker->start.run);
	ereport(LOG, (errmsg("%s is done: version %d", worker->label, version)));
}

/* One line of the log that says which run has failed, and why. */
static void
log_failure(const Worker *worker, const ErrorData *error)
{
	ErrorData	named = *error;

	named.message = psprintf("%s failed: %s", worker->label, error->message);
	PG_TRY();
	{
		ThrowErrorData(&named);
	}
	PG_CATCH();
	{
		EmitErrorReport();
		FlushErrorState();
	}
	PG_END_TRY();
}

/* In a PG_CATCH: the run's row says what happened. */
static void
record_error(Worker *worker)
{
	ErrorData  *error;

	MemoryContextSwitchTo(worker->context);
	error = CopyErrorData();
	FlushErrorState();
	log_failure(worker, error);
	HOLD_INTERRUPTS();
	AbortCurrentTransaction();
	ticket_remove(worker->start.database, worker->start.run);
	if (!worker->run)
		worker->run = find_run(worker);
	if (!worker->run)
		return;
	begin(worker);
	put_progress(worker);
	run_failed(worker->run->id, cancelled && error->sqlerrcode == ERRCODE_QUERY_CANCELED ?
			   RUN_CANCELLED : RUN_FAILED, error);
	commit(worker);
	RESUME_INTERRUPTS();
}

/* Defaults of the database or the role must not end a run, or keep it from being recorded. */
static void
set_defaults(void)
{
	static const char *const settings[][2] = {
		{"lock_timeout", "0"}, {"default_transaction_read_only", "off"},
		{"default_transaction_isolation", "read committed"}, {"log_min_messages", "notice"},
#if PG_VERSION_NUM >= 170000
		{"transaction_timeout", "0"},
#endif
	};

	for (int i = 0; i < lengthof(settings); i++)
		SetConfigOption(settings[i][0], settings[i][1], PGC_SUSET, PGC_S_OVERRIDE);
}

/* A session may still have the library of an earlier version, which tells less. */
static void
check_told(const WorkerStart *start)
{
	if (!OidIsValid(start->role))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("run " INT64_FORMAT " was started by an earlier version of the library",
						start->run),
				 errhint("Start it from a new session.")));
}

static void
start_worker(Worker *worker)
{
	char		activity[64];
	char		name[NAMEDATALEN];

	worker->context = AllocSetContextCreate(TopMemoryContext, "aread training",
											ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(worker->context);
	memcpy(&worker->start, MyBgworkerEntry->bgw_extra, sizeof(worker->start));
	pqsignal(SIGTERM, die);
	pqsignal(SIGINT, handle_cancel);
	BackgroundWorkerUnblockSignals();
	check_told(&worker->start);
	BackgroundWorkerInitializeConnectionByOid(worker->start.database,
											  worker->start.session_user, CONNECT_FLAGS);
	snprintf(activity, sizeof(activity), "aread training, run " INT64_FORMAT,
			 worker->start.run);
	pgstat_report_activity(STATE_RUNNING, activity);
	snprintf(name, sizeof(name), "aread run " INT64_FORMAT, worker->start.run);
	SetConfigOption("application_name", name, PGC_USERSET, PGC_S_OVERRIDE);
	worker->label = pstrdup(MyBgworkerEntry->bgw_name);
	set_defaults();
	messages = makeStringInfo();
	next_hook = emit_log_hook;
	emit_log_hook = keep_message;
}

void
aread_run_main(Datum argument)
{
	static Worker worker;
	ErrorContextCallback callback = {.callback = tell_run,.arg = &worker};

	start_worker(&worker);
	PG_TRY();
	{
		callback.previous = error_context_stack;
		error_context_stack = &callback;
		train_run(&worker);
		error_context_stack = callback.previous;
	}
	PG_CATCH();
	{
		record_error(&worker);
	}
	PG_END_TRY();
	proc_exit(0);
}
