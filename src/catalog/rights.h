/*
 * rights.h
 *	  What a model's name means, and who may do what with it.
 *
 * Owners, which are all members of the owning role, and superusers may do
 * everything.  Others have what was granted to them: to score and evaluate, or
 * to have scores explained.  Neither is part of the other: scores are for many
 * rows, but tell nothing of how they come about; an explanation is of one row,
 * whose score it has, with its domain's experts and gates.  All else that shows
 * weights is for owners.
 */
#ifndef AREAD_CATALOG_RIGHTS_H
#define AREAD_CATALOG_RIGHTS_H

#include "compat.h"

/* A name as calls have it: "shop", or pinned to a version, "shop@3". */
typedef struct ModelName
{
	char	   *name;
	int32		version;		/* 0: the deployed one */
} ModelName;

/* What can be granted, and stands for it in rows. */
typedef enum ModelRight
{
	RIGHT_TO_PREDICT, RIGHT_TO_EXPLAIN,
	N_RIGHTS,
	ANY_RIGHT = N_RIGHTS		/* one of them: to see that the model is there, and what it is of */
} ModelRight;

/* Of a right, not of any. */
extern const char *right_name(ModelRight right);
/* The reverse; raises an error for other names. */
extern ModelRight right_of_name(const char *name);

extern ModelName model_name_parse(const char *text);
/* Raises an error unless a new model may have that name. */
extern void model_name_check(const char *name);

/*
 * Of a row of SPI_tuptable that selects name and owner as columns 1 and 2;
 * superusers own everything.  Between catalog_enter() and catalog_leave().
 */
extern bool row_is_owned(Oid user, uint64 row);
/* Was the user granted a right to a model?  Replaces SPI_tuptable. */
extern bool is_granted(Oid user, int64 model_id, ModelRight right);

/* Raise an error about a model that the user may not use. */
pg_noreturn extern void no_right(const char *name);
/* May the user score with a version?  Of one that is gone nobody may. */
extern bool catalog_may_use(int64 version_id);
/*
 * An error, about the name, unless the user owns the model of a version that was
 * found by it: of that one, whatever the name means by now.
 */
extern void catalog_require_owner(int64 version_id, const char *name);

#endif							/* AREAD_CATALOG_RIGHTS_H */
