/*
 * adam.h
 *	  Adam (Kingma and Ba 2015) over dense ranges and over touched rows.
 */
#ifndef AREAD_ENGINE_TRAIN_ADAM_H
#define AREAD_ENGINE_TRAIN_ADAM_H

#include "engine/model/model.h"
#include "engine/data/row_tensor.h"

typedef struct AdamStep
{
	real		rate;			/* learning rate over the first moment's bias correction */
	real		correction2;	/* 1 - beta2^t */
} AdamStep;

/* Step t = 1, 2, ... at a learning rate. */
extern AdamStep adam_step(double learning_rate, uint64_t t);

/*
 * Dense parameters from .. to - 1; gradients gain l2 * parameter where the
 * tensor is under l2.  grads, first, second: those of all dense parameters.
 */
extern void adam_dense(const Model *model, size_t from, size_t to, const real *grads,
					   real *first, real *second, double l2, AdamStep step);

/*
 * The rows that a batch touched.  Gradients gain, for each occurrence of a row
 * with c training rows in a batch of B, l2 / (c B) * row (L2 by frequency), or the
 * tensor's own l2 / B * row, if that is by use.
 * Moments are (n_rows, dim), or (n_slots, dim) with by_slot.  Ends early once
 * the watch (NULL: none) has stopped.
 */
extern void adam_rows(const RowTensor *tensor, const uint32_t *counts, double l2,
					  int batch_rows, real *first, real *second, bool by_slot,
					  AdamStep step, Watch *watch);

#endif							/* AREAD_ENGINE_TRAIN_ADAM_H */
