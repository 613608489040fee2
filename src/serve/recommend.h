/*
 * recommend.h
 *	  The best candidates of each user.
 *
 * Users are scored some at a time, so that memory does not grow with them (pair_scores.h).
 */
#ifndef AREAD_SERVE_RECOMMEND_H
#define AREAD_SERVE_RECOMMEND_H

#include "serve/candidates.h"

/* At most so many of a user's rows have one value of a feature. */
typedef struct ValueCap
{
	int			feature;		/* a single value, which candidates have */
	uint32		most;
} ValueCap;

typedef struct RecommendQuery
{
	uint32		k;				/* rows of each user at most */
	bool		exclude_seen;
	int			n_caps;
	const ValueCap *caps;
} RecommendQuery;

/* The rank-th row (from 1) of the number-th user. */
typedef void (*RecommendFunction) (void *context, uint32 number, uint32 rank, uint32 candidate,
								   double score);

typedef struct Recommender Recommender;

/* Everything is allocated in the current memory context; one recommender at a time for the candidates. */
extern Recommender *recommender_create(Candidates *candidates, const RecommendQuery *query);
/* So many users at a time. */
extern uint32 recommender_users(const Recommender *recommender);
/* The rows of n users, 1 to recommender_users(), by their ids, user after user, best first. */
extern void recommender_run(Recommender *recommender, const uint32 *users, uint32 n,
							RecommendFunction function, void *context);

#endif							/* AREAD_SERVE_RECOMMEND_H */
