/*
 * needed.h
 *	  The columns that a model needs, without loading it.
 */
#ifndef AREAD_CATALOG_NEEDED_H
#define AREAD_CATALOG_NEEDED_H

#include "postgres.h"
#include "nodes/pg_list.h"

/*
 * Of the version that a name means under the active snapshot, as char *, with
 * or without the domain.  NIL: there is no such version that the user may use.
 */
extern List *catalog_needed(const char *name, bool with_domain);

#endif							/* AREAD_CATALOG_NEEDED_H */
