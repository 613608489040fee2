/*
 * runs.h
 *	  Background trainings as rows: what they are to do, how far they are, and
 *	  the checkpoints that they go on from.
 *
 * A worker holds a lock on its run for as long as it lives (locks.h).  A row
 * that says that a run is at work, without that lock, is of a worker that died:
 * the run is interrupted.
 *
 * Rows tell, they do not decide: who can write the table is not the role that a
 * row names (launch.h).
 */
#ifndef AREAD_JOBS_RUNS_H
#define AREAD_JOBS_RUNS_H

#include "catalog/models.h"
#include "compat.h"
#include "jobs/progress.h"
#include "utils/array.h"

typedef enum RunState
{
	RUN_STARTING,				/* the worker waits for the commit of who started it */
	RUN_RUNNING,
	RUN_DONE,
	RUN_FAILED,
	RUN_CANCELLED,
	RUN_INTERRUPTED				/* never stored */
} RunState;

typedef struct Run
{
	int64		id;
	RunState	state;
	int			pid;			/* of the latest worker */
	Oid			role;			/* as whom it trains */
	char	   *role_name;
	char	   *model;
	bool		name_given;		/* the model's, by who started it */
	Oid			source;
	char	   *source_name;	/* as it was when the run began */
	ColumnRoles *roles;
	Jsonb	   *options;
	ArrayType  *settings;		/* as in pg_proc.proconfig */
	bool		has_checkpoint;
	uint32		fingerprint;	/* of the rows that the checkpoint is about */
	char	   *software;		/* that wrote it */
	int32		version;		/* of the model, once done */
	char	   *error_code;		/* SQLSTATE; these are NULL unless it failed or was cancelled */
	char	   *error;
	char	   *error_detail;
	char	   *error_hint;
} Run;

/* A number for a new run. */
extern int64 run_new_id(void);
/* A row for a run that a worker has been started for. */
extern void run_insert(const Run *run);
/* Another worker has been started for it, under other settings. */
extern void run_restart(const Run *run);
/* This process is its worker from now on.  False: its row says that it has ended, or is gone. */
extern bool run_take_over(int64 id);
/* A run as its row has it, in the current memory context; NULL: there is none. */
extern Run *run_read(int64 id);
/* The same as it is now; not for its own worker. */
extern Run *run_find(int64 id);
/* Is its role one whose rights the user has? */
extern bool run_is_known(const Run *run);
/* Raise an error about a run of a role whose rights the user lacks. */
pg_noreturn extern void run_no_right(int64 id);
/* As run_find(), of a run that the user may command; raises errors. */
extern Run *run_require(int64 id);
/* Until the transaction ends, nobody else resumes, cancels or forgets it. */
extern void run_lock_row(int64 id);
/* Was the row written by the present transaction? */
extern bool run_is_uncommitted(int64 id);
/* Raise an error unless this version of the library wrote its checkpoint. */
extern void run_check_software(const Run *run);

/* What the worker writes; an error if the run is not its own any more. */
extern void run_started(int64 id);
/* Messages are added to those that there are. */
extern void run_progress(int64 id, const Training *training, const char *messages);
extern void run_done(int64 id, int32 version);
extern void run_failed(int64 id, RunState state, const ErrorData *error);
/* A message as rows keep it: a source's functions may raise what they like.  NULL is NULL. */
extern char *run_clip(const char *message);

/* A run's row and checkpoint are forgotten; it is not at work. */
extern void run_forget(int64 id);

/* Replace the checkpoint by one of rows of that fingerprint. */
extern void run_save_checkpoint(int64 id, uint32 fingerprint, const CheckpointPart *parts, int n);
extern void run_load_checkpoint(int64 id, const CheckpointPart *part);

extern const char *run_state_name(RunState state);

#endif							/* AREAD_JOBS_RUNS_H */
