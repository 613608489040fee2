/*
 * forest_validation.h
 *	  The log loss of validation rows, which says where a forest ends.
 *
 * It is the loss of calibrated logits: scale * logit + shift, fitted to these
 * rows.  Later rows often bring a shift of all scores, which trees cannot know,
 * and which whoever calibrates the forest takes out.
 */
#ifndef AREAD_ENGINE_TREES_FOREST_VALIDATION_H
#define AREAD_ENGINE_TREES_FOREST_VALIDATION_H

#include "engine/base/team.h"
#include "engine/trees/forest_data.h"

typedef struct ForestValidation
{
	const ForestData *data;
	const double *logits;		/* [n_valid] */
	Team	   *team;
	Watch	   *watch;
	double		weight;			/* of all rows; 0: there is nothing to validate by */
	double		scale;			/* the calibration that was found last */
	double		shift;
	struct ValidationPart *parts;
} ForestValidation;

/* Errors: lack of memory. */
extern bool validation_init(ForestValidation *validation, Arena *arena, const ForestData *data,
							const double *logits, Team *team, Watch *watch, EngineError *error);
/*
 * The mean loss by the logits as they are; NaN without rows of any weight.  Errors:
 * ENGINE_INTERRUPTED.
 */
extern bool validation_loss(ForestValidation *validation, double *loss, EngineError *error);

#endif							/* AREAD_ENGINE_TREES_FOREST_VALIDATION_H */
