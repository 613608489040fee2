/*
 * row_encoder.h
 *	  Rows of any relation as ids of a trained model: columns are matched to
 *	  features by name.
 */
#ifndef AREAD_SOURCE_READ_ROW_ENCODER_H
#define AREAD_SOURCE_READ_ROW_ENCODER_H

#include "source/keys/encoder.h"
#include "source/read/relation.h"

typedef struct RowEncoder
{
	const FeatureSpec *spec;
	ValueEncoder **encoders;	/* [n_columns]; NULL: the column is missing */
	int		   *position;		/* [n_columns] among the values of a row */
	const Datum *values;		/* the present row */
	const bool *nulls;
	uint32	   *ids;			/* [n_columns] of the present row, but of lists */
} RowEncoder;

/*
 * Match the model's features to the relation's columns; returns the columns to
 * read, of char *.  Features without a column count as NULL, which a notice
 * tells; without the domain there is an error.  Everything is allocated in the
 * current memory context.
 */
extern List *row_encoder_init(RowEncoder *encoder, const SourceRelation *relation, const FeatureSpec *spec);
/* Encode a row with these values, which stay where they are. */
extern void row_encoder_read(RowEncoder *encoder, const Datum *values, const bool *nulls);
/*
 * Ids of feature f (a column) in that row: one, or of a list as many as it has
 * members.  *ids is valid until the next call; returns how many.  Of a vector
 * only the first is an id: UNSEEN_ID, which is not unseen, or NULL_ID.
 */
extern int	row_encoder_ids(RowEncoder *encoder, int f, const uint32 **ids);

#endif							/* AREAD_SOURCE_READ_ROW_ENCODER_H */
