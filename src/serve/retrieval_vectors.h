/*
 * retrieval_vectors.h
 *	  Vectors of a model's users, or of its items, by their scores with anchors.
 *
 * Anchors are users and candidates at equal distances, from those with the most training
 * rows to those with the fewest.  So they depend on the model and the candidates alone,
 * and vectors of users go with those of items of another call.
 */
#ifndef AREAD_SERVE_RETRIEVAL_VECTORS_H
#define AREAD_SERVE_RETRIEVAL_VECTORS_H

#include "serve/candidates.h"

/* Numbers of a vector at most. */
#define MAX_RETRIEVAL_DIM 256

typedef struct RetrievalVectors RetrievalVectors;

/* vector [dim] of the user or the candidate of that number. */
typedef void (*VectorFunction) (void *context, uint32 number, const float *vector);

/*
 * users: ids [n_users] of all that the model knows, those with the most training rows first.
 * Everything is allocated in the current memory context.
 */
extern RetrievalVectors *retrieval_vectors_create(Candidates *candidates, const uint32 *users,
												  uint32 n_users, int dim);
/* All vectors of users, or of candidates, in the order of their numbers. */
extern void retrieval_vectors_of_users(RetrievalVectors *vectors, VectorFunction function,
									   void *context);
extern void retrieval_vectors_of_items(RetrievalVectors *vectors, VectorFunction function,
									   void *context);

#endif							/* AREAD_SERVE_RETRIEVAL_VECTORS_H */
