/*
 * aread.c
 *	  Module load.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/guc.h"

#include "serve/batch_plan.h"
#include "serve/batch_scan.h"
#include "serve/preload.h"
#include "settings.h"
#include "jobs/launcher.h"

PG_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);

void
_PG_init(void)
{
	serve_define_settings();
	batch_scan_init();
	batch_plan_init();
	preload_register();
	launcher_register();
	MarkGUCPrefixReserved("aread");
}
