/*
 * progress.h
 *	  How far the trainings at work are, for all sessions to see.
 *
 * In shared memory; where there is none, or no room for one more training,
 * nothing fails: it is not shown.  When a process ends, what it trained is
 * shown no more.
 */
#ifndef AREAD_JOBS_PROGRESS_H
#define AREAD_JOBS_PROGRESS_H

#include "postgres.h"
#include "datatype/timestamp.h"

#include "engine/train/train.h"

/* Longest name of a model, in bytes. */
#define PROGRESS_NAME 200
/* Longest name of a phase, in bytes. */
#define PROGRESS_PHASE 31
/* Longest name of a relation with its schema, both all quotes, in quotes. */
#define PROGRESS_SOURCE (2 * (2 * (NAMEDATALEN - 1) + 2) + 1)

typedef struct Training
{
	int			pid;			/* 0: no training */
	Oid			database;
	Oid			role;			/* as whom it trains */
	int64		run;			/* 0: in the foreground */
	char		model[PROGRESS_NAME + 1];
	char		source[PROGRESS_SOURCE + 1];
	TimestampTz started;
	char		phase[PROGRESS_PHASE + 1];	/* "reading", the engine's, or "storing" */
	int			epoch;
	int			epochs;			/* of the network at work, at most */
	uint64		batch;			/* of the epoch */
	uint64		batches;		/* of each epoch */
	double		loss;			/* since the last evaluation; NaN: none yet */
	double		rows_per_second;
	double		auc;			/* of the last evaluation, on validation rows; NaN: none */
	double		domain_auc;
	double		log_loss;
	TimestampTz end;			/* at the latest, if it goes on as it does; 0: not known */
} Training;

/* A training of this session. */
typedef struct Progress
{
	Training	training;
	/* for the estimate of its end */
	TimestampTz first;			/* when the first batch was reported; 0: none yet */
	uint64		trained;		/* batches reported since */
	Training   *shown;			/* in shared memory; NULL: nowhere */
} Progress;

extern void progress_begin(Progress *progress, const char *model, const char *source_name,
						   int64 run, int epochs);
extern void progress_phase(Progress *progress, const char *phase);
extern void progress_batch(Progress *progress, const TrainProgress *state);
extern void progress_evaluation(Progress *progress, const Evaluation *evaluation);
/* It is shown no more. */
extern void progress_end(Progress *progress);

/* Ask for shared memory while the server starts. */
extern void progress_request(void);
/* Slot number i; pid 0 if it is free; false: no such slot. */
extern bool progress_training(int i, Training *training);

#endif							/* AREAD_JOBS_PROGRESS_H */
