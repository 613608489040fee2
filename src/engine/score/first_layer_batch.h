/*
 * first_layer_batch.h
 *	  The stack of layers/prepared.h over a batch: products of x0, field by field.
 *
 * Fields that are premultiplied have their values' products added up.  Of the others,
 * one that has few distinct values in the batch (the user of all candidates)
 * has each of them multiplied once, the rest is multiplied row by row.  Which
 * way a field goes changes no more than the order of sums.
 */
#ifndef AREAD_ENGINE_SCORE_FIRST_LAYER_BATCH_H
#define AREAD_ENGINE_SCORE_FIRST_LAYER_BATCH_H

#include "engine/data/batch.h"
#include "engine/layers/prepared.h"
#include "engine/data/row_tensor.h"

/* A gathered field, in the present batch. */
typedef struct StackField
{
	bool		shared;
	int			n_distinct;
	uint32_t   *ids;			/* [n_distinct] */
	uint32_t   *place;			/* [B] a row's value among them */
	real	   *values;			/* (n_distinct, E) their vectors */
} StackField;

/* Its functions leave the rest undone once their watch (NULL: none) has stopped. */
typedef struct Stack
{
	const Prepared *prepared;
	int			capacity;		/* B at most */
	StackField *fields;			/* [n_gathered] */
	uint32_t   *slots;			/* scratch: distinct ids */
	bool	   *common;			/* [n_fields] the batch's rows have one value, no list */
	real	   *x;				/* (B, n_gathered * E): vectors of those that are not shared, side by side */
	int		   *at;				/* [n_parts] where in the stack's weights these fields begin */
	int			n_parts;
	real	   *common_x;		/* [n_gathered * E]: those that are common, of one row */
	int		   *common_at;		/* [n_common] */
	int			n_common;
	uint64_t	n_shared;		/* values so far that needed no product of their own */
} Stack;

/* What a thread needs for itself. */
typedef struct StackScratch
{
	real	   *common;			/* [MAX_PANEL] what all rows begin with */
	real	   *lists;			/* (B, MAX_PANEL): premultiplied lists' products */
	real	   *products;		/* (distinct values of all shared fields, MAX_PANEL) */
	const real **start;			/* (B, starts) */
	const real **common_start;	/* [starts] */
	const real **sums;			/* [B] rows of the output, where their sums go on */
	size_t	   *offset;			/* [starts] */
	Watch	   *watch;			/* NULL: none */
} StackScratch;

extern bool stack_init(Stack *stack, const Prepared *prepared, int capacity, Arena *arena,
					   EngineError *error);
extern bool stack_scratch_init(StackScratch *scratch, const Stack *stack, Arena *arena,
							   EngineError *error);
/* The batch's distinct values: before the following, which may run side by side. */
extern void stack_index(Stack *stack, const Batch *batch);
/* Vectors of the rows from .. to - 1. */
extern void stack_gather(Stack *stack, const Batch *batch, int from, int to, Watch *watch);
/*
 * out (B, stride): the stack's panels first .. first + n - 1, for all rows;
 * relu: what is below 0 becomes 0.
 */
extern void stack_forward(const Stack *stack, const Batch *batch, int first, int n, real *out,
						  size_t stride, bool relu, StackScratch *scratch);

/* out[n] += the mean of a list's members' products, columns first .. first + n - 1. */
extern void stack_list(const Prepared *prepared, int field, const uint32_t *members,
					   uint32_t n_members, real *out, int first, int n, Watch *watch);
/* Fetch the vectors that a row will need, but for those of shared fields (fields NULL: none is). */
extern void stack_prefetch(const Prepared *prepared, const StackField *fields, const Batch *batch,
						   int row);

#endif							/* AREAD_ENGINE_SCORE_FIRST_LAYER_BATCH_H */
