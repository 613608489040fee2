/*
 * aread.c
 *	  Module load.
 */
#include "postgres.h"

#include <pthread.h>
#include <signal.h>

#include "fmgr.h"
#include "utils/guc.h"

#include "serve/batch_scan.h"
#include "serve/preload.h"
#include "serve/settings.h"

PG_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);

/* OpenBLAS builds without a thread pool lack these. */
extern int	blas_thread_shutdown_(void) __attribute__((weak));
extern void openblas_set_num_threads(int num_threads) __attribute__((weak));

/*
 * OpenBLAS starts a thread for each core when it is loaded.  A signal meant
 * for the backend could land on one of them and run PostgreSQL's handlers
 * there, so the pool is shut down; whatever threads come to be while we do so
 * have all signals blocked.
 */
static void
quiet_blas(void)
{
	sigset_t	all;
	sigset_t	saved;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &saved);
	if (blas_thread_shutdown_)
		blas_thread_shutdown_();
	if (openblas_set_num_threads)
		openblas_set_num_threads(1);
	pthread_sigmask(SIG_SETMASK, &saved, NULL);
}

void
_PG_init(void)
{
	quiet_blas();
	serve_define_settings();
	batch_scan_init();
	batch_plan_init();
	preload_register();
	MarkGUCPrefixReserved("aread");
}
