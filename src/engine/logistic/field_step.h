/*
 * field_step.h
 *	  Visits of one field by a descent.  Internal to descent.h.
 *
 * Every job is cut into parts whose number depends on the data alone, and what
 * parts have summed is added up in their order: results do not depend on the
 * number of threads.
 */
#ifndef AREAD_ENGINE_LOGISTIC_FIELD_STEP_H
#define AREAD_ENGINE_LOGISTIC_FIELD_STEP_H

#include <math.h>

#include "engine/logistic/descent.h"

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
/* Run a job's n parts; false once the host wants to stop. */
extern bool visit_run(Descent *descent, TeamTask task, void *context, int n,
					  EngineError *error);
/* Sums of every cell of the field -> descent->sums. */
extern bool visit_sum(Visit *visit, EngineError *error);
/* What a row of a list field is divided by -> descent->of_row. */
extern bool visit_find_shares(Visit *visit, EngineError *error);
/* Values of a part; parts, descent_parts(n_cells) of them, have about as many cells. */
extern uint32_t visit_value(const Visit *visit, int part);
/* Make the field's weights part of rows' logits, which do not know of them yet. */
extern bool visit_place(Descent *descent, int field, EngineError *error);

/* A Newton step of a field of single values, or of a list field. */
extern bool visit_values(Descent *descent, int field, double no_step, EngineError *error);
extern bool visit_lists(Descent *descent, int field, double no_step, EngineError *error);
/* Add moves of values, meant of a list's members, to rows' logits. */
extern bool visit_place_lists(Visit *visit, EngineError *error);
/* Scratch for dense fields, if there are any. */
extern bool visit_dense_init(Descent *descent, Arena *arena, EngineError *error);
/* Sums of a dense field's components. */
extern bool visit_dense_sum(Visit *visit, EngineError *error);
/*
 * Steps of its weights, whose sums are there, -> descent->moves; *sum gets the slope
 * along them, what the penalty bends, and the largest.
 */
extern bool visit_dense_steps(Visit *visit, DescentPart *sum, EngineError *error);
/* Go on along what the last sweep has changed. */
extern bool descent_extend(Descent *descent, EngineError *error);

/* The rest of a row's state follows from its logit. */
static inline void
visit_set_row(RowState *row)
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

#endif							/* AREAD_ENGINE_LOGISTIC_FIELD_STEP_H */
