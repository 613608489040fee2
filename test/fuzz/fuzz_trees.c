/*
 * fuzz_trees.c
 *	  Damaged trees: refused, or scores.
 *
 * The first byte of an input is a length to be cut off (255: none), the rest damage.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/trees/trees_bytes.h"
#include "engine/trees/trees_fit.h"
#include "fuzz.h"
#include "toy.h"

#define N_ROWS 400
#define N_SCORED 20

static Arena arena;				/* of what stays */
static Dataset *dataset;
static uint8_t *stored;			/* [stored_size] */
static size_t stored_size;
static double logits[N_SCORED];

static void
score(const Trees *trees, double *scores)
{
	float	   *scratch = malloc(trees_scratch(trees) * sizeof(float));

	FUZZ_ASSERT(scratch);
	trees_logits(trees, dataset->ids, TOY_FIELDS, N_SCORED, scratch, scores);
	free(scratch);
}

/* By masks the scores are the same. */
static void
check_masks(const Trees *trees, Arena *memory, const double *scores)
{
	EngineHost	host = toy_host();
	EngineError error;
	ForestMasks *masks;
	double		masked[N_SCORED];

	FUZZ_ASSERT(forest_masks_create(&masks, memory, &trees->forest, &host, &error));
	if (!masks)
		return;
	trees_masked_logits(trees, masks, dataset->ids, TOY_FIELDS, N_SCORED, 4, masked);
	FUZZ_ASSERT(memcmp(masked, scores, sizeof(masked)) == 0);
}

/* Trees over single fields, and one pair of them: few rows would not choose it. */
static void
set_up(void)
{
	EngineHost	host = toy_host();
	TreesOptions options = trees_default_options();
	uint32_t   *start;
	TreesReport report;
	EngineError error;
	Trees		trees;
	Encoding   *first;

	if (dataset)
		return;
	arena_init_malloc(&arena);
	dataset = toy_dataset(&arena, N_ROWS);
	options.max_trees = 3;
	FUZZ_ASSERT(trees_fit(&arena, dataset, &options, NULL, &host, NULL, &trees, &report, &error));
	FUZZ_ASSERT(trees.encodings.n >= 2);
	/* the first field's values, each with an id of the second one */
	first = &trees.encodings.list[0];
	first->b = trees.encodings.list[1].a;
	start = ARENA_ARRAY(&arena, uint32_t, first->n_values + 1);
	first->second = ARENA_ARRAY(&arena, uint32_t, first->n_values);
	FUZZ_ASSERT(start && first->second);
	for (uint32_t v = 0; v <= first->n_values; v++)
		start[v] = v;
	first->start = start;
	stored_size = trees_bytes_size(&trees);
	stored = ARENA_ARRAY(&arena, uint8_t, stored_size);
	FUZZ_ASSERT(stored);
	trees_put(&trees, stored);
	score(&trees, logits);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FuzzInput	input = {data, size};
	EngineError error = {0};
	double		scores[N_SCORED];
	uint32_t	cut;
	FuzzBlock	block;
	Arena		scratch;
	Trees	   *trees;
	bool		damaged;

	set_up();
	cut = fuzz_number(&input, 1);
	block.size = stored_size - (cut == 255 ? 0 : cut);
	block.bytes = malloc(block.size);
	FUZZ_ASSERT(block.bytes);
	memcpy(block.bytes, stored, block.size);
	damaged = fuzz_damage(&input, &block, 1) || block.size < stored_size;
	arena_init_malloc(&scratch);
	trees = trees_get(&scratch, block.bytes, block.size, &dataset->shape, &error);
	FUZZ_ASSERT(trees || error.code == ENGINE_CORRUPT);
	FUZZ_ASSERT(trees || damaged);
	if (trees)
	{
		score(trees, scores);
		for (int i = 0; i < N_SCORED; i++)
			FUZZ_ASSERT(isfinite(scores[i]));
		check_masks(trees, &scratch, scores);
		FUZZ_ASSERT(damaged || memcmp(scores, logits, sizeof(logits)) == 0);
	}
	arena_free_all(&scratch);
	free(block.bytes);
	return 0;
}

void
fuzz_seeds(void)
{
	uint8_t		bytes[256] = {255};
	uint8_t		cut[] = {8};
	size_t		n;

	set_up();
	fuzz_seed("intact", bytes, 1);
	fuzz_seed("cut", cut, sizeof(cut));
	/* sizes and fields in their places, and the ends of what follows: something to change */
	n = fuzz_change(bytes + 1, 0, 0, stored, FUZZ_TELLING - 1);
	fuzz_seed("head", bytes, 1 + n);
	n = fuzz_change(bytes + 1, 0, (uint32_t) stored_size - 64, stored + stored_size - 64, 64);
	fuzz_seed("tail", bytes, 1 + n);
}
