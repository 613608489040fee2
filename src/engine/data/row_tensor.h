/*
 * row_tensor.h
 *	  Parameters of which a batch touches few rows: embedding tables, and what
 *	  domains have of their own.
 *	  Gradients live in slots, one for each distinct row touched.
 */
#ifndef AREAD_ENGINE_DATA_ROW_TENSOR_H
#define AREAD_ENGINE_DATA_ROW_TENSOR_H

#include "engine/base/base.h"

typedef struct RowTensor
{
	real	   *values;			/* (n_rows, dim) */
	uint32_t	n_rows;
	int			dim;
	int			table;			/* whose ids its rows stand for, and whose counts they have */
	bool		l2_by_use;		/* each occurrence counts l2; else rows have L2 by frequency */
	real		l2;
	/* the batch's distinct rows; slot_of is valid where rows[slot_of[row]] == row */
	uint32_t	n_slots;
	uint32_t   *slot_of;		/* [n_rows] */
	size_t		capacity;
	uint32_t   *rows;			/* [n_slots] */
	uint32_t   *occurrences;	/* [n_slots] in the batch */
	real	   *grads;			/* (n_slots, dim) */
} RowTensor;

extern void rows_init(RowTensor *tensor, Arena *arena, real *values, uint32_t n_rows, int dim);
/* Forget the last batch; make room for that many occurrences. */
extern bool rows_begin(RowTensor *tensor, Arena *arena, size_t occurrences, EngineError *error);

/* The slot of a row; a new one starts with no occurrence and a zero gradient. */
static inline uint32_t
rows_slot(RowTensor *tensor, uint32_t row)
{
	uint32_t	slot = tensor->slot_of[row];
	real	   *grad;

	if (slot < tensor->n_slots && tensor->rows[slot] == row)
		return slot;
	slot = tensor->n_slots++;
	tensor->slot_of[row] = slot;
	tensor->rows[slot] = row;
	tensor->occurrences[slot] = 0;
	grad = tensor->grads + (size_t) slot * tensor->dim;
	for (int e = 0; e < tensor->dim; e++)
		grad[e] = 0;
	return slot;
}

/* Count an occurrence of a row; returns where its gradient (dim) is summed. */
static inline real *
rows_touch(RowTensor *tensor, uint32_t row)
{
	uint32_t	slot = rows_slot(tensor, row);

	tensor->occurrences[slot]++;
	return tensor->grads + (size_t) slot * tensor->dim;
}

#endif							/* AREAD_ENGINE_DATA_ROW_TENSOR_H */
