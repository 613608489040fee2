/*
 * arguments.h
 *	  Arguments of a catalog statement, collected one by one, or a row to insert,
 *	  column by column.
 */
#ifndef AREAD_CATALOG_ARGUMENTS_H
#define AREAD_CATALOG_ARGUMENTS_H

#include "postgres.h"

#define MAX_PARAMETERS 48

/* {0}: none yet */
typedef struct Arguments
{
	int			n;
	Oid			types[MAX_PARAMETERS];
	Datum		values[MAX_PARAMETERS];
	char		nulls[MAX_PARAMETERS];
	const char *columns[MAX_PARAMETERS];	/* of insert_row() alone */
} Arguments;

/* The next argument is that column of a row to insert; returns the arguments. */
extern Arguments *column(Arguments *arguments, const char *name);

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
/* NULL: unknown. */
extern void add_uint64_array(Arguments *arguments, const uint64 *values, int n);

/* catalog_query() of a statement that may write. */
extern uint64 run_statement(const char *sql, Arguments *arguments);
/*
 * Insert a row of named columns into a table of the catalog; other columns get
 * their defaults.  "returning" (NULL: nothing) is a column of the row, then in
 * SPI_tuptable.
 */
extern void insert_row(const char *table, Arguments *row, const char *returning);

#endif							/* AREAD_CATALOG_ARGUMENTS_H */
