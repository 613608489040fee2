/*
 * versions.h
 *	  Models as things to keep in order: their versions, names, comments,
 *	  owners and grants.
 *
 * All of these are the owner's; they raise an error for a model that belongs to
 * another role, and but for catalog_drop() for one that does not exist.
 */
#ifndef AREAD_CATALOG_VERSIONS_H
#define AREAD_CATALOG_VERSIONS_H

#include "catalog/model_lock.h"
#include "catalog/rights.h"

/*
 * The number of a new version of a model, which scores from now on or does not.
 * Between catalog_enter() and catalog_leave().
 */
extern int32 catalog_new_version(const LockedModel *model, bool deploy);
/* A version scores from now on; returns the one that did (0: none).  A reason may be NULL. */
extern int32 catalog_deploy(const char *name, int32 version, const char *reason);
/* The version that scored before the deployed one does again (history.h); returns it. */
extern int32 catalog_roll_back(const char *name, const char *reason);
/* Keep a version, which the name is pinned to, or do not any more; false: so it was. */
extern bool catalog_keep_version(const char *name, bool keep);
/* Drop a version that is neither deployed nor kept. */
extern void catalog_drop_version(const char *name, int32 version);
/*
 * Drop the oldest versions until there are so many; the deployed one, the one
 * before it and those to be kept stay.  Between catalog_enter() and catalog_leave().
 */
extern void catalog_keep(const LockedModel *model, int32 versions);
/* Drop a model with all versions, none of them to be kept; false if there is none. */
extern bool catalog_drop(const char *name);
extern void catalog_rename(const char *name, const char *new_name);
/* On the model, or on the version that the name is pinned to; NULL takes it away. */
extern void catalog_comment(const char *name, const char *comment);
extern void catalog_set_owner(const char *name, Oid owner);
/* A right to a role, InvalidOid for PUBLIC; false: it had it already. */
extern bool catalog_grant(const char *name, Oid role, ModelRight right);
/* ANY_RIGHT: each.  False: it had none. */
extern bool catalog_revoke(const char *name, Oid role, ModelRight right);

#endif							/* AREAD_CATALOG_VERSIONS_H */
