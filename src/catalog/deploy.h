/*
 * deploy.h
 *	  Is a version that was just trained to score?
 *
 * Options say when: never, always, or if it is no worse than the deployed
 * version, on the new version's own test rows; never with far fewer rows than
 * that one was trained over.  The deployed version is measured while the source
 * is read, before anything is locked; what it is by then is looked up, and
 * decided about, under the model's lock.
 */
#ifndef AREAD_CATALOG_DEPLOY_H
#define AREAD_CATALOG_DEPLOY_H

#include "catalog/model_lock.h"
#include "catalog/new_model.h"

typedef struct DeployDecision
{
	bool		deployed;
	bool		too_few;		/* rows */
	char	   *reason;
} DeployDecision;

/* About a model that is locked; between catalog_enter() and catalog_leave().  The reason lies in "context". */
extern DeployDecision deploy_decide(const NewModel *new, const LockedModel *model,
									MemoryContext context);
/* Tell the client, or the run, and the log what a guard decided. */
extern void deploy_report(const NewModel *new, int32 version, const DeployDecision *decision);

#endif							/* AREAD_CATALOG_DEPLOY_H */
