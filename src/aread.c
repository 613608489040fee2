/*
 * aread.c
 *	  What every process does that loads the library: settings, hooks and nodes.
 *
 * Where the server loads it at its start (shared_preload_libraries), shared
 * memory is asked for and background workers are registered, too; at other times
 * the calls for these do nothing.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/guc.h"

#include "jobs/launcher.h"
#include "jobs/progress.h"
#include "serve/batch_plan.h"
#include "serve/batch_scan.h"
#include "serve/preload.h"
#include "serve/shared.h"
#include "settings.h"

PG_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);

void
_PG_init(void)
{
	settings_define();
	batch_scan_init();
	batch_plan_init();
	shared_request();
	progress_request();
	preload_register();
	launcher_register();
	MarkGUCPrefixReserved("aread");
}
