/*
 * arguments.c
 *	  Arguments of a catalog statement.
 */
#include "postgres.h"

#include "catalog/arguments.h"

#include <math.h>

#include "catalog/access.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"

void
add_argument(Arguments *arguments, Oid type, Datum value, bool isnull)
{
	Assert(arguments->n < MAX_PARAMETERS);
	arguments->types[arguments->n] = type;
	arguments->values[arguments->n] = value;
	arguments->nulls[arguments->n++] = isnull ? 'n' : ' ';
}

Arguments *
column(Arguments *arguments, const char *name)
{
	Assert(arguments->n < MAX_PARAMETERS);
	arguments->columns[arguments->n] = name;
	return arguments;
}

void
add_int8(Arguments *arguments, int64 value)
{
	add_argument(arguments, INT8OID, Int64GetDatum(value), false);
}

void
add_int4(Arguments *arguments, int32 value)
{
	add_argument(arguments, INT4OID, Int32GetDatum(value), false);
}

void
add_bool(Arguments *arguments, bool value)
{
	add_argument(arguments, BOOLOID, BoolGetDatum(value), false);
}

void
add_oid(Arguments *arguments, Oid value)
{
	add_argument(arguments, OIDOID, ObjectIdGetDatum(value), false);
}

void
add_text(Arguments *arguments, const char *value)
{
	add_argument(arguments, TEXTOID, value ? CStringGetTextDatum(value) : (Datum) 0, !value);
}

void
add_float8(Arguments *arguments, double value)
{
	add_argument(arguments, FLOAT8OID, Float8GetDatum(value), isnan(value));
}

void
add_float8_array(Arguments *arguments, const double *values, int n)
{
	Datum	   *elements = palloc(Max(n, 1) * sizeof(Datum));
	bool	   *nulls = palloc(Max(n, 1) * sizeof(bool));
	int			lower = 1;

	for (int i = 0; i < n; i++)
	{
		elements[i] = Float8GetDatum(values[i]);
		nulls[i] = isnan(values[i]);
	}
	add_argument(arguments, FLOAT8ARRAYOID,
				 PointerGetDatum(construct_md_array(elements, nulls, 1, &n, &lower, FLOAT8OID,
													sizeof(float8), FLOAT8PASSBYVAL,
													TYPALIGN_DOUBLE)), false);
}

void
add_uint64_array(Arguments *arguments, const uint64 *values, int n)
{
	Datum	   *elements = palloc(Max(n, 1) * sizeof(Datum));

	for (int i = 0; i < n && values; i++)
		elements[i] = Int64GetDatum((int64) values[i]);
	add_argument(arguments, INT8ARRAYOID, !values ? (Datum) 0 :
				 PointerGetDatum(construct_array(elements, n, INT8OID, sizeof(int64),
												 FLOAT8PASSBYVAL, TYPALIGN_DOUBLE)), !values);
}

uint64
run_statement(const char *sql, Arguments *arguments)
{
	return catalog_query(sql, false, arguments->n, arguments->types, arguments->values,
						 arguments->nulls);
}

void
insert_row(const char *table, Arguments *row, const char *returning)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql, "INSERT INTO aread.%s (", table);
	for (int i = 0; i < row->n; i++)
		appendStringInfo(&sql, "%s%s", i > 0 ? ", " : "", row->columns[i]);
	appendStringInfoString(&sql, ") VALUES (");
	for (int i = 0; i < row->n; i++)
		appendStringInfo(&sql, "%s$%d", i > 0 ? ", " : "", i + 1);
	appendStringInfoChar(&sql, ')');
	if (returning)
		appendStringInfo(&sql, " RETURNING %s", returning);
	run_statement(sql.data, row);
	pfree(sql.data);
}
