/*
 * deciles.h
 *	  How scores are spread: what later scores are compared with.
 */
#ifndef AREAD_ENGINE_MEASURE_DECILES_H
#define AREAD_ENGINE_MEASURE_DECILES_H

#include "engine/base/base.h"

#define N_DECILES 10

/* Bins of about a tenth of the scores each; fewer where many are equal. */
typedef struct Deciles
{
	int			n_edges;
	double		edges[N_DECILES - 1];	/* ascending; a score is in the bin of the edges up to it */
	uint64_t	rows[N_DECILES];	/* of each bin */
} Deciles;

/* The bin of a score, from 0. */
extern int	deciles_bin(const Deciles *deciles, double score);
/* Of scores [n], which have no NaN.  Errors: lack of memory, ENGINE_INTERRUPTED. */
extern bool deciles_find(Arena *arena, const double *scores, size_t n, Deciles *deciles,
						 const EngineHost *host, EngineError *error);

#endif							/* AREAD_ENGINE_MEASURE_DECILES_H */
