/*
 * fault.c
 *	  Which point fails, and when.
 */
#include "postgres.h"

#include "fault.h"

#ifdef AREAD_FAULTS

#include <signal.h>
#include <sys/resource.h>

#include "miscadmin.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"

static char *setting = NULL;
static int64 left = 0;			/* times until it fails */

/* As often from now on as the number says. */
static void
assign_setting(const char *value, void *extra)
{
	const char *number = value ? strchr(value, ':') : NULL;

	left = number ? atoll(number + 1) : 0;
}

bool
fault_hit(const char *point)
{
	size_t		length = strlen(point);

	if (left <= 0 || strncmp(setting, point, length) != 0 || setting[length] != ':')
		return false;
	if (--left > 0)
		return false;
	if (strstr(setting, ":kill"))
		kill(MyProcPid, SIGKILL);
	return true;
}

void
fault_threads(const char *point)
{
	struct rlimit none = {1, 1};

	if (fault_hit(point) && setrlimit(RLIMIT_NPROC, &none) != 0)
		elog(ERROR, "could not limit threads: %m");
}

void
fault_wait(const char *point)
{
	if (fault_hit(point))
		DirectFunctionCall1(pg_sleep, Float8GetDatum(1));
}

void
fault_define_setting(void)
{
	DefineCustomStringVariable("aread.fault",
							   "A point of the code that is to fail, and when.",
							   "point:n, or point:n:kill. In test builds only.",
							   &setting, "", PGC_SUSET, 0, NULL, assign_setting, NULL);
}

#endif
