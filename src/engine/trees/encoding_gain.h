/*
 * encoding_gain.h
 *	  The transfer gain of one field or pair: what it adds to a model's logits.
 */
#ifndef AREAD_ENGINE_TREES_ENCODING_GAIN_H
#define AREAD_ENGINE_TREES_ENCODING_GAIN_H

#include "engine/trees/encoding_cells.h"

/* Of a row's log likelihood by its logit: weight (y - p) and weight p (1 - p). */
typedef struct GainTerm
{
	float		slope;
	float		bend;
} GainTerm;

/*
 * terms [rows] where rows have these logits [rows]; NULL: the prior's.
 *
 * Those of validation rows are calibrated first.  So nothing gains by what a scale
 * and a shift of all logits do as well, and nothing loses by a rate of positives that
 * changed.  Errors: lack of memory, ENGINE_INTERRUPTED.
 */
extern bool gain_terms(Arena *arena, const EncodingRows *rows, const double *logits,
					   GainTerm *terms, const EngineHost *host, EngineError *error);

/* A thread's room. */
typedef struct GainRoom
{
	CellRoom	cells;
	uint64_t   *rates;			/* of sampled training rows, as keys */
	uint64_t   *counts;
	uint64_t   *sorting;
} GainRoom;

/* Errors: lack of memory. */
extern bool gain_room(GainRoom *room, Arena *arena, const EncodingRows *rows, EngineError *error);
/*
 * Values or pairs of a and b (NO_FIELD: a alone) that training rows have -> *n_cells,
 * and the gain, unless these are min_cells or fewer: then it is NaN.
 *
 * by_second [rows]: rows by b's values; NULL without b.  Once the watch has stopped,
 * the results mean nothing.
 */
extern double encoding_gain(const EncodingRows *rows, int a, int b, const uint32_t *by_second,
							const GainTerm *terms, double min_cells, GainRoom *room, Watch *watch,
							uint32_t *n_cells);

#endif							/* AREAD_ENGINE_TREES_ENCODING_GAIN_H */
