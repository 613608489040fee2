/*
 * launch.c
 *	  Starting a background worker for a run, and what it may do.
 *
 * The starter locks starts of its role, so that two sessions do not both take the
 * last place that the role has.  It counts the role's workers, registers one more,
 * and waits until that has its own locks (locks.h); then it lets the first lock go.
 * The transaction lets go of it after an error.
 *
 * The worker compares the digest that it was started with to that of its row, and
 * asks the server whether the session's user may become the role.
 */
#include "postgres.h"

#include "jobs/launch.h"

#include "access/xact.h"
#include "compat.h"
#include "jobs/locks.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "settings.h"
#include "storage/latch.h"
#include "utils/wait_event.h"

#define POLL_MS 5

/* With its length, so that nothing can move from one part to the next. */
static void
append_part(StringInfo text, const void *bytes, int64 size)
{
	appendBinaryStringInfo(text, (const char *) &size, sizeof(size));
	if (size > 0)
		appendBinaryStringInfo(text, bytes, size);
}

static void
append_name(StringInfo text, const char *name)
{
	append_part(text, name, name ? (int64) strlen(name) : -1);
}

static void
append_value(StringInfo text, const void *value)
{
	append_part(text, value ? VARDATA_ANY(value) : NULL,
				value ? (int64) VARSIZE_ANY_EXHDR(value) : -1);
}

/* SHA-256 of all that a run's row says is to be done. */
static void
digest_run(const Run *run, uint8 *digest)
{
	const ColumnRoles *roles = run->roles;
	StringInfoData text;
	ListCell   *cell;

	initStringInfo(&text);
	append_part(&text, &run->id, sizeof(run->id));
	append_part(&text, &run->role, sizeof(run->role));
	append_part(&text, &run->source, sizeof(run->source));
	append_name(&text, roles->label);
	append_name(&text, roles->domain);
	append_name(&text, roles->user_id);
	append_name(&text, roles->item_id);
	append_name(&text, roles->split);
	append_name(&text, roles->weight);
	append_name(&text, run->model);
	append_part(&text, &run->name_given, sizeof(run->name_given));
	append_value(&text, run->options);
	append_value(&text, run->settings);
	foreach(cell, roles->features)
		append_name(&text, lfirst(cell));
	sha256_of(text.data, text.len, digest);
}

bool
role_is_at_limit(Oid role)
{
	int			limit = setting_max_runs_per_role;

	role_lock_starts(role);
	return limit >= 0 && !superuser_arg(role) && role_workers(role) >= limit;
}

static void
check_limit(Oid role)
{
	if (!role_is_at_limit(role))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
			 errmsg("role \"%s\" has as many background trainings as it may",
					GetUserNameFromId(role, false)),
			 errdetail("Setting aread.max_runs_per_role is %d.", setting_max_runs_per_role),
			 errhint("Wait for one of them to end (aread_wait), or end it: aread_cancel.")));
}

/* False where no worker is free; the handle, where it is wanted, is to be told of its start. */
static bool
register_worker(const WorkerStart *start, BackgroundWorkerHandle **handle)
{
	BackgroundWorker worker = {
		.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION,
		.bgw_start_time = BgWorkerStart_RecoveryFinished,
		.bgw_restart_time = BGW_NEVER_RESTART,
		.bgw_notify_pid = handle ? MyProcPid : 0
	};

	StaticAssertStmt(sizeof(*start) <= BGW_EXTRALEN, "start of a worker does not fit");
	snprintf(worker.bgw_name, BGW_MAXLEN, "aread run " INT64_FORMAT, start->run);
	snprintf(worker.bgw_type, BGW_MAXLEN, "aread training");
	strlcpy(worker.bgw_library_name, "aread", sizeof(worker.bgw_library_name));
	strlcpy(worker.bgw_function_name, "aread_run_main", BGW_MAXLEN);
	memcpy(worker.bgw_extra, start, sizeof(*start));
	return RegisterDynamicBackgroundWorker(&worker, handle);
}

static void
not_started(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("the background worker of the training did not start"),
			 errhint("The server's log says why.")));
}

/* Once it has its locks, a run without them is a run whose worker is gone. */
static pid_t
await_worker(BackgroundWorkerHandle *handle, int64 run)
{
	pid_t		pid;

	if (WaitForBackgroundWorkerStartup(handle, &pid) != BGWH_STARTED)
		not_started();
	while (!run_is_at_work(run))
	{
		if (GetBackgroundWorkerPid(handle, &pid) != BGWH_STARTED)
			not_started();
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, POLL_MS,
						 PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
	return pid;
}

int
worker_start(const Run *run)
{
	WorkerStart start = {
		.run = run->id,.database = MyDatabaseId,.session_user = GetSessionUserId(),
		.transaction = GetTopTransactionId(),.role = GetUserId(),
		.given = InLocalUserIdChange()
	};
	BackgroundWorkerHandle *handle;
	pid_t		pid;

	digest_run(run, start.digest);
	check_limit(start.role);
	if (!register_worker(&start, &handle))
		ereport(ERROR,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("no background worker is free for the training"),
				 errhint("Wait for another one to end, or raise max_worker_processes.")));
	pid = await_worker(handle, run->id);
	role_unlock_starts(start.role);
	return pid;
}

bool
worker_resume(const WorkerStart *start)
{
	return register_worker(start, NULL);
}

void
worker_check_start(const WorkerStart *start, const Run *run)
{
	uint8		digest[PG_SHA256_DIGEST_LENGTH];

	if (!GetUserNameFromId(start->role, true))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("the role that started run " INT64_FORMAT " does not exist any more",
						run->id)));
	digest_run(run, digest);
	if (memcmp(digest, start->digest, sizeof(digest)) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("run " INT64_FORMAT " is not what role \"%s\" started", run->id,
						GetUserNameFromId(start->role, false)),
				 errdetail("Its row in aread.stored_run has been changed by others."),
				 errhint("Start anew with aread_train_start.")));
	if (!start->given)
		check_can_become(start->session_user, start->role);
}
