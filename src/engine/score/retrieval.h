/*
 * retrieval.h
 *	  Vectors of users and items whose inner product is a model's own logit, nearly.
 *
 * Whatever the model is, its logits of users (rows) with items (columns) are a matrix L.
 * Of it are computed C, the logits of all users with a few anchor items, R, those of a
 * few anchor users with all items, and W, where the two meet.  The skeleton decomposition
 * L ~ C W^+ R (Goreinov et al. 1997) with W cut down to its "dim" largest singular values
 * is a product of vectors: W = U S V^T, a user's vector is S^(-1/2) V^T c, an item's
 * S^(-1/2) U^T r.  Of all such cuts it loses least where L itself has few directions.
 */
#ifndef AREAD_ENGINE_SCORE_RETRIEVAL_H
#define AREAD_ENGINE_SCORE_RETRIEVAL_H

#include "engine/base/base.h"

/* How scores with anchors become vectors; n anchors, of users and of items, vectors of dim numbers. */
typedef struct Retrieval
{
	size_t		n;
	size_t		dim;
	double	   *of_users;		/* [dim, n] S^(-1/2) V^T: from scores with anchor items */
	double	   *of_items;		/* [dim, n] S^(-1/2) U^T: from scores with anchor users */
} Retrieval;

/*
 * Of the scores [n, n] of anchor users with anchor items, each a probability.  Directions
 * that W does not have are 0 in all vectors.
 */
extern bool retrieval_fit(Arena *arena, const double *scores, size_t n, size_t dim,
						  const EngineHost *host, Retrieval *retrieval, EngineError *error);
/* A user's scores [n] with anchor items -> his vector [dim]. */
extern void retrieval_user(const Retrieval *retrieval, const double *scores, float *vector);
/* The scores [n] of anchor users with an item -> its vector [dim]. */
extern void retrieval_item(const Retrieval *retrieval, const double *scores, float *vector);

#endif							/* AREAD_ENGINE_SCORE_RETRIEVAL_H */
