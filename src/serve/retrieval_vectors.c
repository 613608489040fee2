/*
 * retrieval_vectors.c
 *	  Scores of one user with all candidates, and of all users with one candidate, made into
 *	  vectors.
 *
 * Memory: all vectors, and a row and a column of scores.
 */
#include "postgres.h"

#include "serve/retrieval_vectors.h"

#include "host.h"
#include "serve/pair_scores.h"
#include "utils/memutils.h"

/* Users at a time, whose rows are made of what the model keeps of them. */
#define AT_ONCE 4096

static void
fill_column(PairScores *pairs, const uint32 *users, uint32 n_users, uint32 candidate,
			double *scores)
{
	for (uint32 first = 0; first < n_users; first += AT_ONCE)
		pair_scores_fill(pairs, users + first, Min(AT_ONCE, n_users - first), &candidate, 1,
						 scores + first);
}

Retrieval *
retrieval_vectors(Candidates *candidates, const uint32 *users, uint32 n_users, int dim)
{
	Retrieval  *retrieval = palloc(sizeof(Retrieval));
	Arena	   *arena = palloc(sizeof(Arena));
	PairScores *pairs = pair_scores_create(candidates);
	double	   *scores = MemoryContextAllocHuge(CurrentMemoryContext,
												Max(Max(candidates->n, n_users), 1) * sizeof(double));
	EngineError error;

	host_arena(arena, CurrentMemoryContext);
	if (!retrieval_init(arena, n_users, candidates->n, dim, retrieval, &error))
		host_raise(&error);
	while (retrieval_wants(retrieval))
	{
		pair_scores_fill(pairs, users + retrieval->user, 1, NULL, candidates->n, scores);
		if (!retrieval_row(retrieval, scores))
			continue;
		fill_column(pairs, users, n_users, retrieval->item, scores);
		retrieval_column(retrieval, scores);
	}
	return retrieval;
}
