/*
 * encoding_folds.c
 *	  A fold is drawn by a hash of what a row has in common with its repeats.
 */
#include "engine/trees/encoding_folds.h"

#include "engine/base/random.h"

static inline uint64_t
mix(uint64_t hash, uint64_t number)
{
	hash = (hash ^ number) * 0x9E3779B97F4A7C15u;
	return hash ^ hash >> 29;
}

/* A list counts by its members: lists of one content may have several numbers. */
static uint64_t
mix_field(uint64_t hash, const Dataset *data, size_t row, int field, Watch *watch)
{
	const uint32_t *members;
	size_t		n = dataset_members(data, row, field, &members);

	hash = mix(hash, n);
	for (size_t i = 0; i < n; i++)
	{
		if (i % WATCH_MEMBERS == 0 && watch_worked(watch, WATCH_MEMBERS))
			break;
		hash = mix(hash, members[i]);
	}
	return hash;
}

static uint64_t
hash_row(const Dataset *data, size_t row, Watch *watch)
{
	const Shape *shape = &data->shape;
	uint64_t	hash = 0;

	if (shape->user_field < 0 || shape->item_field < 0)
	{
		for (int f = 0; f < shape->n_fields; f++)
			hash = mix_field(hash, data, row, f, watch);
		return hash;
	}
	hash = mix_field(hash, data, row, shape->user_field, watch);
	hash = mix_field(hash, data, row, shape->item_field, watch);
	return mix_field(hash, data, row, shape->domain_field, watch);
}

bool
encoding_folds(const Dataset *data, uint64_t seed, Watch *watch, uint8_t *folds)
{
	for (size_t row = 0; row < data->split_start[SPLIT_VALID]; row++)
	{
		Random		random;

		random_start(&random, seed, RANDOM_FOLDS, hash_row(data, row, watch));
		folds[row] = (uint8_t) random_below(&random, ENCODING_FOLDS);
		if (watch->stopped)
			return false;
	}
	return true;
}
