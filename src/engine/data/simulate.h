/*
 * simulate.h
 *	  Interactions with planted groups of domains: for demos, tests and
 *	  benchmarks that bring no data of their own.
 */
#ifndef AREAD_ENGINE_DATA_SIMULATE_H
#define AREAD_ENGINE_DATA_SIMULATE_H

#include "engine/base/base.h"
#include "engine/base/random.h"

/*
 * A user u has tastes (vectors), an item i has traits.  Domains belong to
 * groups; a group weighs the dimensions of taste in its own way (and may turn
 * some around), its domains differ from it a little.  The label is drawn from
 * sigmoid(bias of user + item + domain + strength * sum_k weight_d[k] u[k] i[k]).
 * Domain sizes fall off as a power law (rank ^ -skew); the groups' members are
 * spread over the sizes.  Items' popularity is a power law as well.
 */
typedef struct SimulateConfig
{
	uint64_t	rows;
	int			domains;
	int			groups;
	int			users;
	int			items;
	double		skew;			/* of domain sizes; 0: all alike */
	double		strength;		/* of the planted pattern; 0: none */
	double		positive_rate;	/* about */
	uint64_t	seed;
} SimulateConfig;

typedef struct SimulatedRow
{
	int			user;			/* 1 .. users */
	int			item;			/* 1 .. items */
	int			domain;			/* 1 .. domains, 1 is the largest */
	int			group;			/* 1 .. groups: planted, not for training */
	int			age_band;		/* side columns that carry some of the signal */
	int			category;
	double		price;
	double		probability;	/* the one that the label was drawn from */
	bool		label;
	uint64_t	sequence;		/* order in time: 0 .. rows - 1 */
} SimulatedRow;

typedef struct Simulation Simulation;

extern bool simulate_check(const SimulateConfig *config, EngineError *error);
/* Sets up users, items and domains; NULL, with *error filled, also if the host wants to stop. */
extern Simulation *simulate_begin(Arena *arena, const SimulateConfig *config,
								  const EngineHost *host, EngineError *error);
/* The row of that number: the same whatever was asked for before. */
extern void simulate_row(const Simulation *simulation, uint64_t number, SimulatedRow *row);

#endif							/* AREAD_ENGINE_DATA_SIMULATE_H */
