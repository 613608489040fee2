/*
 * forest_bins.h
 *	  Inputs as bins: a byte for each row tells which thresholds its value exceeds.
 */
#ifndef AREAD_ENGINE_TREES_FOREST_BINS_H
#define AREAD_ENGINE_TREES_FOREST_BINS_H

#include "engine/base/team.h"
#include "engine/trees/forest_data.h"

/* Bins of an input, at most. */
#define FOREST_BINS 64

/* An input that has more than one value. */
typedef struct BinnedInput
{
	int			input;
	int			n_bins;			/* 2 .. FOREST_BINS */
	float		thresholds[FOREST_BINS - 1];	/* [n_bins - 1] ascending */
	uint8_t    *bins;			/* [n_train + n_valid] thresholds that the row's value is above */
} BinnedInput;

typedef struct ForestBins
{
	int			n_inputs;
	BinnedInput *inputs;		/* [n_inputs] in the order of their numbers */
} ForestBins;

/*
 * Ask for every input and bin it.  Inputs of one value, as far as training rows
 * tell, are left out.  A value is above a threshold just as its bin is above
 * the threshold's number, in every row.
 *
 * Memory: rows * inputs bytes, and 4 bytes for each row meanwhile.  Errors: lack
 * of memory, ENGINE_INTERRUPTED, those of data->column().
 */
extern bool forest_bins_build(ForestBins *bins, Arena *arena, const ForestData *data, Team *team,
							  const EngineHost *host, EngineError *error);

#endif							/* AREAD_ENGINE_TREES_FOREST_BINS_H */
