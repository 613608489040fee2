/*
 * team.c
 *	  Threads that share the tasks of a job with their caller.
 *
 * A job is published by raising its number.  Threads that have waited for a
 * while sleep on a condition; between the jobs of one training step they do
 * not come to that.
 */
/* threads and signals, beyond C11 */
#define _POSIX_C_SOURCE 200809L

#include "engine/base/team.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

/* Looks at a variable before sleeping: some tens of microseconds. */
#define SPINS 4000
/* Nanoseconds between two looks at the host while waiting. */
#define WAIT_NANOSECONDS 10000000

struct Team
{
	int			n_threads;
	pthread_t	threads[MAX_THREADS];	/* [1 .. n_threads - 1] */
	struct Member
	{
		Team	   *team;
		int			number;
	}			members[MAX_THREADS];
	pthread_mutex_t mutex;		/* of sleeping, on either condition */
	pthread_cond_t wake;
	pthread_cond_t done;
	/* the present job */
	atomic_uint job;
	TeamTask	task;
	void	   *context;
	int			n_tasks;
	atomic_int	next;
	atomic_int	working;		/* threads that have not finished with it */
	atomic_bool skip;			/* leave out what has not begun */
	atomic_bool quit;
};

static inline void
relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

/* watch: the caller's, who alone asks; else NULL. */
static void
run_tasks(Team *team, int thread, Watch *watch)
{
	for (;;)
	{
		int			number = atomic_fetch_add(&team->next, 1);

		if (number >= team->n_tasks)
			return;
		if (watch_stopped(watch))
			atomic_store(&team->skip, true);
		if (!atomic_load_explicit(&team->skip, memory_order_relaxed))
			team->task(team->context, number, thread);
	}
}

/* Wait for a job after "seen"; returns its number. */
static unsigned
wait_for_job(Team *team, unsigned seen)
{
	for (int spin = 0; spin < SPINS; spin++)
	{
		unsigned	job = atomic_load(&team->job);

		if (job != seen)
			return job;
		relax();
	}
	pthread_mutex_lock(&team->mutex);
	while (atomic_load(&team->job) == seen)
		pthread_cond_wait(&team->wake, &team->mutex);
	pthread_mutex_unlock(&team->mutex);
	return atomic_load(&team->job);
}

static void *
run_member(void *argument)
{
	const struct Member *member = argument;
	Team	   *team = member->team;
	unsigned	job = 0;

	for (;;)
	{
		job = wait_for_job(team, job);
		if (atomic_load(&team->quit))
			return NULL;
		run_tasks(team, member->number, NULL);
		if (atomic_fetch_sub(&team->working, 1) == 1)
		{
			pthread_mutex_lock(&team->mutex);
			pthread_cond_signal(&team->done);
			pthread_mutex_unlock(&team->mutex);
		}
	}
}

/* Job number + 1, seen by threads that spin and by those that sleep. */
static void
publish(Team *team)
{
	pthread_mutex_lock(&team->mutex);
	atomic_fetch_add(&team->job, 1);
	pthread_cond_broadcast(&team->wake);
	pthread_mutex_unlock(&team->mutex);
}

Team *
team_start(Arena *arena, int n, EngineError *error)
{
	Team	   *team = ARENA_ARRAY(arena, Team, 1);
	sigset_t	all;
	sigset_t	saved;

	if (!arena_ok(arena, error))
		return NULL;
	pthread_mutex_init(&team->mutex, NULL);
	pthread_cond_init(&team->wake, NULL);
	pthread_cond_init(&team->done, NULL);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &saved);
	for (team->n_threads = 1; team->n_threads < n && team->n_threads < MAX_THREADS;
		 team->n_threads++)
	{
		int			i = team->n_threads;

		team->members[i] = (struct Member) {.team = team,.number = i};
		if (pthread_create(&team->threads[i], NULL, run_member, &team->members[i]) != 0)
			break;
	}
	pthread_sigmask(SIG_SETMASK, &saved, NULL);
	return team;
}

void
team_stop(Team *team)
{
	if (!team)
		return;
	atomic_store(&team->skip, true);
	atomic_store(&team->quit, true);
	publish(team);
	for (int i = 1; i < team->n_threads; i++)
		pthread_join(team->threads[i], NULL);
	team->n_threads = 1;
	pthread_cond_destroy(&team->done);
	pthread_cond_destroy(&team->wake);
	pthread_mutex_destroy(&team->mutex);
}

int
team_size(const Team *team)
{
	return team ? team->n_threads : 1;
}

/* Until every thread has finished; the host is asked meanwhile. */
static void
wait_for_members(Team *team, Watch *watch)
{
	for (int spin = 0; spin < SPINS; spin++)
	{
		if (atomic_load(&team->working) == 0)
			return;
		relax();
	}
	while (atomic_load(&team->working) > 0)
	{
		struct timespec until;

		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += WAIT_NANOSECONDS;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		pthread_mutex_lock(&team->mutex);
		if (atomic_load(&team->working) > 0)
			pthread_cond_timedwait(&team->done, &team->mutex, &until);
		pthread_mutex_unlock(&team->mutex);
		/* with the mutex free: the host may leave by an error, and team_stop() follows */
		if (watch_stopped(watch))
			atomic_store(&team->skip, true);
	}
}

void
team_begin(Team *team, Watch *watch, TeamTask task, void *context, int n)
{
	if (team_size(team) == 1)
	{
		for (int i = 0; i < n && !watch_stopped(watch); i++)
			task(context, i, 0);
		return;
	}
	team->task = task;
	team->context = context;
	team->n_tasks = n;
	atomic_store(&team->next, 0);
	/* a job may go by what the one before it, now left half-way, was to make */
	atomic_store(&team->skip, watch && watch->stopped);
	atomic_store(&team->working, team->n_threads - 1);
	publish(team);
}

void
team_finish(Team *team, Watch *watch)
{
	if (team_size(team) == 1)
		return;
	run_tasks(team, 0, watch);
	wait_for_members(team, watch);
}

void
team_run(Team *team, Watch *watch, TeamTask task, void *context, int n)
{
	if (team_size(team) == 1 || n == 1)
	{
		for (int i = 0; i < n && !watch_stopped(watch); i++)
			task(context, i, 0);
		return;
	}
	team_begin(team, watch, task, context, n);
	team_finish(team, watch);
}
