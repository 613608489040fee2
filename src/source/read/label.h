/*
 * label.h
 *	  A row's label: 0, 1, missing, or not a label at all.
 */
#ifndef AREAD_SOURCE_READ_LABEL_H
#define AREAD_SOURCE_READ_LABEL_H

#include "source/read/relation.h"
#include "source/spec.h"
#include "utils/numeric.h"

typedef struct LabelReader
{
	const char *column;
	Oid			type;			/* base type */
	double		threshold;		/* NaN: none; of reals it is rounded to one */
	Numeric		exact_threshold;	/* of numerics: its digits */
	bool		skip_bad;
	const char *model;			/* that is evaluated; NULL: in training */
	bool		zeros;			/* what was read: any 0, any 1, anything else? */
	bool		ones;
	bool		others;
} LabelReader;

typedef enum LabelState
{
	LABEL_GOOD, LABEL_NULL, LABEL_BAD
} LabelState;

/*
 * Booleans and numbers; raises an error for a column of another type.  "model" is
 * the one that is evaluated, for messages; NULL: in training.
 */
extern void label_init(LabelReader *reader, const SourceRelation *relation, const char *column,
					   const SourceOptions *options, const char *model);
/* The same of a column that is not a relation's. */
extern void label_init_type(LabelReader *reader, Oid type, const char *column,
							const SourceOptions *options, const char *model);
/* Raises an error for a value that is neither 0 nor 1, unless those are skipped. */
extern LabelState label_read(LabelReader *reader, Datum value, bool isnull, uint8 *label);
/*
 * All labels are read: raises an error if they are plainly 0 and 1 where the
 * model's were numbers on both sides of a threshold that does not part these.
 */
extern void label_check_coding(const LabelReader *reader);

#endif							/* AREAD_SOURCE_READ_LABEL_H */
