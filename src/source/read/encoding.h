/*
 * encoding.h
 *	  Rows encoded by the vocabularies of a trained model.
 */
#ifndef AREAD_SOURCE_READ_ENCODING_H
#define AREAD_SOURCE_READ_ENCODING_H

#include "source/read/collect.h"
#include "source/read/row_encoder.h"
#include "source/read/splitter.h"

typedef struct Encoding
{
	Collector	rows;
	RowEncoder	encoder;
	int			label_position;
	SplitFilter *filter;		/* NULL: none; its columns follow the label */
	bool		by_split;		/* hashes are those of hash_by_split(); rows of no split are left out */
} Encoding;

/* Append the ids of a row, for which there is room; its number is the caller's to count. */
extern void encoding_add(Encoding *encoding, const Datum *values, const bool *nulls);
/*
 * Append a row and its label, unless that is bad or the filter holds the row
 * back (a RowFunction of an Encoding).  Raises an error for a bad label that is
 * not to be skipped.
 */
extern void encoding_add_labeled(void *encoding, const Datum *values, const bool *nulls);

/*
 * The hash of row "number" of a split: rows come by split, and within one in an order of no
 * meaning.
 */
extern uint64 hash_by_split(int split, uint64 number);
/* Its split. */
extern int	split_of_hash(uint64 hash);

#endif							/* AREAD_SOURCE_READ_ENCODING_H */
