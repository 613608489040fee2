/*
 * pair_scores.h
 *	  Scores of users with candidates, each with each.
 *
 * They are computed by tiles of a few users and a few candidates, whose values' products
 * with the first layer are each made once (engine/score/first_layer_batch.h).
 */
#ifndef AREAD_SERVE_PAIR_SCORES_H
#define AREAD_SERVE_PAIR_SCORES_H

#include "serve/candidates.h"

/* Users of a tile: so many at a time share the most. */
#define PAIR_USERS 16

typedef struct PairScores PairScores;

/*
 * Everything is allocated in the current memory context; one at a time for the candidates.
 * Features that neither they nor users have are told, as aread.missing_features says.
 */
extern PairScores *pair_scores_create(Candidates *candidates);
/*
 * Users of the next calls have the histories that are these lists of the candidates' rows,
 * each its own; they are read then.
 */
extern void pair_scores_histories(PairScores *pairs, const uint32 *lists);
/* scores [n_users, n] of users, by their ids, with the candidates numbers [n] (NULL: the first n). */
extern void pair_scores_fill(PairScores *pairs, const uint32 *users, uint32 n_users,
							 const uint32 *numbers, uint32 n, double *scores);

#endif							/* AREAD_SERVE_PAIR_SCORES_H */
