/*
 * fitted_rows.h
 *	  Drawn rows made ready for encodings.
 */
#ifndef AREAD_TEST_FITTED_ROWS_H
#define AREAD_TEST_FITTED_ROWS_H

#include "drawn_rows.h"
#include "engine/base/random.h"
#include "engine/trees/encoding_fit.h"
#include "toy.h"
#include "unit.h"

#define N_FIELDS 5

/* Rows made ready for encodings; what a fit gives. */
typedef struct Fitted
{
	EncodingRows rows;
	EncodingRoom room;
	float	   *rates;
	float	   *counts;
	Encoding	encoding;
} Fitted;

static inline Fitted *
make_ready(Arena *arena, const Dataset *data)
{
	Fitted	   *fitted = ARENA_ARRAY(arena, Fitted, 1);
	EngineHost	host = toy_host();
	EngineError error;

	CHECK(encoding_rows_init(&fitted->rows, arena, data, 7, &host, &error));
	CHECK(encoding_room(&fitted->room, arena, &fitted->rows, &error));
	fitted->rates = ARENA_ARRAY(arena, float, fitted->rows.n_rows);
	fitted->counts = ARENA_ARRAY(arena, float, fitted->rows.n_rows);
	return fitted;
}

static inline void
fit(Arena *arena, Fitted *fitted, int a, int b)
{
	EngineHost	host = toy_host();
	EngineError error;

	CHECK(encoding_fit(arena, &fitted->rows, a, b, &fitted->room, &host, fitted->rates,
					   fitted->counts, &fitted->encoding, &error));
}

/* Some ids of all kinds, and rows that repeat others. */
static inline DrawnRows *
odd_rows(Arena *arena, bool weighted)
{
	static const uint32_t n_values[N_FIELDS] = {3, 40, 20, 300, 6};
	DrawnRows  *rows = drawn_rows(arena, 500, 150, N_FIELDS, n_values, 3);
	Random		random;

	random_start(&random, 4, RANDOM_SIMULATE, 0);
	plant_noise(rows, 5);
	for (size_t row = 0; row < drawn_n(rows); row++)
	{
		for (int f = 0; f < N_FIELDS; f++)
			if (random_below(&random, 20) == 0)
				*drawn_id(rows, row, f) = (uint32_t) random_below(&random, FIRST_ID);
		if (row >= 40 && row < 90)
			memcpy(drawn_id(rows, row, 0), drawn_id(rows, row - 40, 0),
				   N_FIELDS * sizeof(uint32_t));
		rows->weights[row] = (float) (random_uniform(&random) * 2);
	}
	if (weighted)
		rows->data.weights = rows->weights;
	return rows;
}

#endif							/* AREAD_TEST_FITTED_ROWS_H */
