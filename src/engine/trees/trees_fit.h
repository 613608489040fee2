/*
 * trees_fit.h
 *	  Training of trees: encodings that are worth it, and a forest over them.
 *
 * The same rows, options and seed give the same bytes with any number of threads.
 */
#ifndef AREAD_ENGINE_TREES_TREES_FIT_H
#define AREAD_ENGINE_TREES_TREES_FIT_H

#include "engine/base/team.h"
#include "engine/trees/encoding_choice.h"
#include "engine/trees/trees.h"

typedef struct TreesOptions
{
	int			max_trees;		/* 1 .. FOREST_MAX_TREES */
	int			max_pairs;		/* 0 .. MAX_PAIRS */
	uint64_t	seed;			/* of folds, and of what trees draw */
} TreesOptions;

/* Values that have done well on data of many kinds; the seed is 0. */
extern TreesOptions trees_default_options(void);

typedef enum TreesPhase
{
	TREES_SINGLES,				/* reading rows, choosing fields */
	TREES_FIRST_FOREST,			/* over single fields, by which pairs are chosen */
	TREES_PAIRS,
	TREES_FOREST
} TreesPhase;

#define N_TREES_PHASES 4

/* Told by the caller's thread: so many of so many steps of a phase are done. */
typedef struct TreesObserver
{
	void		(*progress) (void *context, TreesPhase phase, int done, int total);
	void	   *context;
} TreesObserver;

typedef struct TreesReport
{
	EncodingChoice choice;		/* what was tried and taken */
	bool		with_pairs;		/* the forest over pairs, too, is the one that was kept */
	int			n_grown;		/* trees, of which the kept forest has the first ones */
	/* log loss of validation rows, calibrated; NaN: none */
	double		base_loss;		/* of the bias alone */
	double		single_loss;	/* of the forest over single fields */
	double		pair_loss;		/* of the one over pairs, too; NaN: there was none */
	double	   *valid_logits;	/* [validation rows] of the forest kept, as trees_logit() has them */
	double		seconds[N_TREES_PHASES];
} TreesReport;

/*
 * Fit trees to the training rows, and choose by the validation rows.  What *trees
 * and *report point to is the arena's.  Where no field can be encoded there are no
 * trees: encodings.n is 0, and logits are not given.
 *
 * Memory, given back at the end: 4 bytes for each row and encodable field (the
 * dataset's store is asked first), 2 for each row and encoding, some 50 for each
 * row, and 4 for each row and thread.  team, observer: NULL is none.
 *
 * Errors: lack of memory, ENGINE_INTERRUPTED, and ENGINE_BAD_INPUT if training rows
 * have no weight.
 */
extern bool trees_fit(Arena *arena, const Dataset *data, const TreesOptions *options, Team *team,
					  const EngineHost *host, const TreesObserver *observer, Trees *trees,
					  TreesReport *report, EngineError *error);

#endif							/* AREAD_ENGINE_TREES_TREES_FIT_H */
