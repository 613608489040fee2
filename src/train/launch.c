/*
 * launch.c
 *	  Starting a background worker for a run.
 */
#include "postgres.h"

#include "train/launch.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "storage/latch.h"
#include "train/runs.h"
#include "utils/wait_event.h"

#define POLL_MS 5

static BackgroundWorkerHandle *
register_worker(const WorkerStart *start)
{
	BackgroundWorkerHandle *handle;
	BackgroundWorker worker = {
		.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION,
		.bgw_start_time = BgWorkerStart_RecoveryFinished,
		.bgw_restart_time = BGW_NEVER_RESTART,
		.bgw_notify_pid = MyProcPid
	};

	StaticAssertStmt(sizeof(*start) <= BGW_EXTRALEN, "start of a worker does not fit");
	snprintf(worker.bgw_name, BGW_MAXLEN, "aread run " INT64_FORMAT, start->run);
	snprintf(worker.bgw_type, BGW_MAXLEN, "aread training");
	strlcpy(worker.bgw_library_name, "aread", sizeof(worker.bgw_library_name));
	strlcpy(worker.bgw_function_name, "aread_run_main", BGW_MAXLEN);
	memcpy(worker.bgw_extra, start, sizeof(*start));
	if (!RegisterDynamicBackgroundWorker(&worker, &handle))
		ereport(ERROR,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("no background worker is free for the training"),
				 errhint("Wait for another one to end, or raise max_worker_processes.")));
	return handle;
}

static void
not_started(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("the background worker of the training did not start"),
			 errhint("The server's log says why.")));
}

int
worker_start(int64 run)
{
	WorkerStart start = {
		.run = run,.database = MyDatabaseId,.session_user = GetSessionUserId(),
		.transaction = GetTopTransactionId()
	};
	BackgroundWorkerHandle *handle = register_worker(&start);
	pid_t		pid;

	if (WaitForBackgroundWorkerStartup(handle, &pid) != BGWH_STARTED)
		not_started();
	/* once it has its lock, a run without one is a run whose worker is gone */
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
