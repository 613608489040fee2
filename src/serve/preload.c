/*
 * preload.c
 *	  Models that the server loads into shared memory when it starts.
 *
 * A worker can connect to one database: each that is named gets one, which
 * loads its models one after the other and ends.  What fails is logged.
 */
#include "postgres.h"

#include "serve/preload.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "serve/cache.h"
#include "settings.h"
#include "tcop/tcopprot.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/varlena.h"

extern PGDLLEXPORT void aread_preload_main(Datum argument);

/* "database.model" */
typedef struct NamedModel
{
	char	   *database;
	char	   *model;
} NamedModel;

/* Models of the setting, in its order; what is no such name is logged if "tell" says so. */
static List *
named_models(bool tell)
{
	List	   *elements;
	List	   *models = NIL;
	ListCell   *lc;

	if (!setting_preload_models || !SplitGUCList(pstrdup(setting_preload_models), ',', &elements))
	{
		if (setting_preload_models && tell)
			ereport(LOG, (errmsg("invalid list in setting \"aread.preload_models\"")));
		return NIL;
	}
	foreach(lc, elements)
	{
		char	   *element = lfirst(lc);
		char	   *dot = strchr(element, '.');
		NamedModel *named;

		if (!dot || dot == element || dot[1] == '\0')
		{
			if (tell)
				ereport(LOG,
						(errmsg("\"%s\" in setting \"aread.preload_models\" is not database.model",
								element)));
			continue;
		}
		named = palloc(sizeof(NamedModel));
		named->database = pnstrdup(element, dot - element);
		named->model = dot + 1;
		models = lappend(models, named);
	}
	return models;
}

/* Is it the first one of its database? */
static bool
is_first(List *models, const NamedModel *named)
{
	ListCell   *lc;

	foreach(lc, models)
		if (strcmp(((NamedModel *) lfirst(lc))->database, named->database) == 0)
			return lfirst(lc) == named;
	return false;
}

void
preload_register(void)
{
	List	   *models;
	ListCell   *lc;

	if (!process_shared_preload_libraries_in_progress)
		return;
	models = named_models(true);
	foreach(lc, models)
	{
		NamedModel *named = lfirst(lc);
		BackgroundWorker worker = {
			.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION,
			.bgw_start_time = BgWorkerStart_ConsistentState,
			.bgw_restart_time = BGW_NEVER_RESTART,
			.bgw_main_arg = Int32GetDatum(foreach_current_index(lc))
		};

		if (!is_first(models, named))
			continue;
		snprintf(worker.bgw_name, BGW_MAXLEN, "aread preload of %s", named->database);
		snprintf(worker.bgw_type, BGW_MAXLEN, "aread preload");
		strlcpy(worker.bgw_library_name, "aread", sizeof(worker.bgw_library_name));
		strlcpy(worker.bgw_function_name, "aread_preload_main", BGW_MAXLEN);
		RegisterBackgroundWorker(&worker);
	}
}

static void
preload(const char *model)
{
	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	PG_TRY();
	{
		PushActiveSnapshot(GetTransactionSnapshot());
		cache_find(model, strlen(model), RIGHT_TO_PREDICT);
		PopActiveSnapshot();
		CommitTransactionCommand();
	}
	PG_CATCH();
	{
		HOLD_INTERRUPTS();
		EmitErrorReport();
		FlushErrorState();
		AbortCurrentTransaction();
		RESUME_INTERRUPTS();
	}
	PG_END_TRY();
}

/* The worker: models of the database of the setting's element number "argument". */
void
aread_preload_main(Datum argument)
{
	List	   *models;
	NamedModel *first;
	ListCell   *lc;

	MemoryContextSwitchTo(TopMemoryContext);
	models = named_models(false);
	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	/* the list was longer when the server started */
	if (DatumGetInt32(argument) >= list_length(models))
		return;
	first = list_nth(models, DatumGetInt32(argument));
	BackgroundWorkerInitializeConnection(first->database, NULL, 0);
	foreach(lc, models)
	{
		NamedModel *named = lfirst(lc);

		if (strcmp(named->database, first->database) == 0)
			preload(named->model);
	}
}
