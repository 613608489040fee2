/*
 * stack.h
 *	  Several models' logits, added up with weights that rows choose which none of
 *	  them was trained on (Wolpert, "Stacked generalization", 1992).
 */
#ifndef AREAD_ENGINE_MEASURE_STACK_H
#define AREAD_ENGINE_MEASURE_STACK_H

#include "engine/base/base.h"

#define STACK_PARTS 2

/* logit = sum over k of weight[k] * part k's logit, + shift */
typedef struct StackMap
{
	double		weight[STACK_PARTS];
	double		shift;
} StackMap;

/* What a stack is fitted to. */
typedef struct StackRows
{
	const double *logits[STACK_PARTS];	/* each [n] */
	const uint8_t *labels;		/* [n] */
	const float *weights;		/* [n]; NULL: 1 each */
	size_t		n;
} StackRows;

/*
 * The weights and shift of highest likelihood, under normal priors of deviation 1:
 * the first part's weight around 1, the others' and the shift around 0, so that few
 * rows leave the first part as it is.  No weight falls below "least" [STACK_PARTS]:
 * scores of each part keep their direction.  *loss: the log loss of the rows, summed,
 * without the priors.  Errors: ENGINE_INTERRUPTED.
 */
extern bool stack_fit(const StackRows *rows, const double *least, StackMap *map, double *loss,
					  const EngineHost *host, EngineError *error);

#endif							/* AREAD_ENGINE_MEASURE_STACK_H */
