/*
 * corrupt.c
 *	  The error about something stored that is not as it was written.
 */
#include "postgres.h"

#include "corrupt.h"

void
stored_corrupt(const char *what, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("stored %s is corrupt", what),
			 errdetail("%s", detail),
			 errhint("Restore the model from a backup, or train it again.")));
}
