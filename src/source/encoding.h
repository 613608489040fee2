/*
 * encoding.h
 *	  Rows encoded by the vocabularies of a trained model.
 */
#ifndef AREAD_SOURCE_ENCODING_H
#define AREAD_SOURCE_ENCODING_H

#include "source/read/collect.h"
#include "source/keys/row_encoder.h"

typedef struct Encoding
{
	Collector	rows;
	RowEncoder	encoder;
	int			label_position;
	SplitFilter *filter;		/* NULL: none; its columns follow the label */
} Encoding;

/* Append the ids of a row, for which there is room; its number is the caller's to count. */
extern void encoding_add(Encoding *encoding, const Datum *values, const bool *nulls);

#endif							/* AREAD_SOURCE_ENCODING_H */
