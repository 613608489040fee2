/*
 * corrupt.h
 *	  The error about something stored that is not as it was written.
 */
#ifndef AREAD_CORRUPT_H
#define AREAD_CORRUPT_H

#include "compat.h"

/* Raise ERRCODE_DATA_CORRUPTED about a stored thing; "detail" is a sentence. */
pg_noreturn extern void stored_corrupt(const char *what, const char *detail);

#endif							/* AREAD_CORRUPT_H */
