/*
 * history.h
 *	  What users had to do with before: the items of their training rows.
 *
 * A user has two lists, each with a history of its own: the items that he had to do with,
 * and those that he disliked, which are those of negative rows.
 *
 * The row's own item is never a member.  So a training row is left out of its own history
 * with all that are like it, and scores find nothing there that training did not.
 *
 * No history tells of its training row's label:
 *	  where rows have an order in time, it is made of rows strictly earlier, which were there
 *	  before the label was; rows of the same time do not know of each other;
 *	  where they have none, of the user's other rows, and of every row one is left out.
 *
 * That last rule is why an item is in a list once, and why a row whose item is not in it
 * leaves out another one.  Say k of a user's items are in his list, those of positive rows.
 * If nothing else was left out, rows of these items would have k - 1 members, and all others
 * k: a network that knows users would read labels off the lengths.  With the rule each of
 * his rows has k - 1.  Nor do the members tell: each of the k sets without one item is that
 * of one row in the list, and of as many others as of each other set.  For these the missing
 * item is drawn by a hash of the ids of user and item, which knows no label.  A list of one
 * item makes empty histories.  Of both lists a row leaves one out of each: of one it is its own,
 * of the other a drawn one, so that pairs of missing items are as even among rows of either label.  The same holds of all rows instead of positive ones, where
 * sampled negatives and rare items are in no list.
 *
 * What a length does tell is how many positive rows the user has: of him, not of the row,
 * as his id does.
 *
 * Histories of validation and test rows, and of those that are scored, are made of training
 * rows, which are all earlier where there is an order.  None of theirs is among them, so
 * that nothing is left out but their own item.
 *
 * Histories are not stored row by row, for each row has another one: they are made as rows
 * go into a batch.
 */
#ifndef AREAD_ENGINE_DATA_HISTORY_H
#define AREAD_ENGINE_DATA_HISTORY_H

#include "engine/data/dataset.h"

typedef enum HistoryList
{
	HISTORY_TAKEN,
	HISTORY_DISLIKED,
	N_HISTORY_LISTS
} HistoryList;

/* Of which training rows a list is made. */
typedef enum HistoryRows
{
	HISTORY_POSITIVES,
	HISTORY_ALL,
	HISTORY_NEGATIVES
} HistoryRows;

/* One list of each user. */
typedef struct History
{
	uint32_t	length;			/* members at most */
	uint32_t	n;				/* users: ids FIRST_ID .. FIRST_ID + n - 1 */
	/* entries of the i-th user, start[i] .. start[i + 1] - 1, the newest last; without an order each item once */
	const uint64_t *start;		/* [n + 1] */
	const uint32_t *items;		/* [entries] ids from FIRST_ID on */
	/* of training rows, where these have an order */
	const int64_t *entry_times; /* [entries]; NULL: there is none */
	const int64_t *times;		/* as Dataset has them */
} History;

/* Can rows of that shape have histories: does an id stand for one user, one for an item? */
extern bool shape_has_history(const Shape *shape);

/*
 * The histories of those of a dataset's training rows, sampled ones not counted.  Items below FIRST_ID have no part in them.  What building takes beside
 * is scratch's, which the caller empties.  Errors: lack of memory, ENGINE_INTERRUPTED.
 */
extern History *history_build(Arena *arena, Arena *scratch, const Dataset *data, uint32_t length,
							  HistoryRows counting, const EngineHost *host, EngineError *error);

/*
 * Members [length at most] of the history of a row of that item, out of n items from FIRST_ID
 * on, the newest last: of the newest length + 1 those that are not that item.  Returns how
 * many there are.
 */
extern uint32_t history_choose(const uint32_t *items, size_t n, uint32_t item, uint32_t length,
							   uint32_t *members);
/*
 * Members [length at most] of the history of a row with these ids, the newest last; returns
 * how many there are.  row: number of the training row that it is; NULL: it is none.
 */
extern uint32_t history_members(const History *history, uint32_t user, uint32_t item,
								const uint32_t *row, uint32_t *members);

#endif							/* AREAD_ENGINE_DATA_HISTORY_H */
