/*
 * encoding.h
 *	  Values of fields, and of pairs of fields, as what training rows tell of them:
 *	  the rate of positives, and the number of rows.
 *
 * A table for each field or pair that was chosen (encoding_choice.h), filled from all
 * training rows (encoding_fit.h).  A list and a vector have none: their ids are the
 * numbers of lists.
 */
#ifndef AREAD_ENGINE_TREES_ENCODING_H
#define AREAD_ENGINE_TREES_ENCODING_H

#include "engine/data/dataset.h"

/* Inputs of an encoding: the logit of the smoothed rate, and log(1 + rows). */
#define ENCODING_INPUTS 2

/* Of field b where there is none. */
#define NO_FIELD (-1)

/* UNSEEN_ID, values and pairs without training rows are unseen; NULL_ID and RARE_ID are values. */
typedef struct Encoding
{
	int			a;				/* a field; of a pair the one whose table has more rows */
	int			b;				/* the pair's other field; NO_FIELD: a alone */
	uint32_t	n_values;		/* rows of a's table */
	uint32_t	n_cells;		/* values or pairs that are stored */
	/* a pair's look-up; NULL without b, where a cell is the id */
	const uint32_t *start;		/* [n_values + 1] cells of a's values */
	const uint32_t *second;		/* [n_cells] ids of b, ascending within a value of a */
	const float *values;		/* [n_cells, ENCODING_INPUTS] */
} Encoding;

typedef struct Encodings
{
	int			n;
	Encoding   *list;			/* [n] */
	float		unseen[ENCODING_INPUTS];	/* the logit of the rate of all rows, and 0 */
} Encodings;

static inline int
encodings_n_inputs(const Encodings *encodings)
{
	return encodings->n * ENCODING_INPUTS;
}

/* May a field be encoded? */
static inline bool
shape_is_encodable(const Shape *shape, int field)
{
	return !shape->field_is_list[field];
}

/* Inputs [n, ENCODING_INPUTS] of a row, whose ids [n_fields] are within their tables. */
extern void encodings_inputs(const Encodings *encodings, const uint32_t *ids, float *inputs);

/* Inputs of encoding i of rows of ids [n, n_fields]: x [ENCODING_INPUTS, stride], n <= stride. */
extern void encodings_column(const Encodings *encodings, int i, const uint32_t *ids,
							 int n_fields, int n, float *x, size_t stride);

#endif							/* AREAD_ENGINE_TREES_ENCODING_H */
