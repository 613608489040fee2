/*
 * versions.h
 *	  Models as things to keep in order: their versions, names, comments,
 *	  owners and grants.
 *
 * All of these are the owner's; they raise an error for a model that belongs to
 * another role, and but for catalog_drop() for one that does not exist.
 */
#ifndef AREAD_VERSIONS_H
#define AREAD_VERSIONS_H

#include "catalog/model_lock.h"

/* A version scores from now on; returns the one that did (0: none). */
extern int32 catalog_deploy(const char *name, int32 version);
/* The version that scored before the deployed one does again; returns it. */
extern int32 catalog_roll_back(const char *name);
/* Drop a version that is not deployed. */
extern void catalog_drop_version(const char *name, int32 version);
/*
 * Drop the oldest versions until there are so many; the deployed one and the one
 * before it stay.  Between catalog_enter() and catalog_leave().
 */
extern void catalog_keep(const LockedModel *model, int32 versions);
/* Drop a model with all versions; false if there is none. */
extern bool catalog_drop(const char *name);
extern void catalog_rename(const char *name, const char *new_name);
/* On the model, or on the version that the name is pinned to; NULL takes it away. */
extern void catalog_comment(const char *name, const char *comment);
extern void catalog_set_owner(const char *name, Oid owner);
/* USAGE to a role, InvalidOid for PUBLIC; false: it had it already. */
extern bool catalog_grant(const char *name, Oid role);
/* false: it had it not. */
extern bool catalog_revoke(const char *name, Oid role);

#endif							/* AREAD_VERSIONS_H */
