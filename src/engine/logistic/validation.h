/*
 * validation.h
 *	  Losses of validation rows under logistic regression as it stands.
 */
#ifndef AREAD_ENGINE_LOGISTIC_VALIDATION_H
#define AREAD_ENGINE_LOGISTIC_VALIDATION_H

#include "engine/logistic/descent.h"

typedef struct ValidRows
{
	Descent    *descent;
	size_t		n;				/* rows looked at, evenly spread over the split */
	size_t		n_split;		/* all of them */
	int			n_pair_fields;
	int		   *pair_fields;	/* [n_pair_fields] */
	uint32_t   *pairs;			/* [n, n_pair_fields] of each row, or NO_PAIR */
	double	   *logits;			/* [n] */
	double		scale;			/* the calibration: of logits, and what is added */
	double		shift;
	float	   *losses;			/* [n] where they go */
	double		longest;		/* logit's size */
	struct ValidPart *parts;
} ValidRows;

/* At most max_rows of the validation rows.  Errors: lack of memory, ENGINE_INTERRUPTED. */
extern bool valid_init(ValidRows *valid, Arena *arena, Descent *descent, size_t max_rows,
					   EngineError *error);
/*
 * Log losses [n], weighted, of calibrated scores.  Calibration takes out a shift
 * of all scores, which later rows often bring.
 */
extern bool valid_losses(ValidRows *valid, float *losses, EngineError *error);

#endif							/* AREAD_ENGINE_LOGISTIC_VALIDATION_H */
