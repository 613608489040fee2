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

#include "postgres.h"

#include "catalog/model_lock.h"
#include "engine/measure/metrics.h"
#include "source/source.h"

/* The deployed version over a new one's test rows. */
typedef struct Incumbent
{
	int32		version;		/* 0: none was deployed when they were read */
	int64		id;				/* of that version */
	bool		moved;			/* its scores: by option base_rate */
	bool		may_have_trained;	/* on these rows, as far as the splits tell */
	const char *problem;		/* why it was not measured; NULL: it was */
	Measures	measures;
} Incumbent;

struct NewModel;

typedef struct DeployDecision
{
	bool		deployed;
	bool		too_few;		/* rows */
	char	   *reason;
} DeployDecision;

/* Names of the measures that options may name, and NULL. */
extern const char *const deploy_metrics[];

/* About a model that is locked; between catalog_enter() and catalog_leave().  The reason lies in "context". */
extern DeployDecision deploy_decide(const struct NewModel *new, const LockedModel *model,
									MemoryContext context);
/* Tell the client, or the run, and the log what a guard decided. */
extern void deploy_report(const struct NewModel *new, int32 version, const DeployDecision *decision);

#endif							/* AREAD_CATALOG_DEPLOY_H */
