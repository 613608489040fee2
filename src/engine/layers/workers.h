/*
 * workers.h
 *	  Who computes a pass: a team of threads and scratch for each of them.
 */
#ifndef AREAD_ENGINE_LAYERS_WORKERS_H
#define AREAD_ENGINE_LAYERS_WORKERS_H

#include "engine/base/team.h"

/* Parts that a batch's rows are dealt out in; a part's sums do not meet another's. */
#define ROW_PARTS 8
/* Coins that dropout draws at once. */
#define COINS 4096

typedef struct Scratch
{
	real	   *sum;			/* [widest layer] */
	real	   *sum2;			/* [widest layer] */
	uint16_t   *coins;			/* [max(COINS, widest layer)] */
	real	   *products;		/* first_layer.h: (capacity, widest first layer) */
	Watch	   *watch;			/* NULL: none */
	Watch		followers;		/* what "watch" points to in other threads than the caller's */
} Scratch;

typedef struct Workers
{
	Team	   *team;			/* NULL: the caller alone */
	Watch	   *watch;			/* NULL: none */
	Scratch    *scratch;		/* [team_size(team)] */
} Workers;

/* Scratch for layers up to "widest", and "products" numbers more. */
extern bool workers_init(Workers *workers, Team *team, int widest, size_t products,
						 Arena *arena, EngineError *error);
/* Have a watch (NULL: none) end passes early. */
extern void workers_watch(Workers *workers, Watch *watch);
/* team_run() */
extern void workers_run(Workers *workers, TeamTask task, void *context, int n);

#endif							/* AREAD_ENGINE_LAYERS_WORKERS_H */
