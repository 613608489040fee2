/*
 * new_model.h
 *	  A trained model on its way into the catalog, with all that is stored of it
 *	  and all that decides whether it is to score.
 */
#ifndef AREAD_CATALOG_NEW_MODEL_H
#define AREAD_CATALOG_NEW_MODEL_H

#include "postgres.h"
#include "utils/jsonb.h"

#include "engine/measure/metrics.h"
#include "engine/train/train.h"
#include "options.h"
#include "source/spec.h"

/* The deployed version over a new one's test rows. */
typedef struct Incumbent
{
	int32		version;		/* 0: none was deployed when they were read */
	int64		id;				/* of that version */
	bool		moved;			/* its scores: by option base_rate */
	bool		may_have_trained;	/* on these rows, as far as the splits tell */
	const char *problem;		/* why it was not measured; NULL: it was */
	Measures	measures;
} Incumbent;

typedef struct NewModel
{
	const char *name;
	bool		name_given;		/* by the caller; false: it is the source's */
	const ColumnRoles *roles;
	Jsonb	   *options;		/* as the user gave them */
	const Config *config;		/* as used */
	const FeatureSpec *spec;
	const ReadReport *report;
	uint64		sampled_rows;	/* negatives, not among the report's rows */
	const bool *with_item;		/* [n_features] what went with their items; NULL: none sampled */
	const TrainResult *result;
	double		personalized;	/* NaN: there are no users or items to tell by (personalized.h) */
	const DeployRule *deploy;	/* whether it scores from now on */
	const Incumbent *incumbent; /* what it may have to be better than */
	int			keep_versions;	/* older ones go; 0: none */
} NewModel;

#endif							/* AREAD_CATALOG_NEW_MODEL_H */
