/*
 * access.h
 *	  SQL on the catalog's tables, as the extension's owner.
 */
#ifndef AREAD_CATALOG_ACCESS_H
#define AREAD_CATALOG_ACCESS_H

#include "postgres.h"
#include "executor/spi.h"

typedef struct CatalogAccess
{
	Oid			user;
	int			security_context;
	int			guc_level;
} CatalogAccess;

/*
 * From here to catalog_leave() statements run as the extension's owner, with a
 * search_path of pg_catalog alone, under SPI.  An error undoes all of it.
 */
extern void catalog_enter(CatalogAccess *access);
extern void catalog_leave(CatalogAccess *access);

/*
 * Run a schema-qualified statement.  Reads see the active snapshot.  Returns
 * the number of rows; they are in SPI_tuptable.
 */
extern uint64 catalog_query(const char *sql, bool read_only, int n, Oid *types, Datum *values,
							const char *nulls);
/* Read by the one parameter that most statements have: a bigint, such as the id of a version. */
extern uint64 catalog_query_id(const char *sql, int64 id);

/*
 * The same of what is committed at this moment, whatever the transaction's
 * snapshot is; for reads that decide about writes.
 */
extern uint64 catalog_query_now(const char *sql, int n, Oid *types, Datum *values);

/* A column of row "row" of SPI_tuptable; NULL columns raise an error unless isnull is given. */
extern Datum catalog_value(uint64 row, int column, bool *isnull);
/* A text column of the first row, in a memory context; NULL is NULL. */
extern char *catalog_text(int column, MemoryContext context);

#endif							/* AREAD_CATALOG_ACCESS_H */
