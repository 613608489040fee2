/*
 * retrieval_vectors.h
 *	  Vectors of a model's users and of candidates (engine/score/retrieval.h).
 *
 * They depend on the model, the users and the candidates alone: vectors of users go with
 * those of items of another call.
 */
#ifndef AREAD_SERVE_RETRIEVAL_VECTORS_H
#define AREAD_SERVE_RETRIEVAL_VECTORS_H

#include "engine/score/retrieval.h"
#include "serve/candidates.h"

/* Numbers of a vector at most. */
#define MAX_RETRIEVAL_DIM 256

/* Of users by their ids [n_users], and all candidates; everything is allocated in the current memory context. */
extern Retrieval *retrieval_vectors(Candidates *candidates, const uint32 *users, uint32 n_users,
									int dim);

#endif							/* AREAD_SERVE_RETRIEVAL_VECTORS_H */
