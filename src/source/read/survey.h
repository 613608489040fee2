/*
 * survey.h
 *	  Columns that are no features: keys of rows, constants, empty ones.
 *
 * Most of it is known when every row is read, and by then ids, hashes and splits
 * are of all columns.  So what is left out is found here, and who reads the source
 * reads it again, as if the features that are left had been listed: the model is
 * the same as with that list, to the last bit.
 */
#ifndef AREAD_SOURCE_READ_SURVEY_H
#define AREAD_SOURCE_READ_SURVEY_H

#include "source/read/collect.h"

/* What dictionaries do not tell of the rows collected so far. */
typedef struct Survey
{
	uint64		n_rows;
	uint64	   *nulls;			/* [n_columns] not of lists */
	double	   *lowest;			/* [n_columns] of numbers */
	double	   *highest;
} Survey;

extern void survey_init(Survey *survey, const FeatureSpec *spec);
/* Add the collected rows, all of which have their ids. */
extern void survey_add(Survey *survey, Collector *collector);
/* The columns (of char *) that are to be features. */
extern List *survey_features(const Survey *survey, const Collector *collector);
/* A WARNING that names those that are left out, and those that had better be. */
extern void survey_warn(const Survey *survey, const Collector *collector);

#endif							/* AREAD_SOURCE_READ_SURVEY_H */
