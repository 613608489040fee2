/*
 * stack.h
 *	  The stack of prepare.h over a batch: products of x0, field by field.
 *
 * Fields that are ready have their values' products added up.  Of the others,
 * one that has few distinct values in the batch (the user of all candidates)
 * has each of them multiplied once, the rest is multiplied row by row.  Which
 * way a field goes changes no more than the order of sums.
 */
#ifndef AREAD_ENGINE_STACK_H
#define AREAD_ENGINE_STACK_H

#include "batch.h"
#include "prepare.h"
#include "rows.h"

/* Share a field's products when so many of its rows' values are distinct at most. */
#define SHARE_VALUES_BELOW 0.6

/* A field that is not ready, in the present batch. */
typedef struct StackField
{
	bool		shared;
	int			n_distinct;
	uint32_t   *ids;			/* [n_distinct] */
	uint32_t   *place;			/* [B] a row's value among them */
	real	   *values;			/* (n_distinct, E) their vectors */
} StackField;

typedef struct Stack
{
	const Prepared *prepared;
	const RowTensor *tables;	/* [n_tables] */
	int			capacity;		/* B at most */
	StackField *fields;			/* [n_plain] */
	uint32_t   *slots;			/* scratch: distinct ids */
	real	   *x;				/* (B, n_plain * E): vectors of those that are not shared */
	bool	   *common;			/* [n_fields] the batch's rows have one value, no list */
	uint64_t	n_shared;		/* values so far that needed no product of their own */
} Stack;

extern bool stack_init(Stack *stack, const Prepared *prepared, const RowTensor *tables,
					   int capacity, Arena *arena, EngineError *error);
/* The batch's distinct values: before the following, which may run side by side. */
extern void stack_index(Stack *stack, const Batch *batch);
/* Vectors of the rows from .. to - 1. */
extern void stack_gather(Stack *stack, const Batch *batch, int from, int to);
/*
 * Columns first .. first + n_columns - 1 of out (B, columns.n), for all rows;
 * products: scratch for B * n_columns.
 */
extern void stack_forward(const Stack *stack, const Batch *batch, real *out, int first,
						  int n_columns, real *products, Watch *watch);

/* Which ready fields a row's start takes. */
typedef enum ReadyFields
{
	READY_ALL, READY_COMMON, READY_OTHERS
} ReadyFields;

/*
 * out[n] = start[n] and ready fields of a row, columns first .. first + n - 1;
 * common [n_fields]: see Stack; NULL for READY_ALL.
 */
extern void stack_start(const Prepared *prepared, const Batch *batch, int row, ReadyFields which,
						const bool *common, const real *start, real *out, int first, int n);
/* Fetch the vectors that a row will need, but for those of shared fields (fields NULL: none is). */
extern void stack_expect(const Prepared *prepared, const RowTensor *tables,
						 const StackField *fields, const Batch *batch, int row);
/* out[E] = the vector of a value: of a list its members' mean. */
extern void stack_vector(const RowTensor *table, const uint32_t *members, uint32_t n_members,
						 real *out);

#endif							/* AREAD_ENGINE_STACK_H */
