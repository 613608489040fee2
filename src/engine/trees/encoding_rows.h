/*
 * encoding_rows.h
 *	  The rows that encodings are made of: training rows, then validation rows.
 */
#ifndef AREAD_ENGINE_TREES_ENCODING_ROWS_H
#define AREAD_ENGINE_TREES_ENCODING_ROWS_H

#include "engine/trees/encoding.h"

typedef struct EncodingRows
{
	const Dataset *data;
	size_t		n_train;
	size_t		n_rows;			/* with those to validate by; below 2^32 */
	const uint32_t **columns;	/* [n_fields] ids [n_rows]; NULL: the field cannot be encoded */
	const uint8_t *folds;		/* [n_train] */
	double		prior;			/* weighted rate of training rows' positives, not quite 0 or 1 */
	void	   *stored;			/* the columns, if they are in the dataset's store */
} EncodingRows;

/*
 * Ids column by column, folds and prior.  What is not in the store is the arena's.
 * Errors: lack of memory, ENGINE_INTERRUPTED, and ENGINE_BAD_INPUT if training rows
 * have no weight.
 */
extern bool encoding_rows_init(EncodingRows *rows, Arena *arena, const Dataset *data,
							   uint64_t seed, const EngineHost *host, EngineError *error);
/* Give back what is in the store. */
extern void encoding_rows_free(EncodingRows *rows);

static inline uint32_t
encoding_n_values(const EncodingRows *rows, int field)
{
	return shape_rows(&rows->data->shape, field);
}

#endif							/* AREAD_ENGINE_TREES_ENCODING_ROWS_H */
