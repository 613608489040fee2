/*
 * retrieval.h
 *	  Vectors of users and items whose inner product is a model's own logit, nearly.
 *
 * Whatever the model is, its logits of users with items are a matrix L.  It is taken apart by
 * crosses (adaptive cross approximation: Bebendorf 2000): of a user's logits with all items
 * what vectors do not give yet is the items' next number, of all users' logits with one item
 * the users'.  The item is the one with which least is known of that user, and the next user
 * the one of whom least is known with that item.  So each number takes one row and one column
 * of L, and nothing is divided by but what was largest.
 *
 * The caller computes scores; these functions say of whom:
 *
 *	  while (retrieval_wants(&retrieval))
 *		  scores of user retrieval.user with all items
 *		  if (retrieval_row(&retrieval, scores))
 *			  scores of all users with item retrieval.item
 *			  retrieval_column(&retrieval, scores)
 */
#ifndef AREAD_ENGINE_SCORE_RETRIEVAL_H
#define AREAD_ENGINE_SCORE_RETRIEVAL_H

#include "engine/base/base.h"

typedef struct Retrieval
{
	size_t		n_users;
	size_t		n_items;
	size_t		dim;
	size_t		n;				/* numbers found so far; the others are 0 */
	float	   *users;			/* [n_users, dim] */
	float	   *items;			/* [n_items, dim] */
	size_t		user;			/* whose row is wanted next, or was last */
	size_t		item;			/* whose column is */
	bool	   *seen;			/* [n_users] whose row has been there */
	size_t		n_rows;			/* that have been there */
	size_t		spread;			/* of the next user that is taken for a sample */
} Retrieval;

/* Nothing is known yet.  Errors: lack of memory, 4 bytes for each number of all vectors. */
extern bool retrieval_init(Arena *arena, size_t n_users, size_t n_items, size_t dim,
						   Retrieval *retrieval, EngineError *error);
/* Is another row wanted?  No: there are dim numbers, or samples of users tell nothing more. */
extern bool retrieval_wants(const Retrieval *retrieval);
/* The user's scores [n_items], probabilities; do they tell anything new?  Then of an item. */
extern bool retrieval_row(Retrieval *retrieval, const double *scores);
/* The item's scores [n_users]. */
extern void retrieval_column(Retrieval *retrieval, const double *scores);

#endif							/* AREAD_ENGINE_SCORE_RETRIEVAL_H */
