/*
 * descent.h
 *	  Logistic regression over ids for given L2, by descent field by field.
 *
 * A row has one value of a field, so that, the other fields held, the weights
 * of different values have nothing to do with each other: each value's weight and
 * those of its pairs with domains are moved by a Newton step of their own,
 * exactly and in parallel, and the bias along with them.  A sweep does so field after field.
 * It reads each row once a field, needs no search for a step's length and no memory beyond
 * the rows' state, and few sweeps mend what a change of a block's L2 has moved.
 * (A block coordinate descent; Genkin, Lewis and Madigan, "Large-scale Bayesian
 * logistic regression for text categorization", 2007, do it weight by weight.)
 *
 * Members of a list share rows: their weights move together, along their own
 * Newton steps, as far as Newton's method says on that line.  So do those of a
 * vector's components, along a step that knows how these go together
 * (field_step_dense.c).
 */
#ifndef AREAD_ENGINE_LOGISTIC_DESCENT_H
#define AREAD_ENGINE_LOGISTIC_DESCENT_H

#include "engine/logistic/cells.h"

/* Of a part of a job, for sums in fixed order. */
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

/*
 * weights and l2 are the caller's, and moved in place; pairs (NULL: none) are
 * of these training rows.  Errors: lack of memory, ENGINE_INTERRUPTED, too many weights.
 */
extern bool descent_init(Descent *descent, Arena *arena, const Dataset *data,
						 const DomainPairs *pairs, double *l2, real *const *weights,
						 double bias, Team *team, const EngineHost *host, EngineError *error);
/* Gives back what is not in the arena, after descent_init() failed, too. */
extern void descent_end(Descent *descent);
/* Bring the rows' state in line with weights that were changed from outside. */
extern bool descent_refresh(Descent *descent, EngineError *error);
/*
 * Sweep, from the given field on, until a sweep moves no weight by more than
 * tolerance, or rows' logits, in the root mean square, by no more; or max_sweeps have
 * passed.  descent->converged: not that.
 */
extern bool descent_minimize(Descent *descent, int first_field, double tolerance,
							 int max_sweeps, EngineError *error);
/* One field's step of such a sweep. */
extern bool descent_visit(Descent *descent, int field, double tolerance, EngineError *error);
/* Statistics of field f's values, [0], and pairs, [1], at the present weights. */
extern bool descent_statistics(Descent *descent, int field, BlockStatistics statistics[2],
							   EngineError *error);
extern bool descent_copy_init(DescentCopy *copy, Arena *arena, const Descent *descent,
							  EngineError *error);
extern bool descent_keep(Descent *descent, DescentCopy *copy, EngineError *error);
extern bool descent_return(Descent *descent, DescentCopy *copy, EngineError *error);

/* Weights of a block. */
extern size_t descent_block_size(const Descent *descent, int block);
/* Share of a Newton step that goes down for sure, by how far it moves a logit. */
extern double descent_step_length(double largest_move);
/* Parts that n things are dealt out to: the same however many threads there are. */
extern int	descent_parts(size_t n);

#endif							/* AREAD_ENGINE_LOGISTIC_DESCENT_H */
