/*
 * rights.h
 *	  What a model's name means, and who may do what with it.
 *
 * Owners, which are all members of the owning role, and superusers may do
 * everything.  Who was granted USAGE may score and evaluate, no more: what
 * shows weights is for owners.
 */
#ifndef AREAD_RIGHTS_H
#define AREAD_RIGHTS_H

#include "catalog/models.h"
#include "compat.h"

/* A name as calls have it: "shop", or pinned to a version, "shop@3". */
typedef struct ModelName
{
	char	   *name;
	int32		version;		/* 0: the deployed one */
} ModelName;

extern ModelName model_name_parse(const char *text);
/* Raises an error unless a new model may have that name. */
extern void model_name_check(const char *name);

/*
 * Of a row of SPI_tuptable that selects name and owner as columns 1 and 2;
 * superusers own everything.  Between catalog_enter() and catalog_leave().
 */
extern bool row_is_owned(Oid user, uint64 row);
/* Was the user granted USAGE of a model?  Replaces SPI_tuptable. */
extern bool is_granted(Oid user, int64 model_id);

/* Raise an error about a model that the user may not use. */
pg_noreturn extern void no_right(const char *name);
/* May the user score with a version?  Of one that is gone nobody may. */
extern bool catalog_may_use(int64 version_id);
/*
 * An error unless the user owns the model of a version that was found: of that
 * one, whatever its name means by now.
 */
extern void catalog_require_owner(const ModelVersion *version);

#endif							/* AREAD_RIGHTS_H */
