/*
 * toy.h
 *	  A small dataset for tests of training and scoring: who likes what is an
 *	  interaction of user and item, with a list field and never-seen values.
 */
#ifndef AREAD_TEST_TOY_H
#define AREAD_TEST_TOY_H

#include "engine/train/train.h"

#define TOY_DOMAINS 6
#define TOY_USERS 40
#define TOY_ITEMS 30
#define TOY_FIELDS 4
/* of the dataset of vectors */
#define VECTOR_FIELDS 3
#define VECTOR_USERS 50
#define TOY_LENGTH 37			/* some registers, and a rest */

/* Fields: domain, user, item, list of items; 80/10/10 over n rows. */
extern Dataset *toy_dataset(Arena *arena, size_t n);
/*
 * The same data with config->negatives sampled for each positive row; NULL where there are
 * none to draw.
 */
extern Dataset *toy_sampled(Arena *arena, const Config *config, const Dataset *data);
/* Fields: domain, user, vector, which alone tells the label; 70/10/20. */
extern Dataset *toy_vectors(Arena *arena, size_t n);
/* Small sizes, a few epochs. */
extern void toy_config(Config *config, int architecture);
extern EngineHost toy_host(void);
extern TrainObserver toy_observer(void);
/* train(), alone, with toy host and observer. */
extern TrainResult *train_toy(Arena *arena, const Dataset *data, const Config *config,
							  EngineError *error);

/* A store without room in memory; its arrays are the heap's, so that a leak shows. */
typedef struct ToyStore
{
	Store		store;
	int			begun;
	int			open;			/* begun, not dropped */
	void	   *last;			/* begun last */
} ToyStore;

extern void toy_store_init(ToyStore *toy);

#endif							/* AREAD_TEST_TOY_H */
