/*
 * team.h
 *	  Threads that share the tasks of a job with their caller.
 *
 * Who runs a task changes nothing: tasks of one job write to different places,
 * and what has to be summed is summed afterwards, in a fixed order.  The
 * threads never call the host; the caller asks it while it works and waits.
 */
#ifndef AREAD_ENGINE_BASE_TEAM_H
#define AREAD_ENGINE_BASE_TEAM_H

#include "engine/base/base.h"

#define MAX_THREADS 64

typedef struct Team Team;

/*
 * A task: its number, from 0, and the thread that runs it (0: the caller), by
 * which it finds scratch of its own.
 */
typedef void (*TeamTask) (void *context, int number, int thread);

/*
 * A team of n threads, the caller included; fewer if the system grants no
 * more.  Signals stay with the caller.  NULL on lack of memory.
 */
extern Team *team_start(Arena *arena, int n, EngineError *error);
/* Ends the threads; to be called before the arena goes.  NULL is no team. */
extern void team_stop(Team *team);

/* Threads of a team, the caller included; 1 without one. */
extern int	team_size(const Team *team);

/*
 * Run tasks 0 .. n - 1 and wait for the last.  Once the watch (NULL: none) has
 * stopped, tasks that have not begun are left out, and those of all later jobs.
 */
extern void team_run(Team *team, Watch *watch, TeamTask task, void *context, int n);

/*
 * The same in two parts: a team of one runs the tasks as it begins, other
 * threads while the caller does something else.  What is begun is finished
 * before the next job.
 */
extern void team_begin(Team *team, Watch *watch, TeamTask task, void *context, int n);
/* The caller takes its share of what is left, and waits for the last. */
extern void team_finish(Team *team, Watch *watch);

/* Bounds of part i when n things are dealt out to "parts" tasks as evenly as can be. */
static inline size_t
part_start(size_t n, int parts, int i)
{
	return n * (size_t) i / (size_t) parts;
}

#endif							/* AREAD_ENGINE_BASE_TEAM_H */
