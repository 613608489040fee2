/*
 * model_lock.h
 *	  From a model's name to a row that may be written: the only way.
 *
 * What is found out about a name holds only as long as nobody else can make it
 * untrue.  So whoever writes a model, or takes a name for one, first locks the
 * name until the end of the transaction (a lock of its own, because a name that
 * is not taken has no row), then looks with a snapshot of that moment, whatever
 * the transaction's isolation level, then updates the row and checks the owner of
 * what was updated.  From there on the model goes by its id.
 *
 * All of this between catalog_enter() and catalog_leave(); "user" is who called.
 */
#ifndef AREAD_CATALOG_MODEL_LOCK_H
#define AREAD_CATALOG_MODEL_LOCK_H

#include "postgres.h"

/* The row of a model whose owner's rights the user has, locked. */
typedef struct LockedModel
{
	int64		id;
	const char *name;
	Oid			user;
	int32		deployed;		/* 0: none */
	int32		previous;		/* 0: none */
} LockedModel;

/* What if there is no model of that name? */
typedef enum IfMissing
{
	MISSING_IS_ERROR,
	MISSING_IS_FALSE,
	MISSING_IS_MADE				/* for the user, without any version */
} IfMissing;

/*
 * Lock a model.  False: there is none.  Errors: it belongs to another role, it
 * does not exist, its name cannot be that of a model.
 */
extern bool lock_model(Oid user, const char *name, IfMissing missing, LockedModel *model);
/* Lock a model that gets another name; an error if that is taken. */
extern LockedModel lock_model_to_rename(Oid user, const char *name, const char *new_name);

#endif							/* AREAD_CATALOG_MODEL_LOCK_H */
