/*
 * ranked_lists.h
 *	  How high a model ranks what users took among what they did not: each positive row
 *	  in a list with other items of its domain.
 *
 * Sampled lists are what literature compares by; lists of all items are what users see
 * (Krichene and Rendle, "On sampled metrics for item recommendation", 2020).
 */
#ifndef AREAD_ENGINE_SCORE_RANKED_LISTS_H
#define AREAD_ENGINE_SCORE_RANKED_LISTS_H

#include "engine/data/dataset.h"
#include "engine/measure/metrics.h"
#include "engine/score/score.h"

/* The other items of a list, of which none is twice in it. */
typedef enum ListKind
{
	LIST_UNIFORM,				/* up to LIST_ITEMS, each as likely */
	LIST_POPULARITY,			/* up to LIST_ITEMS, drawn as often as they are taken */
	LIST_ALL,					/* all, in domains of at most LIST_MAX_ALL */
	N_LIST_KINDS
} ListKind;

#define LIST_ITEMS 100
#define LIST_MAX_ALL 10000
#define LIST_PLACES 10
/* Lists that a training ranks in each split, and rows of all items, at most. */
#define LIST_MAX 2000
/* And in an evaluation, which has no lists of all items. */
#define LIST_MAX_EVALUATION 1000
#define LIST_MAX_ROWS 500000

/* What users and SQL call a kind. */
extern const char *const list_kind_names[N_LIST_KINDS];

/* Means over lists; NaN without any. */
typedef struct ListMeasures
{
	uint64_t	lists;			/* one for each positive row, and an item in it */
	double		items;			/* beside the positive one */
	double		ndcg;			/* at LIST_PLACES */
	double		hit_rate;		/* share of lists whose positive item is in the first LIST_PLACES */
	double		mrr;			/* 1 / rank */
} ListMeasures;

/* The one number that networks are compared by: a mean of uniform lists and those by popularity. */
extern Measure lists_ndcg(const ListMeasures *measures);

typedef struct ListTask
{
	const Dataset *data;
	size_t		known[2];		/* rows [0] .. [1] - 1: their positive ones say what items there are */
	const bool *with_item;		/* [n_fields] what goes with an item, itself included */
	uint64_t	seed;
	uint64_t	max_lists;		/* of more, so many are chosen, in no order */
	uint64_t	max_rows;		/* of lists of all items */
} ListTask;

typedef struct Ranking Ranking;

/*
 * What all lists of a task are made of, in the arena; the task and the scorer have to live as
 * long.  The items of a domain are those of positive known rows with an id of their own;
 * never in a list are items that the user took in any row of the data.  Where an item's rows
 * differ in what goes with it, their values say which row's are the item's.  NULL on errors:
 * lack of memory, ENGINE_INTERRUPTED.
 */
extern Ranking *lists_begin(Arena *arena, const ListTask *task, Scorer *scorer,
							const EngineHost *host, EngineError *error);
/*
 * The positive ones of rows first .. end - 1 -> measures [N_LIST_KINDS].  Of equal scores each
 * order is as likely, and measures are means over them.  Rows whose own item is none of its
 * domain's have no list: what nobody took is another question.
 *
 * The same seed and rows in any order give the same lists.  What this takes is given back,
 * but for the scorer's own.  Errors: lack of memory, ENGINE_INTERRUPTED, ENGINE_CORRUPT.
 */
extern bool lists_measure(Ranking *ranking, size_t first, size_t end, ListMeasures *measures,
						  EngineError *error);

#endif							/* AREAD_ENGINE_SCORE_RANKED_LISTS_H */
