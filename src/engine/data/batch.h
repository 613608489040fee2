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
	uint32_t	history_length; /* 0: rows have no history */
	uint32_t   *history;		/* [n_rows, history_length] members */
	uint32_t   *history_n;		/* [n_rows] how many there are */
	int			n_segments;
	Segment    *segments;		/* [n_segments] */
	uint32_t   *order;			/* scratch for sorting */
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

/* Room for histories of up to "length" members; lack of memory shows in the arena. */
extern void batch_init_history(Batch *batch, Arena *arena, uint32_t length);
/*
 * The histories of the batch's rows, once it is filled.  Row batch->rows[b]'s is the list of
 * that number in lists (NULL: 0 each), unless it is 0: then the one that its user has.
 * training: batch->rows are numbers of training rows.
 */
extern void batch_fill_history(Batch *batch, const Shape *shape, const History *history,
							   const uint32_t *lists, bool training);

/* Members of a row's history, the newest last. */
static inline uint32_t
batch_history(const Batch *batch, int row, const uint32_t **members)
{
	*members = batch->history + (size_t) row * batch->history_length;
	return batch->history_length > 0 ? batch->history_n[row] : 0;
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
