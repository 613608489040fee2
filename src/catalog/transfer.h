/*
 * transfer.h
 *	  A model version as one value, to move it between databases.
 */
#ifndef AREAD_CATALOG_TRANSFER_H
#define AREAD_CATALOG_TRANSFER_H

#include "postgres.h"

/*
 * The version that a name means; its owner's only.  Raises an error if it does
 * not fit into one value (1 GB).
 */
extern bytea *catalog_export(const char *name);
/*
 * A new version of a model (name NULL: called as it was), deployed or not, out
 * of an exported value; its number.  Every byte is checked; raises ERRCODE_DATA_CORRUPTED, and the
 * errors of lock_model().
 */
extern int32 catalog_import(const bytea *exported, const char *name, bool deploy);

#endif							/* AREAD_CATALOG_TRANSFER_H */
