/*
 * retrieval_vectors.c
 *	  Scores with anchors, some users or candidates at a time, made into vectors.
 *
 * Memory: scores of the anchors with one another, and of those at hand with the anchors.
 */
#include "postgres.h"

#include "serve/retrieval_vectors.h"

#include "engine/score/retrieval.h"
#include "host.h"
#include "miscadmin.h"
#include "serve/pair_scores.h"

/*
 * Anchors for each number of a vector: of more than as many as there are directions the
 * smallest ones, which are mostly noise, are left out.
 */
#define ANCHORS_OF_NUMBER 4
/* Users or candidates at a time. */
#define AT_ONCE 256

struct RetrievalVectors
{
	Candidates *candidates;
	PairScores *pairs;
	const uint32 *users;		/* [n_users] */
	uint32		n_users;
	uint32		n;				/* anchors, of users and of candidates */
	uint32	   *anchor_users;	/* [n] ids */
	uint32	   *anchor_candidates;	/* [n] numbers */
	Arena		arena;			/* of the next */
	Retrieval	retrieval;
	double	   *scores;			/* [AT_ONCE, n] or [n, AT_ONCE] */
	double	   *column;			/* [n] */
	float	   *vector;			/* [dim] */
};

/* The i-th of n numbers at equal distances below "of". */
static uint32
anchor(uint32 i, uint32 n, uint32 of)
{
	return (uint32) ((uint64) i * of / n);
}

static void
fit(RetrievalVectors *vectors, int dim)
{
	EngineHost	host = host_callbacks();
	EngineError error;

	host_arena(&vectors->arena, CurrentMemoryContext);
	pair_scores_fill(vectors->pairs, vectors->anchor_users, vectors->n,
					 vectors->anchor_candidates, vectors->n, vectors->scores);
	if (!retrieval_fit(&vectors->arena, vectors->scores, vectors->n, dim, &host, &vectors->retrieval,
					   &error))
		host_raise(&error);
}

RetrievalVectors *
retrieval_vectors_create(Candidates *candidates, const uint32 *users, uint32 n_users, int dim)
{
	RetrievalVectors *vectors = palloc0(sizeof(RetrievalVectors));
	uint32		n = Min(Min(n_users, candidates->n), (uint32) dim * ANCHORS_OF_NUMBER);

	*vectors = (RetrievalVectors) {.candidates = candidates,.users = users,.n_users = n_users,.n = n};
	vectors->pairs = pair_scores_create(candidates);
	vectors->anchor_users = palloc(Max(n, 1) * sizeof(uint32));
	vectors->anchor_candidates = palloc(Max(n, 1) * sizeof(uint32));
	for (uint32 i = 0; i < n; i++)
	{
		vectors->anchor_users[i] = users[anchor(i, n, n_users)];
		vectors->anchor_candidates[i] = anchor(i, n, candidates->n);
	}
	vectors->scores = palloc((Size) Max(n, 1) * Max(n, AT_ONCE) * sizeof(double));
	vectors->column = palloc(Max(n, 1) * sizeof(double));
	vectors->vector = palloc(dim * sizeof(float));
	if (n > 0)
		fit(vectors, dim);
	return vectors;
}

void
retrieval_vectors_of_users(RetrievalVectors *vectors, VectorFunction function, void *context)
{
	for (uint32 first = 0; vectors->n > 0 && first < vectors->n_users; first += AT_ONCE)
	{
		uint32		n = Min(AT_ONCE, vectors->n_users - first);

		pair_scores_fill(vectors->pairs, vectors->users + first, n, vectors->anchor_candidates,
						 vectors->n, vectors->scores);
		for (uint32 u = 0; u < n; u++)
		{
			retrieval_user(&vectors->retrieval, vectors->scores + (Size) u * vectors->n,
						   vectors->vector);
			function(context, first + u, vectors->vector);
		}
	}
}

void
retrieval_vectors_of_items(RetrievalVectors *vectors, VectorFunction function, void *context)
{
	uint32		numbers[AT_ONCE];

	for (uint32 first = 0; vectors->n > 0 && first < vectors->candidates->n; first += AT_ONCE)
	{
		uint32		n = Min(AT_ONCE, vectors->candidates->n - first);

		for (uint32 i = 0; i < n; i++)
			numbers[i] = first + i;
		pair_scores_fill(vectors->pairs, vectors->anchor_users, vectors->n, numbers, n,
						 vectors->scores);
		for (uint32 i = 0; i < n; i++)
		{
			for (uint32 a = 0; a < vectors->n; a++)
				vectors->column[a] = vectors->scores[(Size) a * n + i];
			retrieval_item(&vectors->retrieval, vectors->column, vectors->vector);
			function(context, first + i, vectors->vector);
		}
	}
}
