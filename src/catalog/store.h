/*
 * store.h
 *	  A trained model into the catalog.
 */
#ifndef AREAD_CATALOG_STORE_H
#define AREAD_CATALOG_STORE_H

#include "catalog/deploy.h"

/*
 * Write a new version, and deploy it or not; returns its number.  The reason
 * lies in the current memory context.
 */
extern int32 catalog_store(const NewModel *model, DeployDecision *decision);

#endif							/* AREAD_CATALOG_STORE_H */
