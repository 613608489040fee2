/*
 * batch.h
 *	  Rows on their way through the network, ordered by domain.
 */
#ifndef AREAD_ENGINE_DATA_BATCH_H
#define AREAD_ENGINE_DATA_BATCH_H

#include "engine/data/history.h"

/* A run of a batch's rows that share a domain, and the mask they run under. */
typedef struct Segment
{
	int64_t		domain;			/* -1: never seen in training */
	int			start;
	int			n_rows;
	const uint8_t *mask;		/* [G]; NULL: all gates open */
} Segment;

/* Histories of a batch's rows. */
typedef struct BatchHistory
{
	uint32_t	length;			/* 0: rows have none */
	uint32_t   *members;		/* [n_rows, length] */
	uint32_t   *n;				/* [n_rows] how many there are */
} BatchHistory;

/* Whose is a field's value: of all rows of a line, of all that stand below each other, or a row's? */
typedef enum RowShare
{
	OF_LINE,
	OF_COLUMN,
	OF_ROW
} RowShare;

typedef struct Batch
{
	int			capacity;
	int			n_rows;
	int			n_units;		/* rows, or groups: what a loss is the mean of */
	int			n_fields;
	uint32_t   *rows;			/* [n_rows] numbers of the caller's rows */
	uint32_t   *ids;			/* [n_rows, n_fields] */
	uint8_t    *labels;			/* [n_rows] */
	bool		grouped;		/* each positive row comes before its negatives, and they are compared */
	const float *row_weights;	/* by number of row, as the dataset has them; NULL: 1 each */
	const uint64_t *list_start;
	const uint32_t *list_members;
	BatchHistory history[N_HISTORY_LISTS];
	int			n_segments;
	Segment    *segments;		/* [n_segments] */
	uint32_t   *order;			/* scratch for sorting */
	/* in scoring, by batch_find_shared() */
	int			across;			/* rows are whole lines of so many; 0: of such nothing is known */
	RowShare   *share;			/* [n_fields] */
	bool		any_of_row;		/* has a field OF_ROW? */
} Batch;

extern bool batch_init(Batch *batch, Arena *arena, int capacity, int n_fields,
					   EngineError *error);

/*
 * Take n rows out of ids (row-major, n_fields wide) by number, ordered by
 * domain (never-seen first, then by number; within one in the order given).
 * labels may be NULL.  domains[i] replaces row i's domain where it is not
 * negative; domains may be NULL.  Masks and row_weights are left NULL, and
 * rows are not grouped.
 */
extern void batch_fill(Batch *batch, const Shape *shape, const uint32_t *ids,
					   const uint8_t *labels, const uint64_t *list_start,
					   const uint32_t *list_members, const uint32_t *rows,
					   const int64_t *domains, int n);

/*
 * Whose the fields' values are, if the rows, once they are filled, are lines of "across" of one
 * domain: a user's, say, for some items.  Else, and until it is called, "across" is 0.
 */
extern void batch_find_shared(Batch *batch, int across);

/* Room for histories of up to "length" members; lack of memory shows in the arena. */
extern void batch_init_history(Batch *batch, HistoryList list, Arena *arena, uint32_t length);
/* Room as another batch has. */
extern void batch_init_histories_like(Batch *batch, const Batch *like, Arena *arena);
/*
 * The histories [N_HISTORY_LISTS] of the batch's rows, once it is filled.  What row
 * batch->rows[b]'s user took is the list of that number in lists (NULL: 0 each), unless it is 0:
 * then the one that he has.  What he disliked is always his.
 * training: batch->rows are numbers of training rows.
 */
extern void batch_fill_history(Batch *batch, const Shape *shape, const History *histories,
							   const uint32_t *lists, bool training);

/* Members of a row's history, the newest last. */
static inline uint32_t
batch_history(const Batch *batch, HistoryList list, int row, const uint32_t **members)
{
	const BatchHistory *history = &batch->history[list];

	*members = history->members + (size_t) row * history->length;
	return history->length > 0 ? history->n[row] : 0;
}

/* What the loss of the batch's row b counts. */
static inline double
batch_weight(const Batch *batch, int b)
{
	return batch->row_weights ? batch->row_weights[batch->rows[b]] : 1;
}

/* Row of the domain's table: one for all domains never seen. */
static inline uint32_t
segment_domain_id(const Segment *segment)
{
	return segment->domain < 0 ? UNSEEN_ID : FIRST_ID + (uint32_t) segment->domain;
}

/* The members of a field's value: one id, or a list's. */
static inline uint32_t
batch_members(const Batch *batch, const Shape *shape, int row, int field,
			  const uint32_t **members)
{
	const uint32_t *id = &batch->ids[(size_t) row * batch->n_fields + field];

	if (!shape->field_is_list[field])
	{
		*members = id;
		return 1;
	}
	*members = batch->list_members + batch->list_start[*id];
	return batch->list_start[*id + 1] - batch->list_start[*id];
}

#endif							/* AREAD_ENGINE_DATA_BATCH_H */
