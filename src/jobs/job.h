/*
 * job.h
 *	  A training from its source to a model that can be stored: what a call of
 *	  aread_train and a background run have in common.
 */
#ifndef AREAD_JOBS_JOB_H
#define AREAD_JOBS_JOB_H

#include "catalog/deploy.h"
#include "engine/entities/entity_build.h"
#include "jobs/progress.h"
#include "options.h"
#include "source/read/spool.h"

typedef struct TrainJob
{
	/* what is to be done */
	NewModel	new;			/* its name, roles and options */
	Config		config;
	TrainOptions options;
	int64		run;			/* 0: in the foreground */
	TrainObserver observer;		/* who else is told */
	const CheckpointStore *checkpoints; /* NULL: none */
	/* while it is done */
	Incumbent	incumbent;
	MemoryContext context;
	MemoryContext threads;
	Team	   *team;
	SpoolRoom	room;
	Dataset    *data;
	Entities	entities;		/* of the rows as they were read */
	Progress	progress;
	DeployDecision decision;	/* once it is stored */
} TrainJob;

/*
 * Options out of new.options; raises an error for what is wrong with them, or
 * with the model's name.
 */
extern void job_prepare(TrainJob *job);
/*
 * Read the source, which is open, and sample negatives.  With "lasting" what was read outlives
 * the transaction, as the context must.
 */
extern void job_read(TrainJob *job, MemoryContext context, bool lasting);
/* The same for the same rows, options and version of the library, in any order. */
extern uint32 job_fingerprint(const TrainJob *job);
/* Train on what was read.  Needs no transaction. */
extern void job_train(TrainJob *job);
/* Store the model; returns its version. */
extern int32 job_store(TrainJob *job);
/* It is done, or has failed: nobody need see it any more. */
extern void job_end(TrainJob *job);

#endif							/* AREAD_JOBS_JOB_H */
