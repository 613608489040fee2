/*
 * popularity.h
 *	  Popularity, put back into scores of models that learn from sampled negatives.
 *
 * Let p(i) be the chance that a user takes item i of a domain, and q(i) the chance
 * that i is drawn as a negative there.  What is learnt from both is log p(i) / q(i), as
 * in Yi et al., "Sampling-bias-corrected neural modeling for large corpus item
 * recommendations", 2019: popularity that negatives are drawn by is divided out.
 * The offset log q(i) / u(i), u being a uniform draw, makes a score one against
 * uniform draws.
 */
#ifndef AREAD_ENGINE_TRAIN_POPULARITY_H
#define AREAD_ENGINE_TRAIN_POPULARITY_H

#include "engine/train/trainer.h"

typedef struct PopularityOffset PopularityOffset;

/*
 * Offsets of items, domains and pairs of both -> trainer->popularity, which stays NULL
 * if the configuration asks for none.  After trainer_begin() has made the network.
 */
extern bool popularity_init(Trainer *trainer, EngineError *error);
/* Into the wide weights, before scores; and out of them, bit by bit, before training goes on. */
extern void popularity_add(Trainer *trainer);
extern void popularity_remove(Trainer *trainer);

#endif							/* AREAD_ENGINE_TRAIN_POPULARITY_H */
