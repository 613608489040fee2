/*
 * recommend.h
 *	  The best candidates of each user.
 *
 * Users are scored some at a time, so that memory does not grow with them (pair_scores.h).
 */
#ifndef AREAD_SERVE_RECOMMEND_H
#define AREAD_SERVE_RECOMMEND_H

#include "serve/candidates.h"
#include "serve/fresh_history.h"

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
	FreshHistory *history;		/* with exclude_seen open for all; NULL: users have the model's */
} RecommendQuery;

/* The rank-th row (from 1) of the number-th user. */
typedef void (*RecommendFunction) (void *context, uint32 number, uint32 rank, uint32 candidate,
								   double score);

typedef struct Recommender Recommender;

/* Everything is allocated in the current memory context; one recommender at a time for the candidates. */
extern Recommender *recommender_create(Candidates *candidates, const RecommendQuery *query);
/* So many users at a time. */
extern uint32 recommender_users(const Recommender *recommender);
/* Some users, 1 to recommender_users(). */
typedef struct RecommendUsers
{
	uint32		n;
	const uint32 *ids;			/* [n] */
	char	  **keys;			/* [n] as text; NULL: a NULL; looked at where there is a history */
} RecommendUsers;

/* Their rows, user after user, best first. */
extern void recommender_run(Recommender *recommender, const RecommendUsers *users,
							RecommendFunction function, void *context);

#endif							/* AREAD_SERVE_RECOMMEND_H */
