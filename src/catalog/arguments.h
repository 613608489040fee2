/*
 * arguments.h
 *	  Arguments of a catalog statement, collected one by one.
 */
#ifndef AREAD_CATALOG_ARGUMENTS_H
#define AREAD_CATALOG_ARGUMENTS_H

#include "postgres.h"

#define MAX_PARAMETERS 40

/* {0}: none yet */
typedef struct Arguments
{
	int			n;
	Oid			types[MAX_PARAMETERS];
	Datum		values[MAX_PARAMETERS];
	char		nulls[MAX_PARAMETERS];
} Arguments;

extern void add_argument(Arguments *arguments, Oid type, Datum value, bool isnull);
extern void add_int8(Arguments *arguments, int64 value);
extern void add_int4(Arguments *arguments, int32 value);
extern void add_bool(Arguments *arguments, bool value);
extern void add_oid(Arguments *arguments, Oid value);
/* NULL is NULL. */
extern void add_text(Arguments *arguments, const char *value);
/* An undefined number is NaN in the engine and NULL in the catalog. */
extern void add_float8(Arguments *arguments, double value);
extern void add_float8_array(Arguments *arguments, const double *values, int n);

/* catalog_query() of a statement that may write. */
extern uint64 run_statement(const char *sql, Arguments *arguments);

#endif							/* AREAD_CATALOG_ARGUMENTS_H */
