/*
 * drawn_rows.h
 *	  Rows for tests of encodings and trees: ids drawn at random, labels that a test
 *	  plants.
 */
#ifndef AREAD_TEST_DRAWN_ROWS_H
#define AREAD_TEST_DRAWN_ROWS_H

#include "engine/trees/trees_fit.h"

#define DRAWN_MAX_FIELDS 12

/* The first fields; the others are free. */
#define DRAWN_DOMAIN 0
#define DRAWN_USER 1
#define DRAWN_ITEM 2

/* A dataset whose parts can be changed. */
typedef struct DrawnRows
{
	Dataset		data;			/* weights are NULL: see below */
	uint32_t   *table_rows;		/* [n_fields], one table each */
	bool	   *is_list;
	uint32_t   *ids;
	uint8_t    *labels;			/* 0, to be planted */
	float	   *weights;		/* [rows] 1, for data.weights */
} DrawnRows;

/* Training rows and validation rows of fields with so many values from FIRST_ID on. */
extern DrawnRows *drawn_rows(Arena *arena, size_t n_train, size_t n_valid, int n_fields,
							 const uint32_t *n_values, uint64_t seed);
/* All fields are lists of one member each: the id that was drawn. */
extern void make_lists(DrawnRows *rows, Arena *arena);
static inline uint32_t *
drawn_id(const DrawnRows *rows, size_t row, int field)
{
	return &rows->ids[row * (size_t) rows->data.shape.n_fields + (size_t) field];
}

static inline size_t
drawn_n(const DrawnRows *rows)
{
	return rows->data.split_start[SPLIT_TEST];
}

/* Labels of rate .3 that no field tells. */
extern void plant_noise(DrawnRows *rows, uint64_t seed);
/* Labels that the parities of two fields tell together, and neither alone: rates .1 and .6. */
extern void plant_pair(DrawnRows *rows, int a, int b, uint64_t seed);
/* Are these the same trees, byte by byte? */
extern bool same_trees(Arena *arena, const Trees *one, const Trees *other);

#endif							/* AREAD_TEST_DRAWN_ROWS_H */
