/*
 * forest_train.h
 *	  Training of a forest: gradient boosting with the logistic loss.
 *
 * The same rows, options and seed give the same bytes with any number of threads.
 */
#ifndef AREAD_ENGINE_TREES_FOREST_TRAIN_H
#define AREAD_ENGINE_TREES_FOREST_TRAIN_H

#include "engine/base/team.h"
#include "engine/trees/forest_data.h"

/* Trees of a forest that has no validation rows, or none with a weight. */
#define FOREST_TREES_UNCHECKED 100

/* Values that have done well on rows of many kinds; the seed is 0. */
extern ForestOptions forest_default_options(void);

/* valid_loss: the calibrated log loss of the forest so far; NaN: no validation rows. */
typedef struct ForestObserver
{
	void		(*tree) (void *context, int n_trees, double valid_loss);
	void	   *context;
} ForestObserver;

typedef struct ForestReport
{
	int			n_grown;		/* trees, of which the forest kept the first ones */
	int			n_used;			/* inputs that have more than one value */
	double	   *valid_losses;	/* [n_grown + 1] calibrated log loss after so many trees, or NaN */
	double	   *logits;			/* [n_train + n_valid] of the forest kept, as forest_logit() has them */
	double	   *valid_logits;	/* [n_valid] the last ones of these */
} ForestReport;

/*
 * Train *forest, whose arrays are the arena's, as are the report's.  Its trees end
 * with the lowest log loss of validation rows, once their logits are calibrated.
 *
 * Memory, given back at the end: a byte for each row and input, 12 bytes for each
 * row, and 24 for each that is drawn.  If less than a quarter of the rows is drawn,
 * each of these takes a byte more for each input that is drawn.  Such an input also
 * takes 2^(depth - 1) KB.  team, observer: NULL is none.
 *
 * Errors: lack of memory, ENGINE_INTERRUPTED, those of column(), and
 * ENGINE_BAD_INPUT if training rows have no weight.
 */
extern bool forest_train(Arena *arena, const ForestData *data, const ForestOptions *options,
						 Team *team, const EngineHost *host, const ForestObserver *observer,
						 Forest *forest, ForestReport *report, EngineError *error);

#endif							/* AREAD_ENGINE_TREES_FOREST_TRAIN_H */
