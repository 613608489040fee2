/*
 * launcher.c
 *	  A process that resumes runs after the server has started.
 *
 * It begins when recovery is over, so never on a standby, and starts a worker
 * for each ticket (ticket.h).  Then it sleeps: after a crash the server starts
 * anew only what was still there.  It is in no database, and sees only which
 * databases and roles there are; all else the workers check (worker.c).
 *
 * A run that brings down the server would do so after each restart: it is
 * resumed a few times and no more.
 */
#include "postgres.h"

#include "jobs/launcher.h"

#include "access/xact.h"
#include "jobs/ticket.h"
#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/wait_event.h"

#define RETRY_SECONDS 10
#define MAX_RESUMES 5

extern PGDLLEXPORT void aread_launcher_main(Datum argument);

/* Sessions have it from the postmaster. */
static bool registered = false;

void
launcher_register(void)
{
	BackgroundWorker worker = {
		.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION,
		.bgw_start_time = BgWorkerStart_RecoveryFinished,
		.bgw_restart_time = RETRY_SECONDS
	};

	if (!process_shared_preload_libraries_in_progress)
		return;
	snprintf(worker.bgw_name, BGW_MAXLEN, "aread launcher");
	snprintf(worker.bgw_type, BGW_MAXLEN, "aread launcher");
	strlcpy(worker.bgw_library_name, "aread", sizeof(worker.bgw_library_name));
	strlcpy(worker.bgw_function_name, "aread_launcher_main", BGW_MAXLEN);
	RegisterBackgroundWorker(&worker);
	registered = true;
}

bool
launcher_is_there(void)
{
	return registered;
}

/* Why a run is not to be resumed; NULL: it is. */
static const char *
refusal(const WorkerStart *start)
{
	if (!SearchSysCacheExists1(DATABASEOID, ObjectIdGetDatum(start->database)))
		return "Its database does not exist any more.";
	if (!SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(start->role)) ||
		!SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(start->session_user)))
		return "The role that started it does not exist any more.";
	if (start->resumes >= MAX_RESUMES)
		return "It has been resumed as often as it may, and was interrupted again.";
	return NULL;
}

static bool
is_refused(const WorkerStart *start)
{
	const char *why;

	StartTransactionCommand();
	why = refusal(start);
	if (why)
	{
		ereport(LOG,
				(errmsg("run " INT64_FORMAT " of database with OID %u is not resumed", start->run,
						start->database),
				 errdetail("%s", why),
				 errhint("Where it is there, go on with aread_resume.")));
		ticket_remove(start->database, start->run);
	}
	CommitTransactionCommand();
	return why != NULL;
}

/* Is there nothing more to do for a ticket?  Else no worker was free. */
static bool
is_settled(const char *name)
{
	WorkerStart start;

	if (!ticket_read(name, &start) || is_refused(&start))
		return true;
	start.resumes++;
	return worker_resume(&start);
}

/* Those that are left; all else that is allocated goes. */
static List *
resume_all(List *names, MemoryContext scratch)
{
	ListCell   *cell;

	foreach(cell, names)
	{
		MemoryContextSwitchTo(scratch);
		if (is_settled(lfirst(cell)))
			names = foreach_delete_current(names, cell);
		MemoryContextReset(scratch);
	}
	return names;
}

void
aread_launcher_main(Datum argument)
{
	MemoryContext scratch;
	List	   *names;

	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(NULL, NULL, 0);
	MemoryContextSwitchTo(TopMemoryContext);
	scratch = AllocSetContextCreate(TopMemoryContext, "aread launcher", ALLOCSET_SMALL_SIZES);
	names = ticket_names();
	while (!ShutdownRequestPending)
	{
		names = resume_all(names, scratch);
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_EXIT_ON_PM_DEATH | (names ? WL_TIMEOUT : 0),
						 RETRY_SECONDS * 1000L, PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
	/* unless the server ends, too, another one is to come */
	proc_exit(1);
}
