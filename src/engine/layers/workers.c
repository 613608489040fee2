/*
 * workers.c
 *	  A team of threads and scratch for each of them.
 */
#include "engine/layers/workers.h"

#include "engine/base/subnormal.h"

bool
workers_init(Workers *workers, Team *team, int widest, size_t products, Arena *arena,
			 EngineError *error)
{
	*workers = (Workers) {.team = team};
	workers->scratch = ARENA_ARRAY(arena, Scratch, team_size(team));
	for (int i = 0; i < team_size(team) && !arena->failed; i++)
	{
		Scratch    *scratch = &workers->scratch[i];

		scratch->sum = ARENA_ARRAY(arena, real, widest);
		scratch->sum2 = ARENA_ARRAY(arena, real, widest);
		scratch->coins = ARENA_ARRAY(arena, uint16_t, widest > COINS ? widest : COINS);
		scratch->products = ARENA_ARRAY(arena, real, products);
	}
	return arena_ok(arena, error);
}

void
workers_watch(Workers *workers, Watch *watch)
{
	workers->watch = watch;
	for (int i = 0; i < team_size(workers->team); i++)
	{
		Scratch    *scratch = &workers->scratch[i];

		scratch->followers.leader = watch;
		scratch->watch = i == 0 || !watch ? watch : &scratch->followers;
	}
}

typedef struct WorkersJob
{
	TeamTask	task;
	void	   *context;
} WorkersJob;

/* Scores and trees take numbers as they are: the mode is that of a network's tasks alone. */
static void
run_task(void *context, int number, int thread)
{
	const WorkersJob *job = context;
	uint64_t	mode = subnormals_are_zero(true);

	job->task(job->context, number, thread);
	subnormal_set_mode(mode);
}

void
workers_run(Workers *workers, TeamTask task, void *context, int n)
{
	WorkersJob	job = {task, context};

	team_run(workers->team, workers->watch, run_task, &job, n);
}
