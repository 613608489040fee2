/*
 * field_step.h
 *	  Visits of one field by a descent: sums over its cells' rows, and moves of
 *	  these rows.  Internal to descent.h.
 */
#ifndef AREAD_ENGINE_LOGISTIC_FIELD_STEP_H
#define AREAD_ENGINE_LOGISTIC_FIELD_STEP_H

#include "engine/logistic/state.h"

typedef struct Visit
{
	Descent    *descent;
	int			field;
	const Cells *cells;
	size_t		n;				/* rows, or a list field's members */
	int			n_parts;		/* of those */
	double		bias_step;
	double		no_step;		/* steps below are left out */
	double		length;			/* of a list field's steps */
} Visit;

extern Visit visit_of(Descent *descent, int field);
/* Sums of every cell of a field that is not dense -> descent->sums. */
extern bool visit_sum(Visit *visit, EngineError *error);
/* Values of a part; parts, descent_parts(n_cells) of them, have about as many cells. */
extern uint32_t visit_value(const Visit *visit, int part);
/* Add descent->moves, one for each cell of a field of single values, and bias_step to rows' logits. */
extern bool visit_move(Visit *visit, EngineError *error);

#endif							/* AREAD_ENGINE_LOGISTIC_FIELD_STEP_H */
