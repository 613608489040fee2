/*
 * adam.c
 *	  Adam with L2 through its moments.
 *
 * Dense ranges are one loop.  Rows of a table are visited by slot: their values and
 * moments lie anywhere in memory, so those of later slots are fetched ahead.
 */
#include "engine/train/adam.h"

#include <math.h>

#define BETA1 0.9
#define BETA2 0.99
#define EPSILON 1e-8

AdamStep
adam_step(double learning_rate, uint64_t t)
{
	AdamStep	step;

	step.rate = learning_rate / (1 - pow(BETA1, (double) t));
	step.correction2 = 1 - pow(BETA2, (double) t);
	return step;
}

/* values[n] one step; gradient = grads + decay * values. */
static inline void
update(real *restrict values, const real *restrict grads, real *restrict first,
	   real *restrict second, size_t n, real decay, AdamStep step)
{
	real		inverse_correction2 = 1 / step.correction2;

	for (size_t i = 0; i < n; i++)
	{
		real		g = grads[i] + decay * values[i];

		first[i] = (real) BETA1 * first[i] + (real) (1 - BETA1) * g;
		second[i] = (real) BETA2 * second[i] + (real) (1 - BETA2) * g * g;
#ifdef AREAD_DOUBLE
		values[i] -= step.rate * first[i] / (sqrt(second[i] * inverse_correction2) + EPSILON);
#else
		values[i] -= step.rate * first[i] /
			(sqrtf(second[i] * inverse_correction2) + (real) EPSILON);
#endif
	}
}

HOT void
adam_dense(const Model *model, size_t from, size_t to, const real *grads, real *first,
		   real *second, double l2, AdamStep step)
{
	for (int i = 0; i < model->n_tensors; i++)
	{
		const Tensor *tensor = &model->tensors[i];
		size_t		at = tensor->offset > from ? tensor->offset : from;
		size_t		end = tensor->offset + tensor->size < to ? tensor->offset + tensor->size : to;

		if (tensor->kind != TENSOR_DENSE || tensor->offset >= to)
			break;				/* dense tensors come first */
		if (end > at)
			update(model->params + at, grads + at, first + at, second + at, end - at,
				   tensor->l2 ? l2 : 0, step);
	}
}

/* What a parameter costs, in multiply-adds. */
#define UPDATE_WORK 8
/* So many rows ahead memory is fetched for one. */
#define AHEAD 4

static inline void
prefetch_slot(const RowTensor *tensor, uint32_t slot, bool by_slot, const real *first,
			  const real *second)
{
	size_t		at = (size_t) tensor->rows[slot] * tensor->dim;

	for (int e = 0; e < tensor->dim; e += 64 / (int) sizeof(real))
	{
		__builtin_prefetch(tensor->values + at + e, 1);
		if (!by_slot)
		{
			__builtin_prefetch(first + at + e, 1);
			__builtin_prefetch(second + at + e, 1);
		}
	}
}

HOT void
adam_rows(const RowTensor *tensor, const uint32_t *counts, double l2, int batch_rows,
		  real *first, real *second, bool by_slot, AdamStep step,
		  Watch *watch)
{
	size_t		dim = tensor->dim;

	for (uint32_t slot = 0; slot < tensor->n_slots; slot++)
	{
		uint32_t	row = tensor->rows[slot];
		size_t		moment = (by_slot ? slot : row) * dim;
		real		decay;

		if (slot % WATCH_MEMBERS == 0 && watch_worked(watch, WATCH_MEMBERS * UPDATE_WORK * dim))
			return;
		if (slot + AHEAD < tensor->n_slots)
			prefetch_slot(tensor, slot + AHEAD, by_slot, first, second);
		if (tensor->l2_by_use)
			decay = tensor->l2 * tensor->occurrences[slot] / batch_rows;
		else
			decay = counts[row] == 0 ? 0 :
				l2 * tensor->occurrences[slot] / ((double) counts[row] * batch_rows);
		update(tensor->values + row * dim, tensor->grads + slot * dim, first + moment,
			   second + moment, dim, decay, step);
	}
}
