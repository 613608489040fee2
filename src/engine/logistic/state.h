/*
 * state.h
 *	  The state of a descent: the rows at the present weights, what sweeps sum,
 *	  and the parts in which threads share a job.  Internal to descent.h.
 *
 * Every job is cut into parts whose number depends on the data alone.  What
 * parts have summed is added up in their order.  So results do not depend on
 * the number of threads.
 */
#ifndef AREAD_ENGINE_LOGISTIC_STATE_H
#define AREAD_ENGINE_LOGISTIC_STATE_H

#include <math.h>

#include "engine/data/vectors.h"
#include "engine/logistic/cells.h"

/* Parts of a job at most. */
#define MAX_PARTS 64

/* A training row at the present weights.  All that a visit needs, on one cache line. */
typedef struct RowState
{
	real		logit;
	real		gradient;		/* of the row's loss by its logit: weight (p - y) */
	real		curvature;		/* weight p (1 - p) */
	real		weight;			/* negative: label 0 */
} RowState;

/* Sums over rows of their gradient and curvature. */
typedef struct RowSums
{
	double		gradient;
	double		curvature;
} RowSums;

/* What a part of a job has summed. */
typedef struct DescentPart
{
	RowSums		head;			/* of rows whose cell began in an earlier part */
	RowSums		bias;
	double		largest_step;
	double		decrease;
	double		slope;			/* along a list field's steps */
	double		bend;			/* second derivative along them */
	double		largest_move;
	double		determined;
	double		squares;
	double		effect;
} DescentPart;

/* What the rows say of a block's weights. */
typedef struct BlockStatistics
{
	double		determined;		/* sum of h / (h + l2), h the rows' curvature at a weight */
	double		squares;		/* sum of w^2 */
	double		effect;			/* sum of h w^2 */
} BlockStatistics;

/* Weights and logits as they once were. */
typedef struct DescentCopy
{
	real	  **weights;		/* [2 * n_fields] */
	real	   *logits;			/* [n_rows] */
	double		bias;
} DescentCopy;

/* Of visits of dense fields, of as many values as the largest one has. */
typedef struct DenseScratch
{
	double	   *sums;			/* (parts, 2, values) */
	double	   *step;			/* [values], as the following */
	double	   *residual;
	double	   *product;
	real	   *direction;
} DenseScratch;

typedef struct Descent
{
	const Dataset *data;
	int			n_fields;
	double	   *l2;				/* [2 * n_fields]: by value, then by pair */
	real *const *weights;		/* [2 * n_fields]; NULL: no pairs */
	double		bias;
	size_t		n_rows;			/* training rows */
	RowState   *rows;			/* [n_rows] */
	Cells	   *cells;			/* [n_fields] */
	bool	   *held;			/* [n_fields] fields that sweeps leave out */
	Team	   *team;
	Watch		watch;
	Watch		followers;		/* the same to other threads than the caller's */
	/* of the last sweep */
	double		largest_step;	/* of a weight, before it was taken */
	double		decrease;		/* of the objective, as predicted */
	int			sweeps;			/* so far */
	bool		converged;
	/* scratch of a visit */
	RowSums    *sums;			/* [most cells] */
	real	   *moves;			/* [most cells] what a cell's rows' logits move by */
	real	   *of_row;			/* [n_rows] 1 / a list's length, or its row's move; NULL: no list fields */
	DenseScratch dense;			/* NULLs: no dense fields */
	DescentPart parts[MAX_PARTS];
	DescentCopy before;			/* the present sweep */
} Descent;

/* Things from .. to - 1 of a job's. */
typedef struct PartRange
{
	size_t		from;
	size_t		to;
} PartRange;

/* Parts that n things are dealt out to: the same however many threads there are. */
extern int	descent_parts(size_t n);
/* Run a job's n parts; false once the host wants to stop. */
extern bool descent_run(Descent *descent, TeamTask task, void *context, int n,
						EngineError *error);
/* Weights of a block. */
extern size_t descent_block_size(const Descent *descent, int block);
/* Share of a Newton step that goes down for sure, by how far it moves a logit. */
extern double descent_step_length(double largest_move);

/* A part's share of n things. */
static inline PartRange
part_range(size_t n, int part)
{
	int			n_parts = descent_parts(n);

	return (PartRange) {part_start(n, n_parts, part), part_start(n, n_parts, part + 1)};
}

/* The rest of a row's state follows from its logit. */
static inline void
row_state_set(RowState *row)
{
#ifdef AREAD_DOUBLE
	real		small = exp(-fabs(row->logit)); /* no overflow either way */
#else
	real		small = expf(-fabsf(row->logit));
#endif
	real		high = 1 / (1 + small);
	real		p = row->logit >= 0 ? high : small * high;

	if (row->weight < 0)
	{
		row->gradient = -row->weight * p;
		row->curvature = -row->weight * small * high * high;
	}
	else
	{
		row->gradient = row->weight * (p - 1);
		row->curvature = row->weight * small * high * high;
	}
}

/*
 * What a field says of a row by values of its ids: the value of its id, the mean of
 * its list's members', or its vector times its components'.  0 once the watch
 * (NULL: none) has stopped.
 */
static inline double
row_value(const Descent *descent, size_t row, int field, const real *values, Watch *watch)
{
	const uint32_t *members;
	size_t		n = dataset_members(descent->data, row, field, &members);
	double		sum = 0;

	if (shape_is_dense(&descent->data->shape, field))
		return vector_dot(members, n, values);
	for (size_t i = 0; i < n; i++)
	{
		if (i % WATCH_MEMBERS == 0 && watch_worked(watch, WATCH_MEMBERS))
			return 0;
		sum += values[members[i]];
	}
	return n > 1 ? sum / n : sum;
}

#endif							/* AREAD_ENGINE_LOGISTIC_STATE_H */
