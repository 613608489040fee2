/*
 * weight.h
 *	  A row's weight: how much its loss counts in training.
 */
#ifndef AREAD_SOURCE_READ_WEIGHT_H
#define AREAD_SOURCE_READ_WEIGHT_H

#include "source/read/relation.h"
#include "source/spec.h"

typedef struct WeightReader
{
	const char *column;			/* NULL: every row counts 1 */
	Oid			type;			/* base type */
} WeightReader;

/* Raises an error for a column that is no number. */
extern void weight_init(WeightReader *reader, const SourceRelation *relation, const char *column);
/* Raises an error for NULL, negative and infinite weights. */
extern float weight_read(const WeightReader *reader, Datum value, bool isnull);
/* Scale weights [n] so that the first n_train are 1 on average; an error if these are all 0. */
extern void weights_scale(const WeightReader *reader, float *weights, uint64 n_train, uint64 n);

#endif							/* AREAD_SOURCE_READ_WEIGHT_H */
