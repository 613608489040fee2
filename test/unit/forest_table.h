/*
 * forest_table.h
 *	  Rows for tests of forests: columns of values, labels and weights.
 */
#ifndef AREAD_TEST_FOREST_TABLE_H
#define AREAD_TEST_FOREST_TABLE_H

#include "engine/trees/forest_train.h"

#define MAX_INPUTS 16

typedef struct Table
{
	ForestData	data;
	float	   *values;			/* [n_inputs, rows] */
	uint8_t    *labels;
	float	   *weights;		/* data.weights, where that is not NULL */
	int			asked;			/* columns, so far */
	int			fails_at;		/* a column that cannot be had; -1: none */
} Table;

/* Without weights; labels and values are to be filled. */
extern Table *new_table(Arena *arena, size_t n_train, size_t n_valid, int n_inputs);
/*
 * Labels follow a sum of waves of the inputs, of few levels and of many in turn.
 * Among odd values are NaN, infinities, and numbers next to each other.
 */
extern Table *drawn_table(Arena *arena, size_t n_train, size_t n_valid, int n_inputs,
						  bool odd_values);
/* Every row, every input. */
extern ForestOptions plain_options(int max_trees, int depth);
/* A training that has to succeed, alone. */
extern Forest trained(Arena *arena, const Table *table, const ForestOptions *options,
					  ForestReport *report);

static inline size_t
rows_of(const Table *table)
{
	return table->data.n_train + table->data.n_valid;
}

static inline float *
value_at(const Table *table, size_t row, int input)
{
	return &table->values[input * rows_of(table) + row];
}

static inline void
table_row(const Table *table, size_t row, float *x)
{
	for (int i = 0; i < table->data.n_inputs; i++)
		x[i] = *value_at(table, row, i);
}

#endif							/* AREAD_TEST_FOREST_TABLE_H */
