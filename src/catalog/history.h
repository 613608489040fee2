/*
 * history.h
 *	  What became of a model's versions, event by event, and the way back.
 *
 * Events are only ever added.  The way back follows from them as in an editor's
 * undo: each version that was deployed lies on top of the one before, going back
 * takes the top away, and what is deployed next lies on what is left.
 *
 * All of this between catalog_enter() and catalog_leave(), of a model that is
 * locked.
 */
#ifndef AREAD_CATALOG_HISTORY_H
#define AREAD_CATALOG_HISTORY_H

#include "catalog/model_lock.h"

typedef struct HistoryEvent
{
	const char *action;			/* train, deploy, rollback, import, drop_version */
	int32		version;		/* in question */
	bool		deployed;		/* it scores from now on */
	const char *reason;			/* NULL: none */
} HistoryEvent;

/* Where aread_rollback() goes. */
typedef struct WayBack
{
	int32		version;		/* 0: nowhere */
	int32		next;			/* and the next time; 0: nowhere */
	int32		gone;			/* a version on the way that was dropped; 0: none */
} WayBack;

/* Of a model as it was when it was locked. */
extern void history_add(const LockedModel *model, const HistoryEvent *event);
extern WayBack history_way_back(const LockedModel *model);
/* With the model. */
extern void history_drop(const LockedModel *model);

#endif							/* AREAD_CATALOG_HISTORY_H */
