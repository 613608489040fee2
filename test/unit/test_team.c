/*
 * test_team.c
 *	  Teams of threads: every task once, job after job; stops and errors.
 */
#define _POSIX_C_SOURCE 200809L

#include <string.h>
#include <time.h>

#include "engine/base/subnormal.h"
#include "engine/base/team.h"
#include "engine/layers/workers.h"
#include "toy.h"
#include "unit.h"

#define TASKS 100

typedef struct Job
{
	int			runs[TASKS];
	int			by_thread[TASKS];
	int			nap;			/* microseconds */
} Job;

static void
nap(int microseconds)
{
	struct timespec time = {.tv_nsec = microseconds * 1000L};

	nanosleep(&time, NULL);
}

static void
count_task(void *context, int number, int thread)
{
	Job		   *job = context;

	job->runs[number]++;
	job->by_thread[number] = thread;
	if (job->nap > 0)
		nap(job->nap);
}

/* Tasks run once each, by threads that there are. */
static void
check_jobs(int n_threads)
{
	EngineError error = {0};
	Arena		arena;
	Team	   *team;
	int			wrong = 0;

	arena_init_malloc(&arena);
	team = team_start(&arena, n_threads, &error);
	CHECK(team != NULL && team_size(team) == n_threads);
	for (int round = 0; round < 1000; round++)
	{
		Job			job = {.nap = 0};
		int			n = round % TASKS;

		/* now and then long enough a pause for threads to fall asleep */
		if (round % 500 == 0)
			nap(5000);
		team_run(team, NULL, count_task, &job, n);
		for (int i = 0; i < TASKS; i++)
			wrong += job.runs[i] != (i < n) || job.by_thread[i] < 0 ||
				job.by_thread[i] >= n_threads;
	}
	CHECK(wrong == 0);
	team_stop(team);
	arena_free_all(&arena);
}

/* Tasks that take their time are shared. */
static void
check_shared(void)
{
	EngineError error = {0};
	Arena		arena;
	Team	   *team;
	Job			job = {.nap = 2000};
	int			others = 0;

	arena_init_malloc(&arena);
	team = team_start(&arena, 4, &error);
	team_run(team, NULL, count_task, &job, TASKS);
	for (int i = 0; i < TASKS; i++)
		others += job.by_thread[i] > 0;
	CHECK(others > TASKS / 4);
	team_stop(team);
	arena_free_all(&arena);
}

/* Tasks are run while the caller does something else, or when it comes back. */
static void
check_begin(int n_threads)
{
	EngineError error = {0};
	Arena		arena;
	Team	   *team;
	Job			jobs[2] = {{.nap = 100}, {.nap = 100}};
	int			others = 0;
	int			wrong = 0;

	arena_init_malloc(&arena);
	team = team_start(&arena, n_threads, &error);
	/* nothing was begun */
	team_finish(team, NULL);
	for (int round = 0; round < 2; round++)
	{
		team_begin(team, NULL, count_task, &jobs[round], TASKS / 2);
		nap(100000);
		team_finish(team, NULL);
		team_finish(team, NULL);
		for (int i = 0; i < TASKS; i++)
			wrong += jobs[round].runs[i] != (i < TASKS / 2);
		for (int i = 0; i < TASKS / 2; i++)
			others += jobs[round].by_thread[i] > 0;
	}
	CHECK(wrong == 0);
	CHECK(n_threads == 1 ? others == 0 : others > 0);
	/* a team can be stopped before what was begun is finished */
	team_begin(team, NULL, count_task, &jobs[0], TASKS);
	team_stop(team);
	arena_free_all(&arena);
}

static bool
always(void *context)
{
	(*(int *) context)++;
	return true;
}

/* A host that wants to stop: what has not begun is left out, and the others know. */
static void
check_stop(void)
{
	EngineError error = {0};
	Arena		arena;
	Team	   *team;
	int			asked = 0;
	EngineHost	host = {.interrupted = always,.context = &asked};
	Watch		watch = {.host = &host};
	Watch		followers = {.leader = &watch};
	Job			job = {.nap = 30000};
	int			run = 0;

	arena_init_malloc(&arena);
	team = team_start(&arena, 3, &error);
	CHECK(!watch_stopped(&followers) && asked == 0);
	team_run(team, &watch, count_task, &job, TASKS);
	CHECK(watch.stopped && watch_stopped(&followers) && asked == 1);
	for (int i = 0; i < TASKS; i++)
		run += job.runs[i];
	CHECK(run < TASKS);
	/* a later job would go by what this one left unmade */
	memset(&job, 0, sizeof(job));
	for (int i = 0; i < 20; i++)
	{
		team_begin(team, &watch, count_task, &job, TASKS);
		team_finish(team, &watch);
	}
	for (int i = 0; i < TASKS; i++)
		CHECK(job.runs[i] == 0);
	team_stop(team);
	arena_free_all(&arena);
}

/* Of two floats the product is subnormal: does the thread have that number? */
static bool
has_subnormals(void)
{
	volatile float small = 1e-20f;

	return small * small > 0;
}

typedef struct ModeJob
{
	Watch	   *watch;			/* asked by the caller's thread within a task */
	bool		seen[TASKS];	/* by task, after that */
	int			asked;
	int			seen_by_host;
} ModeJob;

static void
look_task(void *context, int number, int thread)
{
	ModeJob    *job = context;

	if (thread == 0)
		(void) watch_stopped(job->watch);
	job->seen[number] = has_subnormals();
	nap(10);
}

static bool
look(void *context)
{
	ModeJob    *job = context;

	job->asked++;
	job->seen_by_host += has_subnormals();
	return false;
}

/* A network's tasks take subnormal numbers for zero; other tasks, the caller and the host that it asks do not. */
static void
check_subnormals(int n_threads, int n_tasks)
{
	EngineError error = {0};
	Arena		arena;
	Team	   *team;
	ModeJob		job = {.asked = 0};
	EngineHost	host = {.interrupted = look,.context = &job};
	Watch		watch = {.host = &host};
	Workers		workers;
	int			seen = 0;

	arena_init_malloc(&arena);
	team = team_start(&arena, n_threads, &error);
	job.watch = &watch;
	CHECK(workers_init(&workers, team, 1, 0, &arena, &error));
	workers_watch(&workers, &watch);
	workers_run(&workers, look_task, &job, n_tasks);
	for (int i = 0; i < n_tasks; i++)
		seen += job.seen[i];
	CHECK(SUBNORMAL_ZERO == 0 || seen == 0);
	CHECK(job.asked > 0 && job.seen_by_host == job.asked && has_subnormals());
	/* other tasks do */
	team_run(team, &watch, look_task, &job, n_tasks);
	for (int i = 0; i < n_tasks; i++)
		CHECK(job.seen[i]);
	team_stop(team);
	arena_free_all(&arena);
}

int
main(void)
{
	Job			job = {.nap = 0};

	for (int n = 1; n <= 5; n++)
		check_jobs(n);
	check_shared();
	check_begin(1);
	check_begin(3);
	check_stop();
	check_subnormals(1, TASKS);
	check_subnormals(3, TASKS);
	check_subnormals(3, 1);
	/* no team: the caller alone */
	team_run(NULL, NULL, count_task, &job, 7);
	CHECK(job.runs[6] == 1 && job.runs[7] == 0 && team_size(NULL) == 1);
	team_stop(NULL);
	return unit_summary();
}
